"""Reading texts; writing files: atomically, in the destination's own folder, and the rewritten model by suffix."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import pyomo.environ as pyo
from pyomo.common.modeling import unique_component_name

from bilevel_lang.errors import RefusedError, UsageError

FORMATS = (".lp", ".mps", ".nl", ".gms")


def read_text(path: Path, what: str = "") -> str:
    """UTF-8, with or without a mark at its beginning. Raises UsageError; ``what`` is said before the file's name."""
    try:
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise UsageError(f"cannot read {what}{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8 text (byte {error.start})", "save it as UTF-8") from error


def write_text(path: Path, text: str) -> None:
    """Write ``text`` so that ``path`` holds either the old or the new content, never a part. Raises UsageError.

    What exists and is no ordinary file (``/dev/null``, a pipe) is written to and not replaced.
    """
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path, content: bytes) -> None:
    """:func:`write_text` for what is not text."""
    path = path.resolve()
    if path.exists() and not path.is_file():
        _write_into(path, content)
        return
    mode = path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~_umask()
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(content)
            os.chmod(temporary, mode)
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from error


def require_writable(path: Path) -> None:
    """Raises UsageError where a file of that name cannot be written: to be asked before the work that it shall keep."""
    path = path.resolve()
    if path.is_dir():
        raise UsageError(f"cannot write {path}: it is a folder", "give the name of a file")
    if path.exists() and not path.is_file():
        return
    if not path.parent.is_dir():
        raise UsageError(f"cannot write {path}: there is no folder {path.parent}", "make the folder, or give another file name")
    try:
        # What access rights say is not enough: nobody writes into /proc, or onto a disk that is full of files.
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        said = f"cannot write {path}: no file can be made in {path.parent} ({error.strerror})"
        raise UsageError(said, "give another file name") from error
    os.close(handle)
    os.unlink(temporary)


def require_folder(path: Path) -> None:
    """Make the folder where it is missing. Raises UsageError where there can be none, or nothing can be written into it."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"{path} cannot be a folder: {error.strerror}", "give the name of a folder, which need not exist"
        ) from error
    if not os.access(path, os.W_OK | os.X_OK):
        raise UsageError(f"you may not write into {path}", "give another folder")


def _write_into(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from error


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def encoding_for(path: Path) -> str | None:
    """The encoding a format needs where the user names none: GAMS files know no SOS1 sets. None: the engine's own choice."""
    return "scholtes" if path.suffix.lower() == ".gms" else None


def write_model(model: Any, path: Path) -> None:
    """Write a rewritten model in the format of the suffix, with the model's own names. Raises UsageError, RefusedError."""
    suffix = path.suffix.lower()
    if suffix not in FORMATS:
        raise UsageError(f"{path}: no format for `{suffix}`", "use one of " + ", ".join(FORMATS))
    if next(model.component_data_objects(pyo.Objective, active=True), None) is None:
        # No format can do without an objective.
        model.add_component(unique_component_name(model, "no_objective"), pyo.Objective(expr=0.0))
    with tempfile.TemporaryDirectory() as folder:
        draft = Path(folder) / f"model{suffix}"
        try:
            model.write(str(draft), io_options={"symbolic_solver_labels": True})
        except (ValueError, RuntimeError, NotImplementedError, TypeError) as error:
            help = (
                "linear and quadratic models go to .lp and .mps, SOS1 sets to .lp, .mps and .nl; nonlinear ones to .nl and .gms"
            )
            raise RefusedError(f"{path}: this model cannot be written as {suffix}: {error}", help) from error
        write_text(path, draft.read_text(encoding="utf-8"))
