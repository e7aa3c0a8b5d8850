"""Reading SMPS: three files become a Pyomo model of one scenario and its annotation."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bilevel_lang.errors import Diagnostic, UsageError
from bilevel_lang.files import read_text
from bilevel_lang.grammar.syntax import EmpInfo
from bilevel_lang.mps_files.mps_reading import read_mps
from bilevel_lang.smps_files.entries import Core
from bilevel_lang.smps_files.pyomo_model import annotation, scenario_model
from bilevel_lang.smps_files.stochastic_sections import read_stochastic
from bilevel_lang.smps_files.timing import read_timing

CORES = (".cor", ".core", ".mps")


@dataclass(frozen=True)
class SmpsProblem:
    """The model, the annotation made for it, and what is worth knowing about the files."""

    model: Any
    info: EmpInfo
    notices: tuple[Diagnostic, ...]


def read_files(core: Path, stochastic: Path, timing: Path | None = None) -> SmpsProblem:
    """Read the files; ``timing`` None: the ``.tim`` file beside the core.

    Raises UsageError (no such file, not text), MpsSyntaxError, RefusedError with all mistakes of a file.
    """
    instance, notices = read_mps(read_text(core), str(core))
    timing = _beside(core) if timing is None else timing
    stages = read_timing(read_text(timing), str(timing), instance)
    found = Core(instance)
    data = read_stochastic(read_text(stochastic), str(stochastic), found, stages)
    model = scenario_model(found, stages, data)
    return SmpsProblem(model, annotation(data, f"<annotation of {stochastic}>"), notices)


def read_smps(core: str | Path, stochastic: str | Path | None = None, timing: str | Path | None = None) -> tuple[Any, EmpInfo]:
    """The two-stage stochastic program of an SMPS core file, its ``.sto`` and its ``.tim`` file, as a Pyomo model and its
    annotation.

    Without ``stochastic`` or ``timing``: the files of the same name beside the core. In the model ``x`` and ``y`` are the
    columns of the two stages, ``first`` and ``second`` their rows, indexed by the names of the core, and ``data`` what is
    random, by column (or ``RHS``) and row. docs/smps-files.md has what is read.

    Raises UsageError for files that cannot be opened, MpsSyntaxError and RefusedError with all mistakes.
    """
    core = Path(core)
    given = core.with_suffix(".sto") if stochastic is None else Path(stochastic)
    found = read_files(core, given, None if timing is None else Path(timing))
    return found.model, found.info


def _beside(core: Path) -> Path:
    found = next((core.with_suffix(s) for s in (".tim", ".TIM", ".time") if core.with_suffix(s).exists()), None)
    if found is None:
        raise UsageError(
            f"there is no {core.with_suffix('.tim')}", "the time file says where the second stage begins: name it as well"
        )
    return found


__all__ = ["CORES", "SmpsProblem", "read_files", "read_smps"]
