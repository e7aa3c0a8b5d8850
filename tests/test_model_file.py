"""The modeller's file runs as a script does, and leaves nothing behind that could get in our way."""

from __future__ import annotations

import sys
from pathlib import Path

import pyomo.environ as pyo
import pytest

from bilevel_lang.errors import ModelFileError, UsageError
from bilevel_lang.model_file import load_model

BUILD = "import pyomo.environ as pyo\nmodel = pyo.ConcreteModel()\nmodel.x = pyo.Var()\n"


def write(folder: Path, text: str, name: str = "model.py") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def message(path: Path) -> str:
    with pytest.raises(ModelFileError) as caught:
        load_model(path)
    assert caught.value.exit_code == 3
    return str(caught.value)


def test_the_object_model_is_taken(tmp_path: Path) -> None:
    assert load_model(write(tmp_path, BUILD)).x.ctype is pyo.Var


@pytest.mark.parametrize("maker", ["create_model", "pyomo_create_model"])
def test_or_what_a_maker_returns(tmp_path: Path, maker: str) -> None:
    text = f"import pyomo.environ as pyo\ndef {maker}():\n    m = pyo.ConcreteModel('made')\n    return m\n"
    assert load_model(write(tmp_path, text)).name == "made"


def test_a_missing_file_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no model file"):
        load_model(tmp_path / "model.py")


def test_code_of_a_script_alone_does_not_run(tmp_path: Path) -> None:
    load_model(write(tmp_path, BUILD + "if __name__ == '__main__':\n    raise ValueError\n"))


def test_what_it_prints_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    load_model(write(tmp_path, BUILD + "print('built')\n"))
    assert capsys.readouterr().out == "built\n"


# --- What is wrong with a file.


def test_a_traceback_begins_in_the_users_file(tmp_path: Path) -> None:
    write(tmp_path, "def ratio(a, b):\n    return a / b\n", "helper_of_a_model.py")
    path = write(tmp_path, "from helper_of_a_model import ratio\nratio(1, 0)\n")
    said = message(path)
    assert said.startswith(f'error[M1]: {path} raised\n  File "{path}", line 2')
    assert "helper_of_a_model.py" in said and "ZeroDivisionError" in said
    assert "bilevel_lang" not in said and "model_file" not in said


def test_a_maker_that_raises(tmp_path: Path) -> None:
    said = message(write(tmp_path, "def create_model():\n    return {}['demand']\n"))
    assert "KeyError: 'demand'" in said and "line 2, in create_model" in said and "model_file.py" not in said


def test_a_syntax_error_shows_the_line(tmp_path: Path) -> None:
    said = message(write(tmp_path, "model = (1,\n"))
    assert "SyntaxError" in said and "line 1" in said and "model_file.py" not in said


@pytest.mark.parametrize("text", ["import sys\nsys.exit(3)\n", "def create_model():\n    raise SystemExit(3)\n"])
def test_a_file_that_exits(tmp_path: Path, text: str) -> None:
    said = message(write(tmp_path, text))
    assert "called exit(3)" in said and "__main__" in said


def test_interrupting_it_is_no_error_of_the_file(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        load_model(write(tmp_path, "raise KeyboardInterrupt\n"))


def test_no_model(tmp_path: Path) -> None:
    said = message(write(tmp_path, "x = 1\n"))
    assert "has no `model`" in said and "create_model()" in said


def test_a_model_of_another_name(tmp_path: Path) -> None:
    assert "add the line `model = m`" in message(write(tmp_path, "import pyomo.environ as pyo\nm = pyo.ConcreteModel()\n"))


@pytest.mark.parametrize(
    ("text", "fact", "mend"),
    [
        ("model = 3\n", "is of type int, not a Pyomo model", "ConcreteModel"),
        ("import pyomo.environ as pyo\nmodel = pyo.ConcreteModel\n", "is the class ConcreteModel", "call it"),
        ("import pyomo.environ as pyo\nmodel = pyo.AbstractModel()\n", "is an AbstractModel without data", "create_instance"),
        ("def create_model():\n    pass\n", "what `create_model()`", "ConcreteModel"),
    ],
)
def test_something_else_than_a_model(tmp_path: Path, text: str, fact: str, mend: str) -> None:
    said = message(write(tmp_path, text))
    assert fact in said and mend in said


# --- What is imported.


def test_a_helper_beside_the_model_is_importable_and_is_gone_afterwards(tmp_path: Path) -> None:
    before = list(sys.path)
    write(tmp_path, "size = 4\n", "helper_of_a_model.py")
    model = load_model(write(tmp_path, BUILD + "import helper_of_a_model\nmodel.n = helper_of_a_model.size\n"))
    assert model.n == 4
    assert "helper_of_a_model" not in sys.modules
    assert sys.path == before


def test_a_helper_that_the_maker_imports(tmp_path: Path) -> None:
    write(tmp_path, "size = 5\n", "helper_of_a_model.py")
    text = BUILD + "del model\ndef create_model():\n    import helper_of_a_model as h\n"
    text += "    return pyo.ConcreteModel(f'n{h.size}')\n"
    assert load_model(write(tmp_path, text)).name == "n5"


def test_two_models_have_each_their_own_helper(tmp_path: Path) -> None:
    for size in (1, 2):
        folder = tmp_path / str(size)
        (folder / "data_of_a_model").mkdir(parents=True)
        write(folder / "data_of_a_model", f"size = {size}\n", "__init__.py")
        model = load_model(write(folder, BUILD + "import data_of_a_model\nmodel.n = data_of_a_model.size\n"))
        assert model.n == size


def test_a_helper_named_like_ours_shadows_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "grammar", raising=False)  # a test folder of that name may be loaded as a package
    write(tmp_path, "raise ImportError('the wrong one')\n", "numpy.py")
    write(tmp_path, "size = 6\n", "grammar.py")
    model = load_model(write(tmp_path, BUILD + "import numpy, grammar\nmodel.n = int(numpy.abs(-grammar.size))\n"))
    assert model.n == 6
    assert "grammar" not in sys.modules
    import bilevel_lang.grammar.parser

    assert str(tmp_path) not in str(bilevel_lang.grammar.parser.__file__)


def test_packages_installed_below_the_folder_stay_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # An environment in .venv beside the model: what the model imports from it must not be thrown away and loaded twice.
    installed = tmp_path / ".venv" / "package_of_a_test"
    installed.mkdir(parents=True)
    write(installed, "", "__init__.py")
    write(installed, "", "part.py")
    monkeypatch.syspath_prepend(str(tmp_path / ".venv"))
    load_model(write(tmp_path, BUILD + "import package_of_a_test.part\n"))
    assert "package_of_a_test.part" in sys.modules
    for name in ("package_of_a_test.part", "package_of_a_test"):
        monkeypatch.delitem(sys.modules, name)


def test_a_file_may_change_the_import_path(tmp_path: Path) -> None:
    before = list(sys.path)
    load_model(write(tmp_path, BUILD + "import sys\nsys.path.pop(0)\n"))
    assert sys.path == before
