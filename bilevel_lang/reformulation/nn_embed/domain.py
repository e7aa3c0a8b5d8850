"""Where the leader's decisions may lie: bounds of every input over the high-point relaxation, by LPs."""

from __future__ import annotations

import math

import numpy as np

from bilevel_lang.errors import RefusedError
from bilevel_lang.reformulation.value_function.integer.arrays import BilevelProgram
from bilevel_lang.solvers.matrix import Flags, Ints
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.solver import Termination
from bilevel_lang.solvers.warm_lp import WarmLp, warm_relaxation
from bilevel_lang.surrogate.bounds.input_set import InputSet, box

BUDGET = 10_000_000
"""Simplex iterations for all bounds together: no limit in practice."""

OUTWARDS = 1e-9
"""Relative: an LP's bound is moved by this, for it is right to its tolerance only."""


class NoPointError(Exception):
    """Not even the relaxation has a point (never leaves this package)."""


def seen_inputs(source: BilevelProgram) -> Ints:
    """The leader's columns that stand in a row of the follower."""
    program = source.relaxation
    rows = program.matrix[np.flatnonzero(source.follower_rows)]
    used = np.zeros(program.columns, dtype=bool)
    used[rows.indices] = True
    found: Ints = np.flatnonzero(used & ~source.follower)
    return found


def derived_domain(source: BilevelProgram, inputs: Ints, names: tuple[str, ...]) -> InputSet:
    """The box of the ``inputs`` over all rows of leader and follower, so that no decision that can be a solution is outside.

    Raises RefusedError that names an input without bounds, NoPointError where the rows contradict one another.
    """
    program = source.relaxation
    warm = warm_relaxation(program, BUDGET)
    lower, upper = np.zeros(len(inputs)), np.zeros(len(inputs))
    for k, j in enumerate(inputs.tolist()):
        lower[k] = -_largest(warm, j, -1.0, -float(program.lower[j]))
        upper[k] = _largest(warm, j, 1.0, float(program.upper[j]))
    integer: Flags = program.integer[inputs]
    lower = np.where(integer, np.ceil(lower - 1e-6), np.maximum(lower - _margin(lower), program.lower[inputs]))
    upper = np.where(integer, np.floor(upper + 1e-6), np.minimum(upper + _margin(upper), program.upper[inputs]))
    if (lower > upper).any():
        raise NoPointError
    found = box(lower, upper, integer, names)
    _require_bounded(found)
    return found


def _largest(warm: WarmLp, column: int, coefficient: float, known: float) -> float:
    """The largest value of ``coefficient`` times the column; ``known`` bounds it."""
    found = warm.largest(np.array([column]), np.array([coefficient]))
    if found.termination is Termination.INFEASIBLE:
        raise NoPointError
    return known if found.value is None else min(found.value, known)


def _margin(bounds: Floats) -> Floats:
    size = np.where(np.isfinite(bounds), np.abs(bounds), 0.0)
    margin: Floats = OUTWARDS * np.maximum(1.0, size)
    return margin


def _require_bounded(found: InputSet) -> None:
    for name, low, up in zip(found.names, found.lower.tolist(), found.upper.tolist(), strict=True):
        if not (math.isfinite(low) and math.isfinite(up)):
            side = "lower" if not math.isfinite(low) else "upper"
            raise RefusedError(
                f"nn-embed: `{name}` has no {side} bound, and none follows from the rows of leader and follower",
                f"give `{name}` bounds in the model: a follower can only be sampled in a finite box",
            )
