"""A decision that a few scenarios speak for: how much more its MILPs cost than its LPs, and what that says of all scenarios.

All contenders are tried on the same scenarios in the same order, so that what a scenario adds to all of them cancels out where
two are compared (common random numbers); the relaxed costs, known in every scenario, are a control variate (Law, "Simulation
Modeling and Analysis", chapter 11).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from bilevel_lang.reformulation.nn_recourse.scout import Scouted
from bilevel_lang.solvers.program import Floats

SURE = 2.0
"""Standard errors of a difference that decide."""

FEWEST = 8
"""Scenarios before which nothing is decided: often a few, in which the integers do not fit, cost more than all others."""

NEAR = 0.02
"""Relative gap up to which the best answer of a scenario counts as its cost."""

SPREAD, BELIEF = 1.0, 3
"""Of the typical premium: how much those of other decisions may differ from it, a belief that counts as so many decisions."""

NOISE = 1.0
"""What of premiums does not follow the decision linearly, as a share of what does: of two sets of as many facilities the integers
may fit into the one and not into the other."""


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
        """(tried,): what each scenario costs more than is expected by its relaxation."""
        more: Floats = np.asarray(self.costs, dtype=float) - self.scouted.expected[self.order[: self.tried]]
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
        seen, more = self.weights[self.order[:both]], self._more(other)
        return self.scouted.total + other.premium() + float(seen @ more / seen.sum())

    def proven(self) -> Floats:
        """(S,): the best bound of every scenario."""
        found: Floats = self.scouted.relaxed.copy()
        found[self.order[: self.tried]] = np.maximum(found[self.order[: self.tried]], self.bounds)
        return found

    def behind(self, other: Contender, spread: float = 0.0) -> bool:
        """Whether it is likely that the ``other`` costs less, by the scenarios that both were tried on.

        ``spread``: standard deviation of such a difference in one scenario, as others have it. In a few scenarios none may be
        among those that make the difference.
        """
        both = min(self.tried, other.tried)
        if both < FEWEST:
            return False
        more = self._more(other)
        away = self.scouted.total - other.scouted.total + float(more.mean())
        return not math.isfinite(away) or away > SURE * max(spread, float(more.std(ddof=1))) / math.sqrt(both)

    def _more(self, other: Contender) -> Floats:
        """What it costs more than the ``other``, relaxation aside, in each scenario that both were tried on."""
        both = min(self.tried, other.tried)
        return self.premiums()[:both] - other.premiums()[:both]


def typical_spread(contenders: Iterable[Contender]) -> float:
    """Standard deviation of what one decision costs more than another in one scenario: of all of them against the
    :func:`reference`, 0 where too little is known."""
    fine = ranked(contenders)
    if not fine:
        return 0.0
    other = reference(fine)
    known = [float(c._more(other).var(ddof=1)) for c in fine if c is not other and c.tried >= FEWEST]
    return math.sqrt(sum(known) / len(known)) if known else 0.0


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
    """What integers cost more than the relaxation, by decision: a Gaussian process, linear in the decision and its first-stage
    ``cost`` (n1,), given what the ``contenders`` have shown (Rasmussen and Williams 2006, section 2.2).

    The cost stands for how much is built: one more unit leaves room that integers need. :meth:`doubt` is as important as the
    mean: decisions unlike all that were tried may cost much less more.
    """

    def __init__(self, contenders: Iterable[Contender], lower: Floats, width: Floats, cost: Floats) -> None:
        fine = ranked(contenders)
        self._lower, self._width, self._cost = lower, np.where(width > 0, width, np.inf), cost
        self._inputs = max(1, int(np.count_nonzero(width > 0)))
        steps = np.abs(cost * np.where(width > 0, width, 0.0))
        self._step = float(np.median(steps[steps > 0])) if (steps > 0).any() else np.inf
        points = np.array([c.scouted.x for c in fine]).reshape(len(fine), len(lower))
        other = reference(fine) if fine else None
        target = np.array([c.against(other) - c.scouted.total for c in fine if other is not None])
        self._mean = float(np.median(target)) if fine else 0.0
        self._level = float(np.median(points @ cost)) if fine else 0.0
        believed, seen = (SPREAD * self._mean) ** 2, float(((target - self._mean) ** 2).sum())
        self.spread = math.sqrt((BELIEF * believed + seen) / (BELIEF + len(fine)))
        self._features = self._of(points)
        self._inverse = np.linalg.inv(self._features @ self._features.T + NOISE * np.eye(len(fine)))
        self._weights = self._inverse @ (target - self._mean)

    def __call__(self, points: Floats) -> Floats:
        """Premiums (k,) at ``points`` (k, n1), >= 0."""
        return np.asarray(np.maximum(0.0, self._mean + self._of(points) @ self._features.T @ self._weights))

    def doubt(self, points: Floats) -> Floats:
        """Their standard deviations (k,): about :attr:`spread` where nothing like them was tried, infinite where nothing was."""
        if not len(self._weights):
            return np.full(len(points), np.inf)
        own = self._of(points)
        like = own @ self._features.T
        left = np.maximum(0.0, (own**2).sum(axis=1) - np.einsum("ki,ij,kj->k", like, self._inverse, like))
        return np.asarray(self.spread * np.sqrt((left + NOISE) / (1.0 + NOISE)))

    def _of(self, points: Floats) -> Floats:
        """(k, features): a constant and the place in the box, of size 1 together at a corner; what is spent, in typical steps."""
        place = np.where(np.isfinite(self._width), (points - self._lower) / self._width - 0.5, 0.0)
        spent = (points @ self._cost - self._level) / self._step
        constant = np.ones(len(points))
        return np.column_stack([constant * math.sqrt(0.5), place * math.sqrt(2.0 / self._inputs), spent])
