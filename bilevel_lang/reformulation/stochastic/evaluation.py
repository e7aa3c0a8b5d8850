"""What one first-stage decision costs, scenario by scenario: begun, put aside, and gone on with where it was."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from bilevel_lang.errors import SolverFailedError
from bilevel_lang.reformulation.stochastic.arrays import TwoStageArrays
from bilevel_lang.reformulation.stochastic.expectation import mixed
from bilevel_lang.reformulation.stochastic.recourse import Answers
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.solver import Termination

HURRIED = 1e-2
"""Relative gap of the second stage's MILPs where there is no time for their end: they take half the time and less."""

SHARES = 5.0
"""Of equal shares of the time that is left, for one scenario: they differ, and the mean of them counts."""


class Evaluation:
    """Of ``x`` (n1,), which costs ``base`` in the first stage; everything as a minimisation.

    ``least`` (S,) is proven of each scenario's cost, ``values`` (S,) are attained by ``y`` (S, n2), NaN where a scenario is not
    solved yet. ``possible``: no scenario was found to have no answer. ``solves`` counts.
    """

    def __init__(self, arrays: TwoStageArrays, x: Floats, base: float, least: Floats) -> None:
        self.arrays, self.x, self.base = arrays, x, base
        self.weights, self.least = arrays.probabilities, least.copy()
        self.values = np.full(arrays.scenarios, np.nan)
        self.possible, self.solves = True, 0
        self._seconds, self._exact = 0.0, 0
        self._mixed = mixed(arrays.probabilities, 0)
        self._answers = Answers(arrays, unfinished=True)

    @property
    def y(self) -> Floats:
        """(S, n2), NaN where a scenario is not solved."""
        return self._answers.y

    @property
    def finished(self) -> bool:
        """Whether every scenario has an answer."""
        return self.possible and not bool(np.isnan(self.values).any())

    @property
    def total(self) -> float:
        """What it costs by the answers there are; NaN before every scenario has one."""
        return self.base + float(self.weights @ self.values)

    @property
    def proven(self) -> float:
        """What it costs at least; +inf without an answer in a scenario, however improbable."""
        paid = self.weights > 0
        return self.base + float(self.weights[paid] @ self.least[paid]) if self.possible else np.inf

    @property
    def left(self) -> int:
        """How many scenarios have no answer yet."""
        return int(np.isnan(self.values).sum())

    @property
    def seconds_each(self) -> float:
        """What one scenario takes to its end, by those that were solved; infinite before the first one."""
        return self._seconds / self._exact if self._exact else np.inf

    def raise_least(self, least: Floats) -> None:
        """More is proven (S,) of the scenarios."""
        self.least = np.maximum(self.least, least)

    def advance(self, limit: float, deadline: float | None, most: int | None = None, shared: bool = False) -> None:
        """Solve until it is finished, proven to cost ``limit`` at least, ``most`` scenarios are, or the ``deadline`` has passed.

        ``shared``: every scenario is to have an answer. Where the time does not suffice they are solved to :data:`HURRIED`, and
        none takes much more than its share of it. Raises SolverFailedError for a scenario that comes to no end.
        """
        asked = 0
        while self.left:
            # The greatest costs first are soonest beyond a limit; without one, those that are solved are to be like the others.
            order = np.argsort(-self.weights * np.abs(self.least), kind="stable") if np.isfinite(limit) else self._mixed
            for number in order[np.isnan(self.values[order])].tolist():
                now = time.perf_counter()
                late = deadline is not None and now >= deadline
                if late or self.proven >= limit or (most is not None and asked >= most):
                    return
                until, gap = deadline, None
                if shared and deadline is not None:
                    share = (deadline - now) / self.left
                    until = min(deadline, now + SHARES * share)
                    gap = HURRIED if self._exact and self.seconds_each > share else None
                self._solve(number, until, gap)
                asked += 1

    def sharpen(self, deadline: float | None) -> None:
        """Solve to their end the scenarios that were left before it, as far as there is time; it must be finished."""
        for number in np.flatnonzero(self.values > self.least).tolist():
            if deadline is not None and time.perf_counter() >= deadline:
                return
            before, y = self.values[number], self.y[number].copy()
            self._solve(number, deadline, None)
            if not self.values[number] <= before:  # stopped at something worse
                self.values[number], self.y[number] = before, y

    def _solve(self, number: int, until: float | None, gap: float | None) -> None:
        began, sense = time.perf_counter(), self.arrays.sense
        part = self.arrays.scenario(number)
        constant = part.constant + float(part.first_cost @ self.x)
        self._answers.stop_at(until)
        ended = self._answers.solve(number, replace(part, constant=constant), part.technology @ self.x, gap)
        self.solves += 1
        if gap is None:
            self._seconds, self._exact = self._seconds + time.perf_counter() - began, self._exact + 1
        value = sense * self._answers.values[number]
        if np.isnan(value):
            if ended is not Termination.LIMIT:
                raise SolverFailedError(
                    f"scenario {number + 1} could not be solved by itself", help="use --method extensive-form"
                )
            return
        exact = ended is not Termination.LIMIT and gap is None
        proven = value if exact else sense * self._answers.bounds[number]
        self.values[number], self.least[number] = value, max(self.least[number], proven)
        self.possible = self.possible and value != np.inf
