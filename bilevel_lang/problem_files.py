"""The two files that ``bilevel-solve`` is given: which is which, and the problem that they state."""

from __future__ import annotations

import contextlib
import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from bilevel_lang.errors import UsageError

if TYPE_CHECKING:
    from bilevel_lang.clock import Clock
    from bilevel_lang.problem import BilevelProblem

PAIR = (".mps", ".aux")
"""The two files of a mixed-integer linear bilevel problem."""

CORES, STOCHASTIC, TIMING = (".cor", ".core", ".mps"), (".sto", ".stoch"), (".tim", ".time")
"""The three files of a stochastic program in SMPS form; the last one may lie beside the first."""


NO_ANNOTATION = (".py", ".aux", *CORES, *STOCHASTIC, *TIMING)

LARGEST_ANNOTATION = 4_000_000
"""Bytes: the million characters that the language allows have no more."""

_TABLE = re.compile(r"""\bscenarios\s*('(?:[^'\n]|'')+'|"(?:[^"\n]|"")+")""", re.IGNORECASE)
"""The statement ``scenarios 'file.csv'``; the name with its quotes."""


def two_files(paths: list[str]) -> tuple[Path, Path]:
    """A model and its annotation, or an MPS file and its ``.aux`` file. Raises UsageError for anything else."""
    if len(paths) == 3 and any(_suffix(p) in TIMING for p in paths):
        paths = [p for p in paths if _suffix(p) not in TIMING]
    if len(paths) != 2:
        given = "nothing" if not paths else f"{len(paths)} file{'s' if len(paths) > 1 else ''}"
        beside = Path(paths[0]).with_suffix(".aux") if len(paths) == 1 and _suffix(paths[0]) == ".mps" else None
        mend = "model.py model.emp" if beside is None else f"{paths[0]} {beside}"
        raise UsageError(f"a model and an annotation are needed, {given} given", f"bilevel-solve {mend}")
    model, annotation = Path(paths[0]), Path(paths[1])
    if model.suffix.lower() == ".emp" and annotation.suffix.lower() == ".py":
        raise UsageError("the model comes first, the annotation second", f"bilevel-solve {annotation} {model}")
    _check_kinds(model, annotation)
    return model, annotation


def timing_file(paths: list[str]) -> Path | None:
    """The time file among the paths of a stochastic program in SMPS form; None where it is left to lie beside the core."""
    return next((Path(p) for p in paths if _suffix(p) in TIMING), None) if len(paths) == 3 else None


def further_inputs(paths: list[str]) -> tuple[Path, ...]:
    """What is read besides ``paths``: tables that an annotation names, a time file beside a core.

    Found in the text alone, so that it is known whatever else is wrong with the annotation; a name in a comment counts as well.
    """
    found = [Path(p).with_suffix(suffix) for p in paths if _suffix(p) in CORES for suffix in TIMING]
    for path in map(Path, paths):
        # A pipe can be read once, and is somebody else's to read.
        if _suffix(path) in NO_ANNOTATION or not path.is_file() or path.stat().st_size > LARGEST_ANNOTATION:
            continue
        try:
            text = path.read_bytes().decode("utf-8-sig")
        except (OSError, UnicodeDecodeError):
            continue  # who reads it for what it says will complain
        for quoted in _TABLE.findall(text):
            mark, name = quoted[0], quoted[1:-1]
            found.append(path.parent / name.replace(mark * 2, mark))
    return tuple(found)


def _suffix(path: str | Path) -> str:
    return Path(path).suffix.lower()


def _check_kinds(model: Path, annotation: Path) -> None:
    kinds = (model.suffix.lower(), annotation.suffix.lower())
    if kinds == (".aux", ".mps"):
        raise UsageError("the .mps file comes first, the .aux file second", f"bilevel-solve {annotation} {model}")
    if kinds[0] in STOCHASTIC and kinds[1] in CORES:
        raise UsageError("the core file comes first, the stochastic file second", f"bilevel-solve {annotation} {model}")
    if kinds[0] in CORES and kinds[1] in STOCHASTIC:
        return
    if kinds[1] in STOCHASTIC or kinds[0] in (".cor", ".core"):
        raise UsageError(f"{model} and {annotation} are no pair", "bilevel-solve core.cor scenarios.sto, with core.tim beside")
    if kinds[0] == ".mps" and kinds[1] != ".aux":
        raise UsageError(f"beside an .mps file goes an .aux file, not {annotation}", "docs/mps-files.md has what it says")
    if kinds[1] == ".aux" and kinds[0] != ".mps":
        raise UsageError(f"beside an .aux file goes an .mps file, not {model}", "docs/mps-files.md has what it says")
    if kinds[0] in (".lp", ".nl"):
        raise UsageError(f"{model}: models are Python files, or .mps with .aux", "build the model in Pyomo")


def problem_of(model: Path, annotation: Path, clock: Clock, *, strict: bool, timing: Path | None = None) -> BilevelProblem:
    """What the two files of :func:`two_files` state; ``clock`` gets the stages. With ``strict`` warnings are errors.

    A model file is run; what it prints goes to stderr. ``timing``: of SMPS files. Raises BilevelError.
    """
    if annotation.suffix.lower() in STOCHASTIC:
        return _of_scenarios(model, annotation, timing, clock, strict)
    if model.suffix.lower() == ".mps":
        return _of_data(model, annotation, clock, strict)
    return _of_program(model, annotation, clock, strict)


def _of_program(model_path: Path, annotation: Path, clock: Clock, strict: bool) -> BilevelProblem:
    from bilevel_lang import api
    from bilevel_lang.model_file import load_model

    info = api.load(annotation)
    clock.tick("parse")
    with contextlib.redirect_stdout(sys.stderr):
        model = load_model(model_path)
    clock.skip()
    problem = api.resolve(model, info, strict=strict)
    clock.tick("resolve")
    return problem


def _of_data(mps: Path, aux: Path, clock: Clock, strict: bool) -> BilevelProblem:
    from bilevel_lang import api
    from bilevel_lang.mps_files.exchange import read_pair

    found = read_pair(mps, aux, strict=strict)
    clock.tick("parse")
    problem = api.resolve(found.model, found.info, strict=strict)
    clock.tick("resolve")
    return replace(problem, notices=(*found.notices, *problem.notices))


def _of_scenarios(core: Path, stochastic: Path, timing: Path | None, clock: Clock, strict: bool) -> BilevelProblem:
    from bilevel_lang import api
    from bilevel_lang.smps_files.exchange import read_files

    found = read_files(core, stochastic, timing)
    clock.tick("parse")
    problem = api.resolve(found.model, found.info, strict=strict)
    clock.tick("resolve")
    return replace(problem, notices=(*found.notices, *problem.notices))
