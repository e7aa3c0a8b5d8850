"""Loads the modeller's Python file. It is code and runs as code: see SECURITY.md."""

from __future__ import annotations

import importlib
import sys
import traceback
import types
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bilevel_lang.errors import ModelFileError, UsageError

MAKERS = ("create_model", "pyomo_create_model")
# Imported before a model's folder is: a numpy.py beside the model would otherwise be taken for numpy, by pyomo too.
IMPORTED_FIRST = ("numpy", "pyomo.environ")
MODULE = "__bilevel_model__"


def load_model(path: Path) -> Any:
    """Run ``path``; return its Pyomo model, its ``model`` or what its ``create_model()`` (``pyomo_create_model()``) returns.

    While it runs, its folder is importable for it, as when Python runs it; afterwards neither the folder nor what it imported
    from there stays importable, so that a ``grammar.py`` beside a model cannot shadow anything of ours.
    Raises UsageError for a missing file; ModelFileError with the user's own traceback where the file raises or holds no model.
    """
    path = Path(path)
    if not path.is_file():
        raise UsageError(f"no model file {path}", "give the path of a Python file that builds a Pyomo model")
    for name in IMPORTED_FIRST:
        importlib.import_module(name)
    module = types.ModuleType(MODULE)
    module.__file__ = str(path)
    with _as_script(path, module):
        _run(path, module)
        model = module.__dict__.get("model")
        if model is not None:
            return check_model(model, f"`model` of {path}")
        maker = next((module.__dict__[name] for name in MAKERS if callable(module.__dict__.get(name))), None)
        if maker is None:
            raise ModelFileError(f"{path} has no `model`", _mend_for_none(module))
        return check_model(_call(maker, path), f"what `{maker.__name__}()` of {path} returns")


def _run(path: Path, module: types.ModuleType) -> None:
    with _blaming(path, "mend the model file; the traceback above is its own"):
        code = compile(path.read_bytes(), str(path), "exec", dont_inherit=True)
        exec(code, module.__dict__)


def _call(maker: Any, path: Path) -> Any:
    with _blaming(path, f"mend `{maker.__name__}()`; the traceback above is its own"):
        return maker()


@contextmanager
def _blaming(path: Path, mend: str) -> Iterator[None]:
    """Whatever the user's code raises becomes a ModelFileError; Ctrl-C stays Ctrl-C."""
    try:
        yield
    except SystemExit as error:
        help = "build the model without calling exit; what only a script does belongs under `if __name__ == '__main__':`"
        raise ModelFileError(f"{path} called exit({error.code!r})", help) from error
    except Exception as error:
        raise ModelFileError(f"{path} raised\n{_own_traceback(path, error)}", mend) from error


@contextmanager
def _as_script(path: Path, module: types.ModuleType) -> Iterator[None]:
    """The folder of ``path`` first on the import path, and nothing left of that afterwards."""
    folder = path.resolve().parent
    known = set(sys.modules)
    sys.path.insert(0, str(folder))
    sys.modules[MODULE] = module
    try:
        yield
    finally:
        # The user's code may have taken the folder off, or put it on again.
        if str(folder) in sys.path:
            sys.path.remove(str(folder))
        sys.modules.pop(MODULE, None)
        for name in set(sys.modules) - known:
            top = name.partition(".")[0]
            # A package that was there before, such as one installed below this very folder, keeps its new submodules.
            if top not in known and _lies_beside(sys.modules.get(top), folder):
                del sys.modules[name]


def _lies_beside(module: Any, folder: Path) -> bool:
    """Whether a top-level module is ``folder/name.py`` or the package ``folder/name/``."""
    # Not everything in sys.modules is a module, and a namespace package has no __file__.
    file = getattr(module, "__file__", None)
    if isinstance(file, str):
        found = Path(file).resolve()
        return folder in (found.parent, found.parent.parent if found.stem == "__init__" else None)
    return any(Path(p).resolve().parent == folder for p in getattr(module, "__path__", ()))


def _own_traceback(path: Path, error: BaseException) -> str:
    """The user's part of the traceback: our own frames, which come first, are left out."""
    frames = traceback.extract_tb(error.__traceback__)
    first = next((i for i, f in enumerate(frames) if Path(f.filename) == path), len(frames))
    shown = traceback.format_list(frames[first:]) + traceback.format_exception_only(type(error), error)
    return "".join(shown).rstrip()


def _mend_for_none(module: types.ModuleType) -> str:
    names = [
        name
        for name, value in module.__dict__.items()
        if hasattr(value, "component_data_objects") and not isinstance(value, type)
    ]
    if len(names) == 1:
        return f"it has `{names[0]}`: add the line `model = {names[0]}`"
    return (
        "assign the Pyomo model to `model`, or define `create_model()`; what is under `if __name__ == '__main__':` does not run"
    )


def check_model(model: Any, what: str) -> Any:
    """``model`` itself. Raises ModelFileError, in which ``what`` names it, for what is no Pyomo model with its data."""
    if isinstance(model, type) or not hasattr(model, "component_data_objects"):
        kind = f"the class {model.__name__}" if isinstance(model, type) else f"of type {type(model).__name__}"
        mend = "call it: `model = pyo.ConcreteModel()`" if isinstance(model, type) else "make it a `pyo.ConcreteModel()`"
        raise ModelFileError(f"{what} is {kind}, not a Pyomo model", mend)
    if not model.is_constructed():
        raise ModelFileError(
            f"{what} is an AbstractModel without data", "call `model.create_instance()` on it, or build a ConcreteModel"
        )
    return model
