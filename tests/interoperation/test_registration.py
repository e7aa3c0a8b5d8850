from __future__ import annotations

import importlib.machinery
import subprocess
import sys
from pathlib import Path

import pytest

from bilevel_lang.interoperation import registration

ROOT = Path(__file__).resolve().parents[2]
BOTH = """
from pyomo.contrib.solver.common.factory import SolverFactory as NewFactory
assert type(pyo.TransformationFactory('bilevel.kkt')).__name__ == 'KktTransformation'
assert type(pyo.SolverFactory('bilevel')).__name__ == 'LegacyBilevelSolver'
assert type(NewFactory('bilevel')).__name__ == 'BilevelSolver'
"""


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("first", ["import bilevel_lang", "import pyomo.environ as pyo"])
def test_the_names_are_there_whichever_import_comes_first(first: str) -> None:
    run(f"{first}\nimport bilevel_lang\nimport pyomo.environ as pyo\n{BOTH}")


@pytest.mark.parametrize(
    "first", ["from bilevel_lang import Options", "from bilevel_lang import BilevelProblem", "import bilevel_lang.api"]
)
def test_a_name_of_ours_may_be_what_loads_pyomo(first: str) -> None:
    run(f"import warnings\nwarnings.simplefilter('error')\n{first}\nimport pyomo.environ as pyo\n{BOTH}")


def test_importing_us_does_not_load_pyomo_and_registering_does_not_load_the_engine() -> None:
    code = "import sys, bilevel_lang\nassert not [m for m in sys.modules if m.partition('.')[0] == 'pyomo']\n"
    code += f"import pyomo.environ as pyo\n{BOTH}\n"
    code += "print([m for m in ('bilevel_lang.api', 'bilevel_lang.resolver', 'scipy', 'lark') if m in sys.modules])"
    assert run(code).strip() == "[]"


def test_nothing_stays_behind_in_the_import_system() -> None:
    code = "import sys\nimport bilevel_lang, pyomo.environ\n"
    code += "assert not [f for f in sys.meta_path if type(f).__module__.startswith('bilevel_lang')]\n"
    code += "print(sorted(vars(pyomo.environ.__spec__.loader)))"
    usual = importlib.machinery.SourceFileLoader("a", "b")
    assert run(code).strip() == str(sorted(vars(usual)))


def test_whoever_only_asks_where_pyomo_is_does_not_end_the_waiting() -> None:
    code = "import bilevel_lang\nfrom importlib.util import find_spec\n"
    code += f"assert find_spec('pyomo.environ').origin\nimport pyomo.environ as pyo\n{BOTH}"
    run(code)


def test_a_failing_import_of_pyomo_keeps_its_own_error() -> None:
    code = "import sys, bilevel_lang\nsys.modules['pyomo.mpec.plugins'] = None\n"
    code += "try:\n    import pyomo.environ\nexcept ImportError as error:\n    print('pyomo.mpec' in str(error))"
    assert run(code).strip() == "True"


def test_waiting_twice_is_waiting_once() -> None:
    code = "import sys, bilevel_lang\nfrom bilevel_lang.interoperation import registration as r\nr.register_or_wait()\n"
    code += "print(sum(isinstance(f, r._Watcher) for f in sys.meta_path))"
    assert run(code).strip() == "1"


def test_a_pyomo_without_a_place_for_us_is_told_and_stays_usable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyomo.contrib.solver.common.factory", None)
    with pytest.warns(RuntimeWarning, match="cannot register `bilevel.kkt` and `bilevel` with this version of Pyomo"):
        registration.register()
