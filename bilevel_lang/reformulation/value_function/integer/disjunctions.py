"""What the follower's answers seen so far exclude: for each answer, its value is reached, or a row blocks it.

    value <= value of the answer,  or  sigma_r >= threshold_r + 1 for a row r      (Mitsos 2010; Lozano and Smith 2017)

Everything here is interval arithmetic on the value and on sigma; it is exact, as sigma is whole.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bilevel_lang.reformulation.value_function.integer.extended import Extended
from bilevel_lang.reformulation.value_function.integer.follower import Response
from bilevel_lang.solvers.matrix import Flags, Ints
from bilevel_lang.solvers.program import Floats


@dataclass(frozen=True, slots=True)
class Change:
    """A new bound of a column."""

    column: int
    is_upper: bool
    bound: float


class Disjunctions:
    """The pool of answers. ``values`` (N,) and ``thresholds`` (N, R) grow; an answer is known by its number."""

    def __init__(self, extended: Extended) -> None:
        self._extended = extended
        self._rows = extended.rows
        self._values = np.zeros(64)
        self._thresholds = np.zeros((64, len(extended.rows)))
        self._seen: dict[bytes, int] = {}
        self.responses: list[Response] = []

    def __len__(self) -> int:
        return len(self.responses)

    @property
    def values(self) -> Floats:
        """(N,)"""
        return self._values[: len(self)]

    @property
    def thresholds(self) -> Floats:
        """(N, R)"""
        return self._thresholds[: len(self)]

    def add(self, response: Response) -> int:
        """The number of ``response``, which may have been there before."""
        thresholds = self._rows.thresholds(response.y)
        key = np.append(thresholds, response.value).tobytes()
        number = self._seen.setdefault(key, len(self))
        if number == len(self):
            if number == len(self._values):
                self._values = np.append(self._values, np.zeros(number))
                self._thresholds = np.vstack([self._thresholds, np.zeros_like(self._thresholds)])
            self._values[number], self._thresholds[number] = response.value, thresholds
            self.responses.append(response)
        return number

    def sigma_range(self, lower: Floats, upper: Floats) -> tuple[Floats, Floats]:
        """(R,), (R,) from bounds of the activities (K,)."""
        return self._rows.sigma_range(lower, upper)

    def blockable(self, low: Floats, up: Floats) -> tuple[Flags, Flags]:
        """(N, R): the rows that may block an answer; (N,): whether some row certainly does. ``low``, ``up``: ranges of sigma."""
        thresholds = self.thresholds
        may: Flags = up[None, :] > thresholds + 0.5
        does: Flags = np.asarray((low[None, :] > thresholds + 0.5).any(axis=1))
        return may, does

    def consequences(self, lower: Floats, upper: Floats, value_low: float, value_up: float) -> list[Change]:
        """Unit propagation: bounds that follow from activities in [lower, upper] (K,) and the value in [value_low, value_up]."""
        if not self.responses:
            return []
        column = self._extended.value
        low, up = self.sigma_range(lower, upper)
        worse = np.flatnonzero(self.values < value_up - self._margin(value_up))
        if not worse.size:
            return []
        thresholds = self.thresholds[worse]
        alive = ~(low[None, :] > thresholds + 0.5).any(axis=1)
        worse, thresholds = worse[alive], thresholds[alive]
        if not worse.size:
            return []
        may = up[None, :] > thresholds + 0.5
        count = may.sum(axis=1)
        changes = []
        unblocked = worse[count == 0]
        if unblocked.size:
            value_up = float(self.values[unblocked].min())
            changes.append(Change(column, True, self.admitted(value_up)))
        units = np.flatnonzero((count == 1) & (self.values[worse] < value_low - self._margin(value_low)))
        for k in units.tolist():
            r = int(np.flatnonzero(may[k])[0])
            changes.append(self.block(r, thresholds[k, r]))
        return changes

    def _margin(self, value: float) -> float:
        return 0.5 if self._extended.value_whole else 1.5e-7 * max(1.0, abs(value))

    def admitted(self, value: float) -> float:
        """The bound that the value gets where an answer of ``value`` is not blocked."""
        return value if self._extended.value_whole else value + 1e-7 * max(1.0, abs(value))

    def block(self, row: int, threshold: float) -> Change:
        """The bound that makes ``row`` block an answer with that threshold."""
        return self._sigma_bound(row, threshold + 1, False)

    def leave(self, row: int, threshold: float) -> Change:
        """The bound that keeps ``row`` from blocking it."""
        return self._sigma_bound(row, threshold, True)

    def _sigma_bound(self, row: int, sigma: float, is_upper: bool) -> Change:
        column = int(self._extended.activity_columns[self._rows.activity[row]])
        positive = self._rows.sign[row] > 0
        return Change(column, is_upper == bool(positive), float(sigma if positive else -sigma))

    def violated(self, sigma: Floats, value: float) -> Ints:
        """The answers that are better than ``value`` and that no row blocks at ``sigma`` (R,)."""
        better = np.flatnonzero(self.values < value - self._margin(value))
        free = ~(sigma[None, :] > self.thresholds[better] + 0.5).any(axis=1)
        return better[free]
