"""Cuts on the follower's value that hold for every decision of the leader, without a disjunction.

An answer y of value v that rows may block still says: ``value <= v + sum over rows r of loss_r * blocked_r``. The loss of a row
that caps one column of the follower is what the answer loses without that column, if taking it out never breaks another row
(items of a knapsack, edges of a flow with a bypass: interdiction); of any other row it is all that can be lost, ``largest value
- v``. ``blocked_r`` is bounded from above by a line over the whole range of sigma_r, which is exact where sigma_r has two values.

A column that was taken out can be replaced by one that needs no more of any row: if column b replaces a, the loss falls to
``cost_b - cost_a`` where b is not blocked itself. The cut then gets the coefficient ``loss_a + cost_b`` for a, and ``-cost_b``
for b (Fischetti, Ljubic, Monaci and Sinnl 2019, INFORMS J. Comput. 31:390).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from bilevel_lang.reformulation.value_function.integer.disjunctions import Disjunctions
from bilevel_lang.reformulation.value_function.integer.extended import Extended
from bilevel_lang.solvers.matrix import Flags, Ints
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.tree_judge import Cut

TRIED = 8
"""Answers beyond those asked for that are looked at, as swaps may make their cuts the best."""

VIOLATION = 1e-4
"""A cut has to be violated by this, relative to max(1, |value|)."""


@dataclass(frozen=True, slots=True)
class Caps:
    """``column[r]``: the follower's column that row r caps and that can be taken out at any time, or -1. (R,)"""

    column: Ints


def removable(extended: Extended) -> Caps:
    """The rows whose single column of the follower can be set to 0 in every answer: no row of the follower needs it."""
    source = extended.source
    relaxation, rows = source.relaxation, extended.rows
    matrix = sp.csc_matrix(relaxation.matrix[np.flatnonzero(source.follower_rows)])
    low, up = relaxation.row_lower[source.follower_rows], relaxation.row_upper[source.follower_rows]
    free_to_fall: Flags = np.zeros(extended.n, dtype=bool)
    for j in np.flatnonzero(source.follower & (relaxation.lower == 0)).tolist():
        part = slice(matrix.indptr[j], matrix.indptr[j + 1])
        i, a = matrix.indices[part], matrix.data[part]
        free_to_fall[j] = bool(np.where(a > 0, ~np.isfinite(low[i]), ~np.isfinite(up[i])).all())
    column = np.full(len(rows), -1, dtype=np.int64)
    _, sigma_up = rows.sigma_range(*_activity_bounds(extended))
    for r in range(len(rows)):
        part = slice(rows.B.indptr[r], rows.B.indptr[r + 1])
        own = rows.B.indices[part]
        # With the column at 0 the row has to hold for every sigma.
        if len(own) == 1 and free_to_fall[own[0]] and rows.side[r] - rows.scale[r] * sigma_up[r] >= -1e-9:
            column[r] = own[0]
    return Caps(column)


def _activity_bounds(extended: Extended) -> tuple[Floats, Floats]:
    return extended.program.lower[extended.activity_columns], extended.program.upper[extended.activity_columns]


class ValueCuts:
    """The cuts of all answers in a pool, found by arithmetic on arrays."""

    def __init__(self, extended: Extended) -> None:
        self._extended = extended
        self._low, self._up = extended.rows.sigma_range(*_activity_bounds(extended))
        self._caps = removable(extended)
        self._largest = float(extended.program.upper[extended.value])
        self._swaps = _Swaps(extended, self._caps, self._low, self._up)
        self._priced, self._priced_columns = self._rows_with_prices()
        self._answers = np.zeros((0, extended.n))
        self._values = np.zeros(0)
        self._slopes = np.zeros((0, len(extended.rows)))

    def grow(self, pool: Disjunctions) -> None:
        """Take in the answers that are new in ``pool``."""
        known = len(self._values)
        if known == len(pool):
            return
        thresholds = pool.thresholds[known:]
        values = pool.values[known:]
        answers = np.array([response.y for response in pool.responses[known:]])
        losses = self._losses(values, answers)
        with np.errstate(invalid="ignore", divide="ignore"):
            blockable = self._up[None, :] > thresholds + 0.5
            slopes = np.where(blockable, losses / np.maximum(thresholds + 1 - self._low[None, :], 1.0), 0.0)
        # What a row certainly blocks says nothing here.
        useless = (self._low[None, :] > thresholds + 0.5).any(axis=1)
        values = np.where(useless, np.inf, values)
        slopes[useless] = 0.0
        self._answers = np.vstack([self._answers, answers])
        self._values = np.append(self._values, values)
        self._slopes = np.vstack([self._slopes, slopes])

    def _rows_with_prices(self) -> tuple[Ints, Ints]:
        """The rows of two values of sigma that bound one column of the follower by 0 or 1, and those columns."""
        rows, relaxation = self._extended.rows, self._extended.source.relaxation
        single = np.flatnonzero((np.diff(rows.B.indptr) == 1) & np.isfinite(self._low) & (self._up == self._low + 1))
        columns = np.asarray(rows.B.indices[rows.B.indptr[single]], dtype=np.int64)
        binary = relaxation.integer[columns] & (relaxation.lower[columns] == 0) & (relaxation.upper[columns] == 1)
        return single[binary], columns[binary]

    def prices(self, z: Floats) -> tuple[Floats, Floats] | None:
        """(n,), (R,): a cost of the follower's columns whose cheapest answer gives a cut that ``z`` violates, and sigma for it.

        A column costs as much more as what its row loses by being blocked, times how much of that ``z`` has: the follower's
        problem with prices instead of bars. None where no row is like that.
        """
        extended, low = self._extended, self._low
        if not self._priced.size or not np.isfinite(self._up).all():
            return None
        sigma = extended.rows.sign * z[extended.activity_columns][extended.rows.activity]
        barred = np.clip(sigma - low, 0.0, 1.0)[self._priced]
        everything = max(self._largest - float(z[extended.value]), 0.0)
        worth = -extended.value_cost[self._priced_columns]
        loss = np.where(self._caps.column[self._priced] >= 0, np.maximum(worth, 0.0), everything)
        if not np.isfinite(loss).all():
            return None
        cost = extended.value_cost.copy()
        np.add.at(cost, self._priced_columns, loss * barred)
        free = self._up.copy()
        free[self._priced] = low[self._priced]
        return cost, free

    def _losses(self, values: Floats, answers: Floats) -> Floats:
        """(new, R): what the value loses at most where the row blocks the answer."""
        column, cost = self._caps.column, self._extended.value_cost
        everything = np.maximum(self._largest - values, 0.0)[:, None]
        single = np.maximum(-cost[column] * answers[:, column], 0.0)
        return np.where(column >= 0, np.minimum(single, everything), everything)

    def violated(self, z: Floats, count: int) -> list[Cut]:
        """Up to ``count`` cuts that ``z`` violates, the most violated first."""
        extended = self._extended
        if not len(self._values):
            return []
        sigma = extended.rows.sign * z[extended.activity_columns][extended.rows.activity]
        value = z[extended.value]
        over = np.where(self._slopes > 0, self._slopes * (sigma - self._low)[None, :], 0.0).sum(axis=1)
        violation = value - self._values - over
        violation = np.where(np.isfinite(violation), violation, -np.inf)
        floor = VIOLATION * max(1.0, abs(value))
        found = []
        for k in np.argsort(-violation)[: count + TRIED].tolist():
            if not np.isfinite(violation[k]):
                break
            extra, gain = self._swaps.of(self._answers[k], sigma)
            if violation[k] + gain > floor:
                found.append((violation[k] + gain, self._cut(k, self._slopes[k] + extra)))
        found.sort(key=lambda each: -each[0])
        return [cut for _, cut in found[:count]]

    def _cut(self, k: int, slopes: Floats) -> Cut:
        """``value - sum slope_r (sigma_r - low_r) <= v`` as a row."""
        extended = self._extended
        rows = extended.rows
        used = np.flatnonzero(slopes)
        constant = self._values[k] - float((slopes[used] * self._low[used]).sum())
        coefficients = np.zeros(extended.program.columns)
        coefficients[extended.value] = 1.0
        np.add.at(coefficients, extended.activity_columns[rows.activity[used]], -slopes[used] * rows.sign[used])
        columns = np.flatnonzero(coefficients)
        size = max(1.0, float(np.abs(coefficients).max()))
        slack = 0.0 if extended.value_whole else 1e-7 * max(1.0, abs(self._values[k]))
        return Cut(columns, coefficients[columns] / size, -np.inf, (constant + slack) / size, local=False)


class _Swaps:
    """Columns that can take the place of one that was taken out: they need no more of any row that is not a cap.

    Only rows of two values of sigma take part, where ``sigma - low`` is 0 or 1 and 1 means that the column is barred.
    """

    def __init__(self, extended: Extended, caps: Caps, low: Floats, up: Floats) -> None:
        self._low = low
        rows, source = extended.rows, extended.source
        times = np.bincount(rows.B.indices, minlength=extended.n)
        exact = (caps.column >= 0) & np.isfinite(low) & (up == low + 1)
        exact &= times[np.maximum(caps.column, 0)] == 1
        barred = np.floor((rows.side - rows.B @ np.ones(extended.n)) / rows.scale + 1e-6)
        # One unit of the column is free at the lower sigma and barred at the upper one.
        exact &= (barred == low) & (source.relaxation.upper[np.maximum(caps.column, 0)] >= 1)
        self._rows: Ints = np.flatnonzero(exact)
        self._columns = caps.column[self._rows]
        self._worth = -extended.value_cost[self._columns]
        needs = _needs(extended)[:, self._columns] if len(self._rows) else np.zeros((0, 0))
        # [a, b]: b needs no more than a.
        self._fits = (needs[:, None, :] <= needs[:, :, None] + 1e-9).all(axis=0) & (self._worth > 0)[None, :]
        self._size = len(extended.rows)

    def of(self, answer: Floats, sigma: Floats) -> tuple[Floats, float]:
        """(R,): what swaps change the slopes of an answer's cut by; and by how much more it is violated at ``sigma``."""
        extra = np.zeros(self._size)
        if not len(self._rows):
            return extra, 0.0
        amount = answer[self._columns]
        barred = sigma[self._rows] - self._low[self._rows]
        gains = np.where(self._fits & (np.abs(amount - 1) < 1e-6)[:, None] & (np.abs(amount) < 1e-6)[None, :], 1.0, 0.0)
        gains = gains * (barred[:, None] - barred[None, :]) * self._worth[None, :]
        total = 0.0
        while gains.size:
            a, b = divmod(int(np.argmax(gains)), gains.shape[1])
            if not gains[a, b] > 1e-6 * abs(self._worth[b]):
                break
            total += float(gains[a, b])
            extra[self._rows[a]] -= self._worth[b]
            extra[self._rows[b]] += self._worth[b]
            gains[a, :] = gains[:, b] = 0.0
        return extra, total


def _needs(extended: Extended) -> Floats:
    """(rows, n): what each column takes of the follower's rows that hold no column of the leader, as <= rows."""
    source = extended.source
    mine = np.flatnonzero(source.follower_rows)
    relaxation = source.relaxation
    matrix = relaxation.matrix[mine].toarray()
    low, up = np.isfinite(relaxation.row_lower[mine]), np.isfinite(relaxation.row_upper[mine])
    linked = np.asarray((np.abs(matrix) > 0)[:, ~source.follower].any(axis=1))
    return np.vstack([matrix[up & ~linked], -matrix[low & ~linked]])
