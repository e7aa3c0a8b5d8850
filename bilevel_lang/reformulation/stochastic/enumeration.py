"""The master problem of the L-shaped search by enumeration, where the binary first stage has few enough decisions.

Every decision keeps its own estimate of what each scenario costs; a new cut raises the estimates of all of them in one product of
matrices. The best decision and the bound are then read off, where a MILP over thousands of cuts would take seconds.
"""

from __future__ import annotations

import numpy as np

from bilevel_lang.reformulation.stochastic.borders import Borders
from bilevel_lang.solvers.matrix import MatrixProgram
from bilevel_lang.solvers.program import Floats

MOST_COLUMNS = 16
MOST_ESTIMATES = 20_000_000
"""Decisions times scenarios whose estimates are kept."""

ROOM = 1e-7
"""How far a decision may break a first-stage row, relative to max(1, |side|)."""


class EnumeratedMaster:
    """All binary points of ``first`` that its rows allow, with estimates for ``floor.size`` scenarios that begin at ``floor``."""

    def __init__(self, first: MatrixProgram, cost: Floats, weights: Floats, floor: Floats) -> None:
        self.points = binary_points(first)
        self._base, self._weights = self.points @ cost, weights
        self._estimates = np.tile(floor, (len(self.points), 1))
        self._open = np.ones(len(self.points), dtype=bool)

    def cut(self, scenario: int, slope: Floats, constant: float) -> None:
        """theta of the scenario is at least ``slope'x + constant``."""
        np.maximum(self._estimates[:, scenario], self.points @ slope + constant, out=self._estimates[:, scenario])

    def exclude(self, x: Floats) -> None:
        """This decision has been looked at."""
        self._open &= ~(self.points == x).all(axis=1)

    def forbid(self, borders: Borders) -> None:
        """No decision beyond them."""
        self._open &= ~borders.beyond(self.points)

    def best(self) -> tuple[Floats, Floats, float] | None:
        """The decision with the least estimate, its estimates, and that bound; None where all have been looked at."""
        if not self._open.any():
            return None
        totals = np.where(self._open, self._base + self._estimates @ self._weights, np.inf)
        place = int(np.argmin(totals))
        return self.points[place], self._estimates[place], float(totals[place])


def binary_points(first: MatrixProgram) -> Floats:
    """(k, n): all 0-1 points that bounds and rows of ``first`` allow."""
    n = first.columns
    return allowed(first, ((np.arange(2**n)[:, None] >> np.arange(n)) & 1).astype(float))


def allowed(first: MatrixProgram, points: Floats) -> Floats:
    """Those of ``points`` (k, n) that bounds and rows of ``first`` allow."""
    body = points @ first.matrix.toarray().T if first.rows else np.zeros((len(points), 0))
    low = body >= first.row_lower - ROOM * np.maximum(1.0, np.abs(np.where(np.isfinite(first.row_lower), first.row_lower, 1.0)))
    up = body <= first.row_upper + ROOM * np.maximum(1.0, np.abs(np.where(np.isfinite(first.row_upper), first.row_upper, 1.0)))
    inside = (points >= first.lower).all(axis=1) & (points <= first.upper).all(axis=1)
    return points[low.all(axis=1) & up.all(axis=1) & inside]


def is_small(first: MatrixProgram, scenarios: int) -> bool:
    """Whether all decisions can be listed."""
    return first.columns <= MOST_COLUMNS and 2**first.columns * scenarios <= MOST_ESTIMATES
