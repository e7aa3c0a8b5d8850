"""A second stage with few whole answers: all listed once, the best feasible one looked up for every decision and scenario.

Exact, and a thousand times quicker than a branch and bound where there are some dozens of answers.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import scipy.sparse as sp

from bilevel_lang.reformulation.linear.bounds.box import Box
from bilevel_lang.reformulation.linear.bounds.propagation import propagate
from bilevel_lang.reformulation.stochastic.arrays import Recourse, TwoStageArrays
from bilevel_lang.solvers.matrix import Flags, Ints
from bilevel_lang.solvers.program import Floats

MOST_CELLS = 200_000
"""Whole points within the bounds that are looked at to find the answers."""

MOST_ANSWERS = 5_000

FEASIBILITY = 1e-9
"""How far a row may be missed, relative to max(1, |side|)."""

_CHUNK = 100_000
_NO_PAIRS = (np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))


class ListedStage:
    """Looks up ``answers`` (c, n2), as :func:`listed_answers` gives them."""

    def __init__(self, arrays: TwoStageArrays, answers: Floats) -> None:
        self.arrays, self.answers = arrays, answers
        self._activity = np.asarray(arrays.recourse @ answers.T)
        self._sides = arrays.everywhere("row_lower"), arrays.everywhere("row_upper")
        # What holds in all scenarios is looked at once.
        alike = not any(name in arrays.varying for name in ("cost", "lower", "upper"))
        self._common = self._lookup(arrays.scenario(0)) if alike else None

    def values(self, points: Floats) -> Floats:
        """(k, S): what every scenario costs at ``points`` (k, n1), as a minimisation without constants; +inf: no answer."""
        shift = np.asarray((self.arrays.technology @ points.T).T)
        return self._values(shift, shift)

    def least(self, lower: Floats, upper: Floats) -> Floats:
        """(k, S): a bound from below of :meth:`values` over the boxes of decisions from ``lower`` to ``upper`` (k, n1)."""
        plus, minus = self.arrays.technology.maximum(0), self.arrays.technology.minimum(0)
        low, up = plus @ lower.T + minus @ upper.T, plus @ upper.T + minus @ lower.T
        return self._values(np.asarray(low.T), np.asarray(up.T))

    def responses(self, point: Floats) -> Floats:
        """(S, n2): the best answer of every scenario at ``point`` (n1,); NaN where there is none."""
        shift = np.asarray(self.arrays.technology @ point)[None, :]
        found = np.full((self.arrays.scenarios, self.answers.shape[1]), np.nan)
        for scenarios, lookup, low, up in self._parts(shift, shift):
            which, _ = lookup.first(low[0], up[0])
            found[scenarios[which >= 0]] = self.answers[which[which >= 0]]
        return found

    def _values(self, least: Floats, most: Floats) -> Floats:
        """Of shifts T x of the rows that are anywhere between ``least`` and ``most`` (k, m2)."""
        found = np.empty((len(least), self.arrays.scenarios))
        for scenarios, lookup, low, up in self._parts(least, most):
            _, values = lookup.first(low.reshape(-1, low.shape[2]), up.reshape(-1, up.shape[2]))
            found[:, scenarios] = values.reshape(len(least), -1)
        return found

    def _parts(self, least: Floats, most: Floats) -> Iterator[tuple[Ints, _Lookup, Floats, Floats]]:
        """Scenarios that are looked up together, and what each of the k decisions leaves of their sides (k, scenarios, m2)."""
        k, count = len(least), self.arrays.scenarios
        width = max(1, _CHUNK // max(1, k)) if self._common is not None else 1
        for begin in range(0, count, width):
            some = np.arange(begin, min(begin + width, count))
            lookup = self._lookup(self.arrays.scenario(begin)) if self._common is None else self._common
            low, up = self._sides[0][some], self._sides[1][some]
            yield some, lookup, low[None] - most[:, None, :], up[None] - least[:, None, :]

    def _lookup(self, part: Recourse) -> _Lookup:
        inside = (self.answers >= part.lower - FEASIBILITY) & (self.answers <= part.upper + FEASIBILITY)
        cost = np.where(inside.all(axis=1), self.arrays.sense * (self.answers @ part.cost), np.inf)
        below, above = (np.asarray(np.isfinite(side).any(axis=0)) for side in self._sides)
        return _Lookup(self._activity, cost, below, above)


class _Lookup:
    """The cheapest answer that sides allow: ``activity`` (m2, c) and ``cost`` (c,), infinite for answers that do not count.

    ``below`` and ``above`` (m2,): rows that have a lower, an upper side at all.
    """

    def __init__(self, activity: Floats, cost: Floats, below: Flags, above: Flags) -> None:
        order = np.argsort(cost, kind="stable")
        order = order[np.isfinite(cost[order])]
        self.below, self.above = np.flatnonzero(below), np.flatnonzero(above)
        self.order = self._undominated(activity, order)
        self.activity, self.cost = activity[:, self.order], cost[self.order]

    def _undominated(self, activity: Floats, order: Ints) -> Ints:
        """Without answers in place of which a cheaper one is always feasible as well."""
        kept = np.ones(len(order), dtype=bool)
        need = np.concatenate([activity[self.above], -activity[self.below]])[:, order]
        for k in range(len(order)):
            if kept[k]:
                kept[k + 1 :] &= (need[:, k + 1 :] < need[:, k, None]).any(axis=0)
        return order[kept]

    def first(self, low: Floats, up: Floats) -> tuple[Ints, Floats]:
        """For sides ``low`` and ``up`` (N, m2): the place (N,) of the cheapest answer, -1 without one, and its cost."""
        low = (low - FEASIBILITY * np.maximum(1.0, np.where(np.isfinite(low), np.abs(low), 1.0))).T.copy()
        up = (up + FEASIBILITY * np.maximum(1.0, np.where(np.isfinite(up), np.abs(up), 1.0))).T.copy()
        which, values = np.full(low.shape[1], -1), np.full(low.shape[1], np.inf)
        # From the dearest on: what is cheaper takes its place.
        for k in range(len(self.order) - 1, -1, -1):
            good = np.ones(low.shape[1], dtype=bool)
            for i in self.above:
                good &= up[i] >= self.activity[i, k]
            for i in self.below:
                good &= low[i] <= self.activity[i, k]
            which[good], values[good] = self.order[k], self.cost[k]
        return which, values


def listed_answers(arrays: TwoStageArrays) -> Floats | None:
    """Every whole answer (c, n2) that some decision and scenario may admit; None where listing does not pay.

    It does where all columns of the second stage are whole and bounded, by themselves or by rows, the recourse matrix is the same
    in every scenario, and few points are left.
    """
    if not len(arrays.lower) or not arrays.integer.all() or "recourse" in arrays.varying or "technology" in arrays.varying:
        return None
    lower, upper, row_low, row_up = _widest(arrays)
    if not (np.isfinite(lower).all() and np.isfinite(upper).all()):
        return None
    lower, upper = np.ceil(lower - 1e-6), np.floor(upper + 1e-6)
    if math.prod(np.maximum(0, upper - lower + 1).tolist()) > MOST_CELLS:
        return None
    axes = [np.arange(low, up + 1) for low, up in zip(lower, upper, strict=True)]
    cells = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(axes))
    activity = np.asarray(arrays.recourse @ cells.T)
    slack = 1e-6 * np.maximum(1.0, np.abs(activity))
    kept = ((activity >= row_low[:, None] - slack) & (activity <= row_up[:, None] + slack)).all(axis=0)
    return cells[kept] if kept.sum() <= MOST_ANSWERS else None


def _widest(arrays: TwoStageArrays) -> tuple[Floats, Floats, Floats, Floats]:
    """Bounds of the second stage and sides of its rows over all scenarios and the first stage's box, tightened by each other."""
    first, n1 = arrays.first, len(arrays.first.lower)
    ends = {name: arrays.everywhere(name) for name in ("lower", "upper", "row_lower", "row_upper")}
    low, up = ends["row_lower"].min(axis=0), ends["row_upper"].max(axis=0)
    box = Box(np.concatenate([first.lower, ends["lower"].min(axis=0)]), np.concatenate([first.upper, ends["upper"].max(axis=0)]))
    matrix = sp.csr_matrix(sp.hstack([arrays.technology, arrays.recourse]))
    propagate(box, matrix, low, up, _NO_PAIRS)
    least, most = box.lower[:n1], box.upper[:n1]
    plus, minus = arrays.technology.maximum(0), arrays.technology.minimum(0)
    with np.errstate(invalid="ignore"):
        shift_low = np.nan_to_num(plus @ least + minus @ most, nan=-np.inf)
        shift_up = np.nan_to_num(plus @ most + minus @ least, nan=np.inf)
    return box.lower[n1:], box.upper[n1:], low - shift_up, up - shift_low
