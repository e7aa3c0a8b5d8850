"""Proven bounds for both sides of every pair of an MPEC, from the cheapest proof to the dearest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from bilevel_lang.reformulation.linear.bounds.box import Box
from bilevel_lang.reformulation.linear.bounds.lps import ITERATIONS, bound_by_lps
from bilevel_lang.reformulation.linear.bounds.propagation import propagate
from bilevel_lang.reformulation.linear.bounds.vertices import bound_basic_multipliers
from bilevel_lang.reformulation.linear.mpec import LinearMpec
from bilevel_lang.solvers.matrix import Ints
from bilevel_lang.solvers.program import Floats

TIGHT_ENOUGH = 1e3
"""Bounds below this are not worth an LP."""

NOTHING = 1e-8
"""A bound below this is 0: solvers cannot tell the two apart, and a pair with a side of 0 needs no binary."""

ROUNDS = 3
"""LPs may bound what propagation and vertices need, and the other way round; more than three rounds have not brought more."""

WIDTH = 1e-6
"""Opposite sides that are at least this far apart (relative to max(1, |level|)) are never both tight."""


@dataclass(frozen=True, eq=False)
class DerivedBounds:
    """Upper bounds of every column (n,), infinite where none is proven, and where they come from.

    They hold for at least one choice of multipliers at every point of the MPEC. ``empty``: there is no point at all.
    ``unasked``: how many sides no LP was left for.
    """

    upper: Floats
    origin: tuple[str, ...]
    empty: bool
    unasked: int


def derive_bounds(mpec: LinearMpec, iterations: int = ITERATIONS) -> DerivedBounds:
    """Own bounds, propagation, basic multipliers, LPs; ``iterations`` is the budget of the LPs of each round."""
    box = Box(mpec.program.lower, mpec.program.upper)
    opposite = _opposite(mpec)
    sides = np.concatenate([mpec.left, mpec.right])
    unasked = 0
    for _ in range(ROUNDS):
        _cheaply(mpec, box, opposite)
        wanted = _worst_first(mpec, box)
        if box.empty or not wanted:
            break
        outcome = bound_by_lps(mpec, box, wanted, opposite, iterations)
        unasked = outcome.left
        if not outcome.moved or box.empty:
            break
        if np.isfinite(box.upper[sides]).all():
            _cheaply(mpec, box, opposite)
            break
    upper = box.upper.copy()
    upper[sides] = np.where(upper[sides] < NOTHING, 0.0, upper[sides])
    return DerivedBounds(upper, tuple(box.origin), box.empty, unasked)


def _cheaply(mpec: LinearMpec, box: Box, opposite: dict[int, int]) -> None:
    """Propagation and basic multipliers in turn."""
    program = mpec.program
    pairs = (mpec.left, mpec.right)
    merged = _Merged(program.matrix, opposite)
    for _ in range(ROUNDS):
        propagate(box, program.matrix, program.row_lower, program.row_upper, pairs)
        if not box.empty:
            merged.propagate(box, program.row_lower, program.row_upper)
        moved = [bound_basic_multipliers(agent, program, box) for agent in mpec.agents if not box.empty]
        if not any(moved):
            return


def _worst_first(mpec: LinearMpec, box: Box) -> list[int]:
    """The sides that want an LP: those without a bound first, then the largest."""
    sides = np.unique(np.concatenate([mpec.left, mpec.right]))
    loose = sides[box.upper[sides] > TIGHT_ENOUGH]
    return [int(j) for j in loose[np.argsort(-box.upper[loose], kind="stable")]]


def _opposite(mpec: LinearMpec) -> dict[int, int]:
    """Multiplier -> multiplier of the other side of the same variable or range, where the two sides are apart."""
    found: dict[int, int] = {}
    first: dict[tuple[int, int], tuple[int, float]] = {}
    for agent in mpec.agents:
        for pair, level in zip(agent.pairs.tolist(), agent.side_levels.tolist(), strict=True):
            side, column = mpec.labels[pair], int(mpec.right[pair])
            key = (side.agent, id(side.row if side.row is not None else side.variable))
            if side.word == "lower":
                first[key] = (column, level)
            elif side.word == "upper" and key in first:
                other, lowest = first[key]
                # The levels are those of ``body >= lower`` and ``-body >= -upper``.
                if -level - lowest > WIDTH * max(1.0, abs(level)):
                    found[column], found[other] = other, column
    return found


class _Merged:
    """The rows with opposite multipliers as one free column each: their difference, which propagation can bound.

    At a solution one of the two is 0, so that lower = max(0, difference) and upper = max(0, -difference).
    """

    def __init__(self, matrix: sp.csr_matrix, opposite: dict[int, int]) -> None:
        by_column = sp.csc_matrix(matrix)
        pairs = [(a, b) for a, b in sorted(opposite.items()) if a < b and _opposed(by_column, a, b)]
        both: Ints = np.array(pairs, dtype=np.int64).reshape(-1, 2)
        self.first, self.second = both[:, 0], both[:, 1]
        keep = np.ones(by_column.shape[1])
        keep[self.second] = 0.0
        self.matrix = sp.csr_matrix(by_column @ sp.diags(keep))

    def propagate(self, box: Box, row_lower: Floats, row_upper: Floats) -> None:
        if not self.first.size:
            return
        lower = box.lower.copy()
        lower[self.first] = -box.upper[self.second]
        other = Box(lower, box.upper)
        none = np.zeros(0, dtype=np.int64)
        propagate(other, self.matrix, row_lower, row_upper, (none, none))
        box.empty = box.empty or other.empty
        free = np.ones(len(lower), dtype=bool)
        free[self.first] = free[self.second] = False
        every = np.flatnonzero(free)
        origin = "derived by bound propagation"
        box.tighten(every, other.lower[every], other.upper[every], origin)
        nothing = np.full(len(self.first), -np.inf)
        box.tighten(self.first, nothing, np.maximum(0.0, other.upper[self.first]), origin)
        box.tighten(self.second, nothing, np.maximum(0.0, -other.lower[self.first]), origin)


def _opposed(matrix: sp.csc_matrix, a: int, b: int) -> bool:
    """Whether column b is minus column a: they stand nowhere but in a difference."""
    one, two = (slice(matrix.indptr[j], matrix.indptr[j + 1]) for j in (a, b))
    same = np.array_equal(matrix.indices[one], matrix.indices[two])
    return same and np.array_equal(matrix.data[one], -matrix.data[two])
