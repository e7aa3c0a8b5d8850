"""The bound: cuts of the second stage and a master program of them, until the two meet.

1. **In and out**: with the first stage relaxed, cuts are made half-way between what the master proposes and the best point so far
   (Ben-Ameur and Neto 2007, Networks 49:3; Fischetti, Ljubic and Sinnl 2016, Management Science 63:2146). What the master
   proposes is a corner, where multipliers have a wide choice and most of them say nothing of other decisions.
2. The same with **patterns** where an integer second stage is made of knapsacks: far above its linear relaxation
   (:mod:`bilevel_lang.solvers.branch_and_price.pattern_cuts`).
3. **Rounds** with the first stage as it is: the L-shaped method (Van Slyke and Wets 1969, SIAM J. Appl. Math. 17:638).

For a linear second stage its answer is the optimum. For an integer one the cuts stay below the true costs: the bound holds, and
what they leave is for a network. Every cut is computed from multipliers by arithmetic of our own.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from bilevel_lang.errors import SolverFailedError
from bilevel_lang.reformulation.nn_recourse.cuts import Cuts
from bilevel_lang.reformulation.nn_recourse.in_out import InOut
from bilevel_lang.reformulation.stochastic.arrays import TwoStageArrays
from bilevel_lang.reformulation.stochastic.elastic import elastic
from bilevel_lang.reformulation.stochastic.pattern_stage import PatternStage, pattern_stage
from bilevel_lang.reformulation.stochastic.second_stage import SecondStage
from bilevel_lang.solvers.highs import Highs
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.solver import SolverOptions, Termination

MEET = 1e-7
"""Relative gap at which the bound has arrived, where none is asked for."""

NEAR = 1e-4
"""Relative gap at which the first stage is no longer relaxed."""

MOST_ROUNDS = 2000

PATTERN_SECONDS = 60.0
"""For patterns, where there is no time limit."""

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
    """``cuts`` are left for others to use. ``run`` goes on from what is known, where it has been called before."""

    def __init__(self, arrays: TwoStageArrays, gap: float | None, deadline: float | None) -> None:
        self.arrays, self.gap, self.deadline = arrays, max(gap or 0.0, MEET), deadline
        self.linear = not arrays.integer.any()
        self.cuts = Cuts(arrays)
        self.stage = SecondStage(arrays, relaxed=True, deadline=deadline)
        self.patterns: PatternStage | None = None
        self._elastic: SecondStage | None = None
        self.x: Floats | None = None
        self.centre: Floats | None = None
        self.value, self.bound, self.seconds = np.inf, -np.inf, 0.0
        self._begun = False
        self.visited: list[Floats] = []

    def stop_at(self, deadline: float | None) -> None:
        """Another deadline from now on."""
        self.deadline = deadline
        self.stage.stop_at(deadline)
        if self._elastic is not None:
            self._elastic.stop_at(deadline)

    def run(self, patterns: bool = True) -> Bounded:
        """With ``patterns``, where the second stage has them, or by its linear relaxation alone.

        Raises RefusedError for a second stage without limit, SolverFailedError where a program of HiGHS's ends otherwise.
        """
        began = time.perf_counter()
        ended = self._phases(patterns)
        self.seconds += time.perf_counter() - began
        return self.known(ended)

    def known(self, ended: Termination) -> Bounded:
        """What there is by now."""
        points = np.array(self.visited).reshape(-1, len(self.arrays.first.lower))
        # Of an integer second stage the value is that of cuts, and more of them may raise the bound above it.
        bound = min(self.bound, self.value) if self.linear else self.bound
        solves = self.stage.solves + (0 if self.patterns is None else self.patterns.solves)
        return Bounded(ended, self.x, self.value, bound, points, solves, self.seconds)

    def _phases(self, patterns: bool) -> Termination:
        if not self._begun:
            self._begun = True
            ended = self._in_and_out(self.cuts.middle())
            if ended is not Termination.OPTIMAL:
                return ended
        if patterns and self.patterns is None:
            self.patterns = pattern_stage(self.arrays)
            if self.patterns is not None:
                if self.deadline is None:
                    self.stop_at(time.perf_counter() + PATTERN_SECONDS)
                self.x, self.value = None, np.inf
                ended = self._in_and_out(self.centre)
                if ended is not Termination.OPTIMAL:
                    return ended
        return self._rounds()

    # --- The first stage relaxed.

    def _in_and_out(self, start: Floats | None) -> Termination:
        """From ``start`` on: OPTIMAL where the relaxed program is solved to a small gap, INFEASIBLE where it has no decision."""
        path = InOut(start)
        tolerance = max(self.gap, NEAR)
        for _ in range(MOST_ROUNDS):
            found = self._master(False)
            if isinstance(found, Termination):
                if found is Termination.INFEASIBLE:
                    self.bound = np.inf
                return found
            if np.isfinite(path.value) and path.value - self.bound <= tolerance * max(1.0, abs(path.value)):
                return Termination.OPTIMAL
            point = path.between(found, self.bound)
            cost = self._look_at(point, False)
            if cost is None:
                return Termination.LIMIT
            path.enter(point, cost + self.cuts.first_cost(point))
            self.centre = path.centre
        return Termination.LIMIT

    # --- The first stage as it is.

    def _rounds(self) -> Termination:
        for _ in range(MOST_ROUNDS):
            found = self._master(True)
            if isinstance(found, Termination):
                if found is Termination.INFEASIBLE:
                    self.bound = self.value
                    return Termination.INFEASIBLE if self.x is None else Termination.OPTIMAL
                return found
            if self._look_at(np.where(self.arrays.first.integer, np.rint(found), found), True) is None:
                return Termination.LIMIT
            if self.x is not None and self.value - self.bound <= self.gap * max(1.0, abs(self.value)):
                return Termination.OPTIMAL
        return Termination.LIMIT

    def _master(self, whole: bool) -> Floats | Termination:
        """What the master proposes (n1,); or INFEASIBLE, or LIMIT."""
        program = self.cuts.program(whole)
        run = Highs().run_matrix(program, SolverOptions(time_limit=self._left(), gap=self.gap / 10))
        if run.termination is Termination.INFEASIBLE:
            return Termination.INFEASIBLE
        if run.termination is Termination.INTERRUPTED:
            raise KeyboardInterrupt
        if self.cuts.slopes:
            if not program.integer.any() and run.row_duals is not None:
                self.bound = max(self.bound, self.cuts.proven(program, run.row_duals))
            elif run.bound is not None:
                self.bound = max(self.bound, run.bound)
        if run.x is None:
            if run.termination is not Termination.LIMIT:
                raise SolverFailedError(f"the master program of the cuts ended {run.termination.value}", help="rescale the model")
            return Termination.LIMIT
        return run.x[: len(self.arrays.first.lower)]

    # --- Points.

    def _look_at(self, x: Floats, whole: bool) -> float | None:
        """The expected cost of the second stage at ``x`` as far as cuts know it, with new ones; None where time is over."""
        found = self.stage.costs(x[None, :])
        if found is None or found.slopes is None:
            return None
        if not np.isfinite(found.values).all():
            return self._border(x)
        bounds, slopes = found.bounds[0], found.slopes[0]
        if self.patterns is not None:
            bounds, slopes = self.patterns.raised(x, bounds, slopes, self.deadline)
        self.visited.append(x)
        self.cuts.add(x, bounds, slopes)
        cost = float(self.arrays.probabilities @ found.values[0])
        if not self.linear:
            cost = max(cost, float(self.cuts.expected(x[None, :])[0]))
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
        worst = np.flatnonzero(found.bounds[0] > VIOLATED)
        for number in worst.tolist():
            self.cuts.forbid(x, float(found.bounds[0, number]), found.slopes[0, number])
        if not worst.size:
            raise SolverFailedError(
                "a scenario has no answer, but not by any row that is violated by more than 1e-7", help="rescale the model"
            )
        return np.inf

    def _left(self) -> float | None:
        return None if self.deadline is None else max(1e-3, self.deadline - time.perf_counter())
