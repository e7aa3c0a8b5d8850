"""The two files that ``bilevel-solve`` is given: which is which, and the problem that they state."""

from __future__ import annotations

import contextlib
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from bilevel_lang.errors import UsageError

if TYPE_CHECKING:
    from bilevel_lang.assembly import Clock
    from bilevel_lang.problem import BilevelProblem

PAIR = (".mps", ".aux")
"""The two files of a mixed-integer linear bilevel problem."""


def two_files(paths: list[str]) -> tuple[Path, Path]:
    """A model and its annotation, or an MPS file and its ``.aux`` file. Raises UsageError for anything else."""
    if len(paths) != 2:
        given = "nothing" if not paths else f"{len(paths)} file{'s' if len(paths) > 1 else ''}"
        raise UsageError(f"a model and an annotation are needed, {given} given", "bilevel-solve model.py model.emp")
    model, annotation = Path(paths[0]), Path(paths[1])
    if model.suffix.lower() == ".emp" and annotation.suffix.lower() == ".py":
        raise UsageError("the model comes first, the annotation second", f"bilevel-solve {annotation} {model}")
    _check_kinds(model, annotation)
    return model, annotation


def _check_kinds(model: Path, annotation: Path) -> None:
    kinds = (model.suffix.lower(), annotation.suffix.lower())
    if kinds == (".aux", ".mps"):
        raise UsageError("the .mps file comes first, the .aux file second", f"bilevel-solve {annotation} {model}")
    if kinds[0] == ".mps" and kinds[1] != ".aux":
        raise UsageError(f"beside an .mps file goes an .aux file, not {annotation}", "docs/mps-files.md has what it says")
    if kinds[1] == ".aux" and kinds[0] != ".mps":
        raise UsageError(f"beside an .aux file goes an .mps file, not {model}", "docs/mps-files.md has what it says")
    if kinds[0] in (".cor", ".lp", ".nl"):
        raise UsageError(f"{model}: models are Python files, or .mps with .aux", "build the model in Pyomo")


def problem_of(model: Path, annotation: Path, clock: Clock, *, strict: bool) -> BilevelProblem:
    """What the two files of :func:`two_files` state; ``clock`` gets the stages. With ``strict`` warnings are errors.

    A model file is run; what it prints goes to stderr. Raises BilevelError.
    """
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
