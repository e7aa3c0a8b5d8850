"""Loads the modeller's Python file. It is code and runs as code: see SECURITY.md."""

from __future__ import annotations

import sys
import traceback
import types
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bilevel_lang.errors import ModelFileError, UsageError

MAKERS = ("create_model", "pyomo_create_model")


def load_model(path: Path) -> Any:
    """Run ``path`` and return its Pyomo model: the object ``model``, else what ``create_model()`` or ``pyomo_create_model()`` returns.

    While it runs, its folder is importable for it, as when Python runs it; afterwards neither the folder nor what it imported
    from there stays importable, so that a ``grammar.py`` beside a model cannot shadow anything of ours.
    Raises UsageError for a missing file; ModelFileError with the user's own traceback where the file raises or holds no model.
    """
    path = Path(path)
    if not path.is_file():
        raise UsageError(f"no model file {path}", "give the path of a Python file that builds a Pyomo model")
    namespace = _run(path)
    model = namespace.get("model")
    if model is None:
        maker = next((namespace[name] for name in MAKERS if callable(namespace.get(name))), None)
        if maker is None:
            raise ModelFileError(f"{path} has no `model`", "assign the Pyomo model to `model`, or define `create_model()`")
        model = _call(maker, path)
    return _checked(model, path)


def _run(path: Path) -> dict[str, Any]:
    module = types.ModuleType("__bilevel_model__")
    module.__file__ = str(path)
    with _as_script(path, module):
        try:
            code = compile(path.read_bytes(), str(path), "exec")
            exec(code, module.__dict__)
        except SystemExit as error:
            raise ModelFileError(f"{path} called exit({error.code!r})", "guard it with `if __name__ == '__main__':`") from error
        except Exception as error:
            raise ModelFileError(_raised(path, error), "mend the model file; the traceback above is its own") from error
    return module.__dict__


def _call(maker: Any, path: Path) -> Any:
    with _as_script(path, None):
        try:
            return maker()
        except Exception as error:
            raise ModelFileError(_raised(path, error), f"mend `{maker.__name__}()`; the traceback above is its own") from error


@contextmanager
def _as_script(path: Path, module: types.ModuleType | None) -> Iterator[None]:
    folder = str(path.resolve().parent)
    before = set(sys.modules)
    sys.path.insert(0, folder)
    if module is not None:
        sys.modules[module.__name__] = module
    try:
        yield
    finally:
        sys.path.remove(folder)
        for name in set(sys.modules) - before:
            if _lies_in(sys.modules[name], folder):
                del sys.modules[name]
        sys.modules.pop("__bilevel_model__", None)


def _lies_in(module: Any, folder: str) -> bool:
    # Not everything in sys.modules is a module, and a module's __file__ may be None.
    file = getattr(module, "__file__", None)
    return isinstance(file, str) and str(Path(file).resolve().parent).startswith(folder)


def _raised(path: Path, error: BaseException) -> str:
    """The user's part of the traceback: our own frames, which come first, are left out."""
    frames = traceback.extract_tb(error.__traceback__)
    first = next((i for i, f in enumerate(frames) if Path(f.filename) == path), len(frames))
    shown = "".join(traceback.format_list(frames[first:]) + traceback.format_exception_only(type(error), error))
    return f"{path} raised\n{shown.rstrip()}"


def _checked(model: Any, path: Path) -> Any:
    if not hasattr(model, "component_data_objects"):
        raise ModelFileError(f"`model` of {path} is a {type(model).__name__}, not a Pyomo model", "assign a pyo.ConcreteModel()")
    if not model.is_constructed():
        raise ModelFileError(
            f"the model of {path} is an AbstractModel without data", "call `model.create_instance()`, or use a ConcreteModel"
        )
    return model
