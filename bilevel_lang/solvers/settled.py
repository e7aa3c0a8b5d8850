"""Answers that need no solver, and the small print all adapters share."""

from __future__ import annotations

import importlib
import importlib.metadata
import math
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from typing import Any

from pyomo.common.collections import ComponentMap

from bilevel_lang.errors import SolverMissingError
from bilevel_lang.solvers.program import INFINITY, Program
from bilevel_lang.solvers.solver import Missing, SolverRun, Termination


def settled(program: Program, solver: str) -> SolverRun | None:
    """The run of a model that needs no solver: contradictory on its face, or without variables. Otherwise None."""
    if program.contradiction:
        return SolverRun(Termination.INFEASIBLE, solver, message=program.contradiction)
    if program.variables:
        return None
    constant = program.cost.constant
    return SolverRun(
        Termination.OPTIMAL,
        solver,
        values=ComponentMap(),
        objective=constant,
        bound=constant,
        message="the model has no variables",
        duals=ComponentMap(),
        reduced_costs=ComponentMap(),
    )


def proven(bound: float) -> float | None:
    """``bound``, or None if it is no bound at all: NaN, infinite, or a solver's infinity."""
    return bound if math.isfinite(bound) and abs(bound) < INFINITY else None


def load_module(name: str, missing: Missing) -> Any:
    """Import ``name``. SolverMissingError with the reason and remedy of ``missing`` where it is not installed."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise SolverMissingError(f"{missing.reason} ({error})", help=missing.remedy) from error


def importable(name: str) -> bool:
    """Whether ``import name`` works, tried and not guessed: a wheel can be there and its library not load."""
    try:
        importlib.import_module(name)
    except ImportError:
        return False
    return True


@contextmanager
def log_to_stderr() -> Iterator[None]:
    """Send what solvers print through Python's stdout to stderr, where logs belong."""
    with redirect_stdout(sys.stderr):
        yield
