"""Cuts of a relaxed second stage in which sides of rows alone are random: one scenario's multipliers are every scenario's.

    V_s(x) >= sum_i min(pi_i (l_s - T x)_i, pi_i (u_s - T x)_i) + sum_j min(r_j lower_j, r_j upper_j),    r = q - W'pi

for any multipliers pi, by weak duality (Birge and Louveaux 2011, section 5.1). Where W, T, q and the bounds are the same in all
scenarios, so is all of it but the sides: a vector that a solver found in one scenario bounds the costs of all others, at all
decisions, by a product. The bounds are computed from the multipliers alone, whatever the solver says its objective is.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp

from bilevel_lang.errors import SolverFailedError
from bilevel_lang.reformulation.stochastic.arrays import TwoStageArrays
from bilevel_lang.reformulation.stochastic.stage_variants import without_limit
from bilevel_lang.solvers.hot_variants import VariantSolver
from bilevel_lang.solvers.matrix import Flags, Ints, MatrixProgram
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.solver import SolverOptions, Termination
from bilevel_lang.solvers.variants import Variants

MAY_VARY = {"row_lower", "row_upper", "constant", "first_cost"}

TOGETHER = 500_000
"""Columns and rows of the LPs that are solved between two looks at the clock."""

ROUNDING = 1e-7
"""A reduced cost of so little, relative to the largest cost, does not draw a column to a bound that it lacks: a solver's
multipliers are no better than that."""


@dataclass(frozen=True, eq=False)
class SideCuts:
    """p cuts ``slopes`` (p, n1) x + ``low`` (p, r) l_s + ``up`` (p, r) u_s + ``constants`` (p,), of all scenarios."""

    slopes: Floats
    low: Floats
    up: Floats
    constants: Floats

    def some(self, chosen: Ints | Flags | slice) -> SideCuts:
        """Those that are ``chosen``."""
        return SideCuts(self.slopes[chosen], self.low[chosen], self.up[chosen], self.constants[chosen])

    def distinct(self) -> SideCuts:
        """Each once, in the order in which they are first met."""
        every = np.round(np.hstack([self.slopes, self.low, self.up, self.constants[:, None]]), 9)
        _, first = np.unique(every, axis=0, return_index=True)
        return self.some(np.sort(first))


def joined(cuts: list[SideCuts]) -> SideCuts:
    """All of them, at least one."""
    return SideCuts(
        np.vstack([c.slopes for c in cuts]),
        np.vstack([c.low for c in cuts]),
        np.vstack([c.up for c in cuts]),
        np.concatenate([c.constants for c in cuts]),
    )


def sides_alone(arrays: TwoStageArrays) -> bool:
    """Whether nothing of the second stage is random but finite sides of rows, and constants."""
    if not set(arrays.varying) <= MAY_VARY or not len(arrays.lower):
        return False
    ends = [np.isfinite(v.values) for name in ("row_lower", "row_upper") if (v := arrays.varying.get(name)) is not None]
    return all(bool((finite == finite[:1]).all()) for finite in ends)


@dataclass(frozen=True, eq=False)
class Relaxed:
    """Of some scenarios at one decision: whether each has an answer ``possible`` (c,), and the ``cuts`` of those that have."""

    possible: Flags
    cuts: SideCuts


class SideStage:
    """The relaxed second stage of ``arrays``, of which :func:`sides_alone` holds. ``solves`` counts."""

    def __init__(self, arrays: TwoStageArrays) -> None:
        self.arrays, self.solves = arrays, 0
        self._matrix = sp.csr_matrix(arrays.recourse)
        self._cost: Floats = arrays.sense * arrays.cost
        self._constants: Floats = arrays.sense * arrays.everywhere("constant")[:, 0]
        moving = np.zeros(len(arrays.row_lower), dtype=bool)
        for name in ("row_lower", "row_upper"):
            if (found := arrays.varying.get(name)) is not None:
                moving[found.places] = True
        self._random = np.flatnonzero(moving)
        self._fixed = np.flatnonzero(~moving)
        met = np.diff(sp.csr_matrix(arrays.technology).indptr) > 0
        self._rows: Any = np.flatnonzero(moving | met).astype(np.int32)  # places as HiGHS counts them
        self._low, self._up = arrays.everywhere("row_lower"), arrays.everywhere("row_upper")
        whole = np.zeros(len(arrays.lower), dtype=bool)
        base = MatrixProgram(arrays.lower, arrays.upper, whole, self._cost, self._matrix, self._low[0], self._up[0])
        self._solver = VariantSolver(base, SolverOptions())

    def offsets(self, cuts: SideCuts, chosen: Ints) -> Floats:
        """(p, c): what each of the ``cuts`` has beside its slope in the scenarios ``chosen`` (c,)."""
        low, up = self._sides(chosen)
        return np.asarray(cuts.low @ low.T + cuts.up @ up.T + cuts.constants[:, None] + self._constants[chosen])

    def own_offsets(self, cuts: SideCuts, chosen: Ints) -> Floats:
        """(p,): the same of each cut in one scenario of ``chosen`` (p,)."""
        low, up = self._sides(chosen)
        return np.asarray((cuts.low * low + cuts.up * up).sum(axis=1) + cuts.constants + self._constants[chosen])

    def at(self, point: Floats, chosen: Ints, deadline: float | None) -> Relaxed | None:
        """The scenarios ``chosen`` (c,) at ``point`` (n1,); None where the deadline passes before.

        Raises RefusedError for a second stage without limit, SolverFailedError where HiGHS gives up.
        """
        width = max(1, TOGETHER // sum(self._matrix.shape))
        parts = []
        for begin in range(0, len(chosen), width):
            if deadline is not None and time.perf_counter() >= deadline:
                return None
            parts.append(self._solved(point, chosen[begin : begin + width]))
        return Relaxed(np.concatenate([p.possible for p in parts]), joined([p.cuts for p in parts]))

    def _sides(self, chosen: Ints) -> tuple[Floats, Floats]:
        """Those that are random (c, r); an infinite one has no multiplier, and zero times infinity is nothing here."""
        low, up = self._low[chosen][:, self._random], self._up[chosen][:, self._random]
        return np.where(np.isfinite(low), low, 0.0), np.where(np.isfinite(up), up, 0.0)

    def _solved(self, point: Floats, chosen: Ints) -> Relaxed:
        shift = np.asarray(self.arrays.technology @ point)[self._rows]
        low, up = self._low[chosen][:, self._rows] - shift, self._up[chosen][:, self._rows] - shift
        answers = self._solver.solve(Variants(len(chosen), rows=self._rows, row_lower=low, row_upper=up))
        self.solves += len(chosen)
        possible = np.array([t is Termination.OPTIMAL for t in answers.terminations], dtype=bool)
        for at in np.flatnonzero(~possible).tolist():
            ended = answers.terminations[at]
            if ended is Termination.UNBOUNDED:
                raise without_limit(int(chosen[at]))
            if ended not in (Termination.INFEASIBLE, Termination.INFEASIBLE_OR_UNBOUNDED):
                said = f"HiGHS could not solve the second stage in scenario {int(chosen[at]) + 1}: {ended.value}"
                raise SolverFailedError(said, help="rescale the model")
        assert answers.row_duals is not None
        return Relaxed(possible, self._cuts(answers.row_duals[possible]))

    def _cuts(self, duals: Floats) -> SideCuts:
        """What ``duals`` (p, m2) prove."""
        low, up = np.maximum(duals, 0.0), np.minimum(duals, 0.0)
        low, up = low * np.isfinite(self._low[0]), up * np.isfinite(self._up[0])
        duals = low + up
        reduced = self._cost - np.asarray((self._matrix.T @ duals.T).T)
        end = np.where(reduced > 0, self.arrays.lower, self.arrays.upper)
        small = np.abs(reduced) <= ROUNDING * max(1.0, float(np.abs(self._cost).max(initial=0.0)))
        end = np.where((reduced == 0) | (small & ~np.isfinite(end)), 0.0, end)
        sides = (np.where(np.isfinite(side[0]), side[0], 0.0)[self._fixed] for side in (self._low, self._up))
        paid = sum(part[:, self._fixed] @ side for part, side in zip((low, up), sides, strict=True))
        constants = (reduced * end).sum(axis=1) + paid
        slopes = -np.asarray((self.arrays.technology.T @ duals.T).T)
        return SideCuts(slopes, low[:, self._random], up[:, self._random], constants)
