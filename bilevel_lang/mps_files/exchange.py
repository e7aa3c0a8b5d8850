"""Reading and writing the pair of files."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bilevel_lang.errors import Diagnostic, ResolutionError, UsageError
from bilevel_lang.files import write_text
from bilevel_lang.grammar.parser import parse
from bilevel_lang.grammar.syntax import EmpInfo
from bilevel_lang.mps_files.aux_reading import read_aux
from bilevel_lang.mps_files.instance import BilevelInstance, MpsInstance
from bilevel_lang.mps_files.mps_reading import read_mps
from bilevel_lang.mps_files.pairing import pair
from bilevel_lang.mps_files.pyomo_model import pyomo_model
from bilevel_lang.mps_files.writing import DIALECTS, aux_text, mps_text, rounded_ranges

_LATIN = re.compile(rb"\A\* ENCODING=ISO-8859-1\s")


@dataclass(frozen=True)
class FilePair:
    """What two files hold: the instance, the model and annotation made of it, and what is worth knowing."""

    instance: BilevelInstance
    model: Any
    info: EmpInfo
    notices: tuple[Diagnostic, ...]


def read_pair(mps: Path, aux: Path, *, strict: bool = False) -> FilePair:
    """Read both files. With ``strict`` warnings are errors.

    Raises UsageError (no such file, not text), MpsSyntaxError, RefusedError, ResolutionError with all mistakes of a file.
    """
    program, remarks = read_mps(_text(mps), str(mps))
    follower, complaints = read_aux(_text(aux), str(aux))
    instance = pair(program, follower, complaints, mps_name=str(mps))
    notices = (*remarks, *complaints.notices)
    doubts = [d for d in notices if d.severity == "warning"]
    if strict and doubts:
        raise ResolutionError(doubts)
    model, annotation = pyomo_model(instance)
    return FilePair(instance, model, parse(annotation, f"<annotation of {aux}>"), notices)


def read_mps_aux(mps: str | Path, aux: str | Path | None = None) -> tuple[Any, EmpInfo]:
    """The mixed-integer linear bilevel problem of an MPS file and its ``.aux`` file, as a Pyomo model and its annotation.

    Without ``aux``: the file of the same name beside ``mps``. In the model ``x`` are the leader's variables, ``y`` those of the
    follower, ``upper`` and ``lower`` the rows of each, indexed by the names of the file; ``upper_objective`` is active,
    ``lower_objective`` is not. Both dialects of ``.aux`` are read (docs/mps-files.md; source: MibS, "Input File Format"). What is
    doubtful, such as another file name after ``@MPS``, is told by ``warnings.warn``.

    Raises UsageError for files that cannot be opened, MpsSyntaxError, RefusedError and ResolutionError with all mistakes.
    """
    mps = Path(mps)
    found = read_pair(mps, mps.with_suffix(".aux") if aux is None else Path(aux))
    for notice in found.notices:
        if notice.severity == "warning":
            warnings.warn(notice.render(), stacklevel=2)
    return found.model, found.info


def write_pair(instance: BilevelInstance, mps: Path, aux: Path, dialect: str = "named") -> tuple[str, ...]:
    """Write both files, each atomically; returns what is worth knowing about them. Raises UsageError."""
    texts = mps_text(instance.mps), aux_text(instance, dialect, mps.name)
    write_text(mps, texts[0])
    write_text(aux, texts[1])
    return tuple(_doubts(instance.mps))


def _doubts(written: MpsInstance) -> Iterator[str]:
    if written.sense < 0:
        yield "it holds OBJSENSE MAX, which MibS does not read"
    rounded = rounded_ranges(written)
    if rounded:
        others = f" and of {len(rounded) - 1} more" if len(rounded) > 1 else ""
        yield f"one side of the range `{rounded[0]}`{others} is off in its last digit, as a file has a side and the distance only"


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error
    if _LATIN.match(content):
        return content.decode("latin-1")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UsageError(f"{path}:{line}: this is not UTF-8 text (byte {error.start} of the file)", "save it as UTF-8") from error


__all__ = ["DIALECTS", "FilePair", "read_mps_aux", "read_pair", "write_pair"]
