"""A second stage with few whole answers: all listed once, the best feasible one looked up for every decision and scenario.

Exact, and a thousand times quicker than a branch and bound where there are some dozens of answers, in each of its parts.
"""

from __future__ import annotations

import numpy as np

from bilevel_lang.reformulation.stochastic.answer_parts import FEASIBILITY, Part
from bilevel_lang.reformulation.stochastic.arrays import TwoStageArrays
from bilevel_lang.solvers.matrix import Ints
from bilevel_lang.solvers.program import Floats

ROUNDING = 1e-11
"""How far a row may be missed, relative, where a decision is evaluated: as much as sums are off. Of 2.3 y <= x at x = 2.3 - 1e-9
a solver says that y = 1 is too much."""

_CHUNK = 100_000
"""Pairs of a decision and a scenario that are looked up together."""


class ListedStage:
    """Looks up the answers of ``parts``, as :func:`~.answer_parts.listed_answers` gives them."""

    def __init__(self, arrays: TwoStageArrays, parts: tuple[Part, ...]) -> None:
        self.arrays, self.parts = arrays, parts
        self._tables = [_Table(arrays, part) for part in parts]
        self._sides = arrays.everywhere("row_lower"), arrays.everywhere("row_upper")

    @property
    def numbers(self) -> int:
        """That are compared for one decision in one scenario."""
        return sum(part.answers.size for part in self.parts)

    def values(self, points: Floats) -> Floats:
        """(k, S): what every scenario costs at ``points`` (k, n1), as a minimisation without constants; +inf: no answer."""
        shift = np.asarray((self.arrays.technology @ points.T).T)
        return self._values(shift, shift, ROUNDING)

    def least(self, lower: Floats, upper: Floats) -> Floats:
        """(k, S): a bound from below of :meth:`values` over the boxes of decisions from ``lower`` to ``upper`` (k, n1)."""
        return self._values(*self._shifts(lower, upper), FEASIBILITY)

    def responses(self, point: Floats) -> Floats:
        """(S, n2): the best answer of every scenario at ``point`` (n1,); NaN where there is none."""
        shift = np.asarray(self.arrays.technology @ point)[None, :]
        return self._responses(shift, shift, ROUNDING)

    def loosest_responses(self, lower: Floats, upper: Floats) -> Floats:
        """(S, n2): the answers of :meth:`least` over the box from ``lower`` to ``upper`` (n1,)."""
        return self._responses(*self._shifts(lower[None], upper[None]), FEASIBILITY)

    def _shifts(self, lower: Floats, upper: Floats) -> tuple[Floats, Floats]:
        """The least and the most (k, m2) that decisions from ``lower`` to ``upper`` (k, n1) put into rows."""
        plus, minus = self.arrays.technology.maximum(0), self.arrays.technology.minimum(0)
        low, up = plus @ lower.T + minus @ upper.T, plus @ upper.T + minus @ lower.T
        return np.asarray(low.T), np.asarray(up.T)

    def _responses(self, least: Floats, most: Floats, tolerance: float) -> Floats:
        """To shifts T x of the rows between ``least`` and ``most`` (1, m2)."""
        found = np.full((self.arrays.scenarios, len(self.arrays.lower)), np.nan)
        fine = np.ones(self.arrays.scenarios, dtype=bool)
        for part, table in zip(self.parts, self._tables, strict=True):
            which = table.first(*self._left(part, least, most, tolerance))[0][0]
            fine &= which >= 0
            found[:, part.columns] = part.answers[which] if len(part.answers) else np.nan
        found[~fine] = np.nan
        return found

    def _values(self, least: Floats, most: Floats, tolerance: float) -> Floats:
        """Of shifts T x of the rows that are anywhere between ``least`` and ``most`` (k, m2)."""
        found = np.zeros((len(least), self.arrays.scenarios))
        together = max(1, _CHUNK // self.arrays.scenarios)
        for begin in range(0, len(least), together):
            some = slice(begin, begin + together)
            for part, table in zip(self.parts, self._tables, strict=True):
                found[some] += table.first(*self._left(part, least[some], most[some], tolerance))[1]
        return found

    def _left(self, part: Part, least: Floats, most: Floats, tolerance: float) -> tuple[Floats, Floats]:
        """Of the sides of the part's rows, with the tolerance (rows, k, S): what a shift somewhere in between leaves."""
        low = self._sides[0].T[part.rows][:, None, :] - most.T[part.rows][:, :, None]
        up = self._sides[1].T[part.rows][:, None, :] - least.T[part.rows][:, :, None]
        return low - tolerance * _size(low), up + tolerance * _size(up)


def _size(sides: Floats) -> Floats:
    return np.asarray(np.maximum(1.0, np.where(np.isfinite(sides), np.abs(sides), 1.0)))


class _Table:
    """The answers of one part in the order of their costs, without those in place of which a cheaper one is always feasible.

    For all scenarios, or one for each where costs, bounds or coefficients are random: ``order`` and ``cost`` (1 or S, c),
    ``activity`` (1 or S, rows, c). An ``order`` of -1 and an infinite cost fill up the shorter ones.
    """

    def __init__(self, arrays: TwoStageArrays, part: Part) -> None:
        self.below = np.flatnonzero(np.isfinite(arrays.everywhere("row_lower")[:, part.rows]).any(axis=0))
        self.above = np.flatnonzero(np.isfinite(arrays.everywhere("row_upper")[:, part.rows]).any(axis=0))
        cost, activity = _costs(arrays, part), _activity(arrays, part)
        count = max(len(cost), len(activity))
        cost, activity = np.broadcast_to(cost, (count, *cost.shape[1:])), np.broadcast_to(activity, (count, *activity.shape[1:]))
        order = np.argsort(cost, axis=1, kind="stable")
        cost = np.take_along_axis(cost, order, axis=1)
        activity = np.take_along_axis(activity, order[:, None, :], axis=2)
        kept = self._undominated(cost, activity)
        first = np.argsort(~kept, axis=1, kind="stable")[:, : int(kept.sum(axis=1).max(initial=0))]
        counts = np.take_along_axis(kept, first, axis=1)
        self.order = np.where(counts, np.take_along_axis(order, first, axis=1), -1)
        self.cost = np.where(counts, np.take_along_axis(cost, first, axis=1), np.inf)
        self.activity = np.take_along_axis(activity, first[:, None, :], axis=2)

    def _undominated(self, cost: Floats, activity: Floats) -> np.ndarray:
        """(1 or S, c): those with a cost that need less of some row than every cheaper one."""
        kept = np.isfinite(cost)
        need = np.concatenate([activity[:, self.above], -activity[:, self.below]], axis=1)
        for k in range(cost.shape[1]):
            if kept[:, k].any():
                less = (need[:, :, k + 1 :] < need[:, :, k, None]).any(axis=1)
                kept[:, k + 1 :] &= less | ~kept[:, k, None]
        return kept

    def first(self, low: Floats, up: Floats) -> tuple[Ints, Floats]:
        """For sides ``low`` and ``up`` (rows, k, S): the cheapest answer (k, S) by its number, -1 without one, and its cost."""
        which, values = np.full(low.shape[1:], -1), np.full(low.shape[1:], np.inf)
        # From the dearest on: what is cheaper takes its place.
        for k in range(self.order.shape[1] - 1, -1, -1):
            good = np.broadcast_to(self.order[:, k] >= 0, which.shape).copy()
            for i in self.above:
                good &= up[i] >= self.activity[:, i, k]
            for i in self.below:
                good &= low[i] <= self.activity[:, i, k]
            np.copyto(which, self.order[:, k], where=good)
            np.copyto(values, self.cost[:, k], where=good)
        return which, values


def _costs(arrays: TwoStageArrays, part: Part) -> Floats:
    """(1 or S, c), as a minimisation; +inf for answers that a scenario's bounds do not allow."""
    bounds = [name for name in ("lower", "upper") if name in arrays.varying]
    random = bool(bounds) or "cost" in arrays.varying
    cost = arrays.everywhere("cost") if random else arrays.cost[None, :]
    found: Floats = np.asarray(arrays.sense * (cost[:, part.columns] @ part.answers.T))
    for name in bounds:
        sign = 1 if name == "lower" else -1
        side = sign * arrays.everywhere(name)[:, part.columns]
        inside = (sign * part.answers[None] >= side[:, None, :] - FEASIBILITY).all(axis=2)
        found = np.where(inside, found, np.inf)
    return found


def _activity(arrays: TwoStageArrays, part: Part) -> Floats:
    """(1 or S, rows, c): what the answers take of the part's rows."""
    chosen = arrays.recourse[part.rows][:, part.columns]
    places = (
        {}
        if "recourse" not in arrays.varying
        else dict(zip(arrays.varying["recourse"].places.tolist(), range(len(arrays.varying["recourse"].places)), strict=True))
    )
    dense = np.asarray(chosen.toarray())[None, :, :]
    local = {int(j): n for n, j in enumerate(part.columns)}
    random = [
        (r, local[int(arrays.recourse.indices[at])], places[at])
        for r, i in enumerate(part.rows.tolist())
        for at in range(arrays.recourse.indptr[i], arrays.recourse.indptr[i + 1])
        if at in places
    ]
    if random:
        dense = np.repeat(dense, arrays.scenarios, axis=0)
        for r, j, place in random:
            dense[:, r, j] = arrays.varying["recourse"].values[:, place]
    return np.asarray(np.einsum("srj,cj->src", dense, part.answers))
