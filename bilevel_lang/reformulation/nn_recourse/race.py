"""Decisions that are compared scenario by scenario: each is solved no further than it takes to see that another one is better.

Every one starts from the costs of the relaxed second stage, which are bounds. What a few scenarios cost more than that estimates
the rest: promising decisions go first, and those that look hopeless last, where only the proof is left.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bilevel_lang.reformulation.stochastic.expectation import expected
from bilevel_lang.solvers.program import Floats

PROBED = 3
"""Scenarios that every decision is tried on before the first one is solved to its end."""

SURE, SPREAD = 8, 2.0
"""From so many scenarios on a decision looks hopeless where its estimate is so many standard errors above the best."""


@dataclass
class Runner:
    """``bounds`` (S,) are proven costs of the scenarios at ``x`` (n1,), ``values`` those that were found; ``first``: of ``x``.

    ``order`` (S,): in which scenarios are solved, of which ``done`` are; ``weights`` (S,) their probabilities.
    """

    key: bytes
    x: Floats
    first: float
    relaxed: Floats
    weights: Floats
    order: np.ndarray
    done: int = 0

    def __post_init__(self) -> None:
        self.values, self.bounds = self.relaxed.copy(), self.relaxed.copy()

    @property
    def finished(self) -> bool:
        """Whether every scenario was solved."""
        return self.done == len(self.order)

    @property
    def least(self) -> float:
        """Proven of the total."""
        return self.first + float(expected(self.bounds, self.weights))

    @property
    def second(self) -> float:
        """What the second stage costs, where it is finished."""
        return float(expected(self.values, self.weights))

    def estimate(self) -> tuple[float, float]:
        """Of the total, and its standard error (infinite of fewer than two scenarios)."""
        seen = self.order[: self.done]
        base = self.first + float(expected(self.relaxed, self.weights))
        if not self.done or not np.isfinite(base):
            return base, math.inf
        more = self.values[seen] - self.relaxed[seen]
        error = float(more.std(ddof=1)) / math.sqrt(self.done) if self.done > 1 else math.inf
        return base + float(more.mean()), error

    def hopeless(self, limit: float) -> bool:
        """Whether it is likely, not proven, that the total is above ``limit``."""
        guess, error = self.estimate()
        return self.done >= SURE and guess - SPREAD * error > limit

    def step(self, solve: Callable[[int, Floats], tuple[float, float] | None]) -> bool:
        """Solve one more scenario; False where there is no time."""
        found = solve(int(self.order[self.done]), self.x)
        if found is None:
            return False
        self.enter(*found)
        return True

    def enter(self, value: float, bound: float) -> None:
        """What the next scenario in the order costs."""
        number = int(self.order[self.done])
        self.values[number], self.bounds[number] = value, max(bound, self.relaxed[number])
        self.done += 1
