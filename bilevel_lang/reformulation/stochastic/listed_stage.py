"""A second stage with few whole answers: all listed once, the best feasible one looked up for every decision and scenario.

Exact, and a thousand times quicker than a branch and bound where there are some dozens of answers.
"""

from __future__ import annotations

import math

import numpy as np
import scipy.sparse as sp

from bilevel_lang.reformulation.linear.bounds.box import Box
from bilevel_lang.reformulation.linear.bounds.propagation import propagate
from bilevel_lang.reformulation.stochastic.arrays import TwoStageArrays
from bilevel_lang.solvers.matrix import Ints
from bilevel_lang.solvers.program import Floats

MOST_CELLS = 200_000
"""Whole points within the bounds that are looked at to find the answers."""

MOST_ANSWERS = 5_000

FEASIBILITY = 1e-9
"""How far a row may be missed, relative to max(1, |side|)."""

_CHUNK = 4_000_000
_NO_PAIRS = (np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))


class ListedStage:
    """Looks up ``answers`` (c, n2), as :func:`listed_answers` gives them."""

    def __init__(self, arrays: TwoStageArrays, answers: Floats) -> None:
        self.arrays, self.answers = arrays, answers
        self._activity = np.asarray(arrays.recourse @ answers.T)

    def values(self, points: Floats) -> Floats:
        """(k, S): what every scenario costs at ``points`` (k, n1), as a minimisation without constants; +inf: no answer."""
        found = np.empty((len(points), self.arrays.scenarios))
        for number in range(self.arrays.scenarios):
            found[:, number], _ = self._at(points, number)
        return found

    def responses(self, point: Floats) -> Floats:
        """(S, n2): the best answer of every scenario at ``point`` (n1,); NaN where there is none."""
        found = np.full((self.arrays.scenarios, self.answers.shape[1]), np.nan)
        for number in range(self.arrays.scenarios):
            _, which = self._at(point[None, :], number)
            if which[0] >= 0:
                found[number] = self.answers[which[0]]
        return found

    def _at(self, points: Floats, number: int) -> tuple[Floats, Ints]:
        part = self.arrays.scenario(number)
        inside = (self.answers >= part.lower - FEASIBILITY) & (self.answers <= part.upper + FEASIBILITY)
        cost = np.where(inside.all(axis=1), self.arrays.sense * (self.answers @ part.cost), np.inf)
        # From the cheapest on: most decisions find theirs among the first.
        order = np.argsort(cost, kind="stable")
        order = order[np.isfinite(cost[order])]
        activity, cost = self._activity[:, order], cost[order]
        shift = np.asarray((part.technology @ points.T).T)
        low, up = part.row_lower - shift, part.row_upper - shift
        low = low - FEASIBILITY * np.maximum(1.0, np.where(np.isfinite(low), np.abs(low), 1.0))
        up = up + FEASIBILITY * np.maximum(1.0, np.where(np.isfinite(up), np.abs(up), 1.0))
        found, which = np.full(len(points), np.inf), np.full(len(points), -1)
        width = max(1, _CHUNK // max(1, len(order)))
        for begin in range(0, len(points), width):
            good = np.ones((len(low[begin : begin + width]), len(order)), dtype=bool)
            for i, row in enumerate(activity):
                good &= (row >= low[begin : begin + width, i, None]) & (row <= up[begin : begin + width, i, None])
            some = good.any(axis=1)
            first = good[some].argmax(axis=1)
            found[begin : begin + width][some], which[begin : begin + width][some] = cost[first], order[first]
        return found, which


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
