"""A decision that a few scenarios speak for: how much more its MILPs cost than its LPs, and what that says of all scenarios.

All contenders are tried on the same scenarios in the same order, so that what a scenario adds to all of them cancels out where
two are compared (common random numbers); the relaxed costs, known in every scenario, are a control variate (Law, "Simulation
Modeling and Analysis", chapter 11).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from bilevel_lang.reformulation.nn_recourse.scout import Scouted
from bilevel_lang.solvers.program import Floats

SURE = 2.0
"""Standard errors of a difference that decide."""

FEWEST = 4
"""Scenarios before which nothing is decided."""

NEAR = 0.02
"""Relative gap up to which the best answer of a scenario counts as its cost."""

RIDGE = 1.0
"""Of the least-squares fit of premiums: of a share of their variance, the inputs scaled to their box."""


@dataclass(eq=False)
class Contender:
    """``costs`` of the first scenarios of ``order`` (S,), as many as were tried, and ``bounds`` proven for them.

    ``weights`` (S,) are probabilities.
    """

    scouted: Scouted
    order: np.ndarray
    weights: Floats
    costs: list[float] = field(default_factory=list)
    bounds: list[float] = field(default_factory=list)

    def enter(self, value: float, bound: float) -> None:
        """The next scenario: a value far from its bound says less than the bound does."""
        bound = max(bound, float(self.scouted.relaxed[self.order[self.tried]]))
        near = np.isfinite(value) and value - bound <= NEAR * max(1.0, abs(value))
        self.costs.append(max(value, bound) if near else bound)
        self.bounds.append(bound)

    @property
    def tried(self) -> int:
        """Scenarios that were tried."""
        return len(self.costs)

    def premiums(self) -> Floats:
        """(tried,): what each scenario costs more than its relaxation."""
        more: Floats = np.asarray(self.costs, dtype=float) - self.scouted.relaxed[self.order[: self.tried]]
        return more

    def premium(self) -> float:
        """The mean of them, weighted by probability; NaN of none."""
        seen = self.weights[self.order[: self.tried]]
        return float(seen @ self.premiums() / seen.sum()) if self.tried else math.nan

    def estimate(self) -> float:
        """Of the total cost, by its own scenarios alone."""
        return self.scouted.total + self.premium()

    def against(self, other: Contender) -> float:
        """Of the total cost, as the ``other`` one's and what this one costs more in the scenarios that both were tried on.

        Decisions given up after a few scenarios look cheap where those few were cheap for all: among contenders with different
        numbers of scenarios only this estimate can be compared, the ``other`` being the one that was tried on most.
        """
        both = min(self.tried, other.tried)
        if not both:
            return self.estimate()
        seen = self.weights[self.order[:both]]
        more = self.premiums()[:both] - other.premiums()[:both]
        return self.scouted.total + other.premium() + float(seen @ more / seen.sum())

    def proven(self) -> Floats:
        """(S,): the best bound of every scenario."""
        found: Floats = self.scouted.relaxed.copy()
        found[self.order[: self.tried]] = np.maximum(found[self.order[: self.tried]], self.bounds)
        return found

    def behind(self, other: Contender) -> bool:
        """Whether it is likely that the ``other`` costs less, by the scenarios that both were tried on."""
        both = min(self.tried, other.tried)
        if both < FEWEST:
            return False
        more = self.premiums()[:both] - other.premiums()[:both]
        away = self.scouted.total - other.scouted.total + float(more.mean())
        return not math.isfinite(away) or away > SURE * float(more.std(ddof=1)) / math.sqrt(both)


def ranked(contenders: Iterable[Contender]) -> list[Contender]:
    """Those that were tried and have an answer everywhere, the one that is likely to cost least first."""
    fine = [c for c in contenders if c.tried and math.isfinite(c.estimate())]
    if not fine:
        return []
    other = reference(fine)
    return sorted(fine, key=lambda c: c.against(other))


def reference(contenders: Iterable[Contender]) -> Contender:
    """The one that was tried on most scenarios, the cheapest of several: others are estimated :meth:`~Contender.against` it."""
    return min(contenders, key=lambda c: (-c.tried, c.estimate()))


class Premiums:
    """A ridge regression of the premiums of ``contenders`` on their decisions: what others will cost more than their LPs."""

    def __init__(self, contenders: Sequence[Contender], lower: Floats, width: Floats) -> None:
        fine = ranked(contenders)
        self._lower, self._width = lower, np.where(width > 0, width, 1.0)
        other = reference(fine) if fine else None
        target = np.array([c.against(other) - c.scouted.total for c in fine if other is not None])
        self._mean = float(np.median(target)) if fine else 0.0
        self._points = self._scaled(np.array([c.scouted.x for c in fine]).reshape(len(fine), len(lower)))
        kernel = self._points @ self._points.T + 1.0
        self._kernel = np.linalg.solve(kernel + RIDGE * np.eye(len(fine)), target - self._mean)
        self.error = float(np.std(target - self(np.array([c.scouted.x for c in fine])))) if len(fine) > FEWEST else math.inf
        """Standard deviation of what is left."""

    def __call__(self, points: Floats) -> Floats:
        """Premiums (k,) at ``points`` (k, n1), >= 0."""
        if not len(self._kernel):
            return np.full(len(points), self._mean)
        return np.asarray(np.maximum(0.0, self._mean + (self._scaled(points) @ self._points.T + 1.0) @ self._kernel))

    def _scaled(self, points: Floats) -> Floats:
        return np.asarray((points - self._lower) / self._width - 0.5)
