"""The bound: cuts of the linear (or linearly relaxed) second stage at what the master proposes, until the two meet.

For a linear second stage that is the L-shaped method (Van Slyke and Wets 1969, SIAM J. Appl. Math. 17:638), and its answer is the
optimum. For an integer one the cuts stay below the true costs: the bound holds, and what they leave is for a network.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from bilevel_lang.errors import SolverFailedError
from bilevel_lang.reformulation.nn_recourse.cuts import Cuts
from bilevel_lang.reformulation.stochastic.arrays import TwoStageArrays
from bilevel_lang.reformulation.stochastic.elastic import elastic
from bilevel_lang.reformulation.stochastic.second_stage import SecondStage
from bilevel_lang.solvers.highs import Highs
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.solver import SolverOptions, Termination

MEET = 1e-7
"""Relative gap at which the bound has arrived, where none is asked for."""

MOST_ROUNDS = 2000

VIOLATED = 1e-7
"""What counts as a violation of the second stage's rows."""


@dataclass(frozen=True, eq=False)
class Bounded:
    """``x`` (n1,) is the best decision for the (relaxed) second stage, ``value`` its cost, ``bound`` proven; of a minimisation.

    ``visited`` (k, n1): all decisions at which the second stage was solved. ``ended``: OPTIMAL, INFEASIBLE or LIMIT.
    """

    ended: Termination
    x: Floats | None
    value: float
    bound: float
    visited: Floats
    solves: int
    seconds: float


class Bounding:
    """One run; ``cuts`` are left for others to use."""

    def __init__(self, arrays: TwoStageArrays, gap: float | None, deadline: float | None) -> None:
        self.arrays, self.gap, self.deadline = arrays, max(gap or 0.0, MEET), deadline
        self.cuts = Cuts(arrays)
        self.stage = SecondStage(arrays, relaxed=True, deadline=deadline)
        self._elastic: SecondStage | None = None
        self.x: Floats | None = None
        self.value, self.bound = np.inf, -np.inf
        self.visited: list[Floats] = []

    def stop_at(self, deadline: float | None) -> None:
        """Another deadline from now on."""
        self.deadline = deadline
        self.stage.stop_at(deadline)

    def run(self) -> Bounded:
        """Raises RefusedError for a second stage without limit, SolverFailedError where a program of HiGHS's ends otherwise."""
        began = time.perf_counter()
        ended = Termination.LIMIT
        for whole in (False, True) if self.arrays.first.integer.any() else (True,):
            ended = self._rounds(whole)
            if ended is not Termination.OPTIMAL:
                break
        points = np.array(self.visited).reshape(-1, len(self.arrays.first.lower))
        seconds = time.perf_counter() - began
        return Bounded(ended, self.x, self.value, min(self.bound, self.value), points, self.stage.solves, seconds)

    def _rounds(self, whole: bool) -> Termination:
        for _ in range(MOST_ROUNDS):
            run = Highs().run_matrix(self.cuts.program(whole), SolverOptions(time_limit=self._left(), gap=self.gap / 10))
            if run.termination is Termination.INFEASIBLE:
                if whole or not self.arrays.first.integer.any():
                    self.bound = self.value
                return Termination.INFEASIBLE if self.x is None else Termination.OPTIMAL
            if self.cuts.slopes and run.bound is not None:
                self.bound = max(self.bound, run.bound)
            if run.x is None:
                if run.termination is not Termination.LIMIT:
                    raise SolverFailedError(
                        f"the master program of the cuts ended {run.termination.value}", help="rescale the model"
                    )
                return Termination.LIMIT
            x = run.x[: len(self.arrays.first.lower)]
            x = np.where(self.arrays.first.integer & whole, np.rint(x), x)
            expected = float(run.x[len(x) :].sum())
            cost = self._look_at(x, whole)
            if cost is None:
                return Termination.LIMIT
            if whole and self.x is not None and self.value - self.bound <= self.gap * max(1.0, abs(self.value)):
                return Termination.OPTIMAL
            if np.isfinite(cost) and self.cuts.slopes and cost - expected <= self.gap * max(1.0, abs(cost)) and not whole:
                return Termination.OPTIMAL
        return Termination.LIMIT

    def _look_at(self, x: Floats, whole: bool) -> float | None:
        """The expected cost of the second stage at ``x``, with cuts; None where time is over."""
        found = self.stage.costs(x[None, :])
        if found is None or found.slopes is None:
            return None
        if not np.isfinite(found.values).all():
            return self._border(x)
        cost = float(self.arrays.probabilities @ found.values[0])
        self.visited.append(x)
        self.cuts.add(x, found.values[0], found.slopes[0])
        if whole and cost + self.cuts.first_cost(x) < self.value:
            self.x, self.value = x, cost + self.cuts.first_cost(x)
        return cost

    def _border(self, x: Floats) -> float | None:
        """Cut off a decision that leaves scenarios without an answer."""
        if self._elastic is None:
            self._elastic = SecondStage(elastic(self.arrays), relaxed=True, deadline=self.deadline)
        found = self._elastic.costs(x[None, :])
        if found is None or found.slopes is None:
            return None
        worst = np.flatnonzero(found.values[0] > VIOLATED)
        for number in worst.tolist():
            self.cuts.forbid(x, float(found.values[0, number]), found.slopes[0, number])
        if not worst.size:
            raise SolverFailedError(
                "a scenario has no answer, but not by any row that is violated by more than 1e-7", help="rescale the model"
            )
        return np.inf

    def _left(self) -> float | None:
        return None if self.deadline is None else max(1e-3, self.deadline - time.perf_counter())
