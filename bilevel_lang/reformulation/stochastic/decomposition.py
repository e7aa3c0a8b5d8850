"""The integer L-shaped search: binary first stage, any linear or integer second stage, scenario by scenario.

A master problem in x and one theta for each scenario, an underestimate of its cost. Cuts come from the linear relaxation of
the second stage at the points that the master proposes (Benders; Birge and Louveaux 2011, section 5.1). A binary point whose
relaxed cost is below the best known is evaluated exactly, and then excluded: it has been looked at (Laporte and Louveaux 1993,
with the exclusion in the place of their optimality cut). Points that leave a scenario's relaxation without an answer are cut off
with all that do so for the same reason (:mod:`.borders`). The master's bound is a bound of the program.

Where all decisions can be listed there is no master problem: each one has bounds of its own, and where sides of rows alone are
random every cut is one of all scenarios (:mod:`.listed_search`).
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace

import numpy as np

from bilevel_lang.reformulation.stochastic.arrays import TwoStageArrays
from bilevel_lang.reformulation.stochastic.borders import Borders, borders_at
from bilevel_lang.reformulation.stochastic.enumeration import EnumeratedMaster, is_small
from bilevel_lang.reformulation.stochastic.evaluation import Evaluation
from bilevel_lang.reformulation.stochastic.incumbent import Found, Incumbent
from bilevel_lang.reformulation.stochastic.listed_search import ListedSearch
from bilevel_lang.reformulation.stochastic.master import CutRows, Estimates, master_program
from bilevel_lang.reformulation.stochastic.recourse import all_second, recourse_at
from bilevel_lang.reformulation.stochastic.second_stage import SecondStage
from bilevel_lang.reformulation.stochastic.side_cuts import sides_alone
from bilevel_lang.solvers.highs import Highs
from bilevel_lang.solvers.matrix import Ints
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.solver import SolverOptions, Termination

WARM_ROUNDS = 40
"""Rounds with the relaxed first stage, before the binary ones."""

WARM_SHARE, ANSWER_SHARE = 0.25, 0.5
"""Of a time limit, for those, and for whatever comes before the first decision that is evaluated: there must be an answer."""

VIOLATED = 1e-6
"""A cut that is violated by less (relative to max(1, |value|)) is not worth another master."""

REACHED = 1e-9
"""The bound has arrived when it is this near to the best known value, relative."""


def search(arrays: TwoStageArrays, time_limit: float | None = None, gap: float | None = None) -> Found:
    """Solve; ``time_limit`` in seconds, ``gap`` relative. The first stage must be binary, and no row may tie scenarios
    together. Ctrl-C ends the search with what it has, as INTERRUPTED."""
    assert not arrays.couplings
    deadline = None if time_limit is None else time.perf_counter() + time_limit
    incumbent = Incumbent(arrays, REACHED if gap is None else max(gap, REACHED))
    if is_small(arrays.first, arrays.scenarios) and sides_alone(arrays):
        return ListedSearch(arrays, incumbent, deadline).run()
    return _Search(arrays, incumbent, deadline).run()


@dataclass(frozen=True, eq=False)
class _Relaxed:
    """What the relaxed second stage costs at a point: ``values`` (S,) and ``slopes`` (S, n1), as a minimisation; None:
    infeasible."""

    values: Floats
    slopes: Floats


class _Search:
    def __init__(self, arrays: TwoStageArrays, incumbent: Incumbent, deadline: float | None) -> None:
        self.arrays, self.incumbent, self.deadline = arrays, incumbent, deadline
        self.stage = SecondStage(arrays, relaxed=True, deadline=deadline)
        self.ended: Termination | None = None
        first = replace(arrays.first, integer=np.zeros(len(arrays.first.integer), dtype=bool))
        self.relaxed = replace(arrays, first=first, integer=np.zeros(len(arrays.integer), dtype=bool))
        self.sense, self.weights = arrays.sense, arrays.probabilities
        self.cost = self.sense * arrays.first.cost
        self.cuts = CutRows()
        self.excluded: list[Floats] = []
        self.borders: list[Borders] = []
        self.bound, self.rounds = -math.inf, 0
        self.one: float | None = None
        self.listed: EnumeratedMaster | None = None

    def run(self) -> Found:
        try:
            self._search()
            self.incumbent.sharpen(self.deadline)
        except KeyboardInterrupt:
            self.ended = Termination.INTERRUPTED
        return self.incumbent.found(self.ended, self.bound, self.rounds, self.stage.solves)

    def _search(self) -> None:
        now = time.perf_counter()
        warm, self.answer_by = (
            now + share * (np.inf if self.deadline is None else self.deadline - now) for share in (WARM_SHARE, ANSWER_SHARE)
        )
        self.floor = self._floor()
        if np.isposinf(self.floor).any():
            self.bound = math.inf  # a scenario has no answer, whatever is decided before
            return
        if is_small(self.arrays.first, self.arrays.scenarios):
            self.listed = EnumeratedMaster(self.arrays.first, self.cost, self.weights, self.floor)
        for _ in range(WARM_ROUNDS):
            if self._over() or time.perf_counter() >= warm or not self._warm():
                break
        while not self._over():
            self.rounds += 1
            master = self._master(integer=True)
            if master is None:
                self.bound = self.incumbent.best  # every binary point has been looked at or is infeasible
                break
            x, theta, bound = master
            self.bound = min(max(self.bound, bound), self.incumbent.best)
            if self.incumbent.arrived(self.bound):
                break
            self._look_at(np.rint(x), theta)

    # --- Bounds.

    def _floor(self) -> Floats:
        """The least that each scenario can cost, whatever is decided before; +inf without an answer."""
        free = replace(self.relaxed, first=replace(self.relaxed.first, cost=np.zeros(len(self.cost))))
        values = self.sense * recourse_at(all_second(free), np.zeros(0), self.deadline).values
        return np.where(np.isfinite(values), values, np.where(values > 0, np.inf, -1e12))

    def _over(self) -> bool:
        return self.ended is not None or (self.deadline is not None and time.perf_counter() >= self.deadline)

    # --- Rounds.

    def _warm(self) -> bool:
        """One cut round with the first stage relaxed; whether it has moved anything."""
        master = self._master(integer=False)
        if master is None:
            return False
        x, theta, bound = master
        self.bound = max(self.bound, bound)
        known = len(self.borders)
        found = self._relaxed_at(x)
        return len(self.borders) > known if found is None else self._cut(x, theta, found)

    def _look_at(self, x: Floats, theta: Floats) -> None:
        found = self._relaxed_at(x)
        if found is None:
            if not self._over():
                self._exclude(x)
            return
        decision = Evaluation(self.arrays, x, float(self.cost @ x), found.values)
        if (not self._cut(x, theta, found) or self._answer_is_due(decision)) and decision.proven < self.incumbent.best:
            self.incumbent.evaluate(decision, self.deadline)
        elif decision.proven < self.incumbent.best:
            return
        self._exclude(x)

    def _answer_is_due(self, decision: Evaluation) -> bool:
        """Whether the ``decision`` has to be evaluated now, cuts or not, so that there is an answer when time is over."""
        if self.deadline is None or self.incumbent.known is not None:
            return False
        if self.one is None:
            self.one = self.incumbent.timed(decision, self.deadline)
        now = time.perf_counter()
        return now >= self.answer_by or now + self.one >= self.deadline

    def _cut(self, x: Floats, theta: Floats, found: _Relaxed) -> bool:
        """Add what the point violates; whether there was something."""
        missing = found.values - theta
        chosen = np.flatnonzero(missing > VIOLATED * np.maximum(1.0, np.abs(found.values)))
        for number in chosen.tolist():
            slope = found.slopes[number]
            constant = float(found.values[number] - slope @ x)
            self.cuts.add(number, slope, constant)
            if self.listed is not None:
                self.listed.cut(number, slope, constant)
        return bool(chosen.size)

    def _exclude(self, x: Floats) -> None:
        self.excluded.append(x)
        if self.listed is not None:
            self.listed.exclude(x)

    def _forbid(self, x: Floats, stuck: Ints) -> None:
        """Cut off ``x``, which leaves the scenarios ``stuck`` (c,) without an answer, and what does so for the same reason."""
        borders = borders_at(self.arrays, x, stuck, self.deadline)
        if not len(borders.constants):
            return
        self.borders.append(borders)
        if self.listed is not None:
            self.listed.forbid(borders)

    # --- Subproblems.

    def _relaxed_at(self, x: Floats) -> _Relaxed | None:
        """None where a scenario has no answer, or where time is over."""
        found = self.stage.costs(x[None, :])
        if found is None or found.slopes is None:
            return None
        stuck = np.flatnonzero(~np.isfinite(found.values[0]))
        if stuck.size:
            self._forbid(x, stuck)
            return None
        first = self.sense * self.arrays.everywhere("first_cost")
        return _Relaxed(found.values[0] + first @ x, found.slopes[0] + first)

    def _master(self, integer: bool) -> tuple[Floats, Floats, float] | None:
        """The best point of the master, its thetas and its bound; None where it has none."""
        if integer and self.listed is not None:
            return self.listed.best()
        first, count = self.arrays.first, self.arrays.scenarios
        n = len(first.lower)
        further = [(b.slopes, np.full(len(b.constants), -math.inf), -b.constants) for b in self.borders]
        if self.excluded:
            points = np.array(self.excluded)
            further.append((1.0 - 2.0 * points, 1.0 - points.sum(axis=1), np.full(len(points), math.inf)))
        thetas = Estimates(self.floor, np.full(count, math.inf), self.weights)
        program = master_program(first, self.cost, np.full(n, integer), thetas, self.cuts, further)
        left = None if self.deadline is None else max(1e-3, self.deadline - time.perf_counter())
        run = Highs().run_matrix(program, SolverOptions(time_limit=left, gap=1e-7))
        if run.termination is Termination.INTERRUPTED:
            raise KeyboardInterrupt
        if run.x is None or run.bound is None:
            return None if run.termination is Termination.INFEASIBLE else self._stopped(n, count)
        return run.x[:n], run.x[n:], run.bound

    def _stopped(self, n: int, count: int) -> tuple[Floats, Floats, float]:
        """The master was cut short without a point: the search is over, its bound stays."""
        self.ended = Termination.LIMIT
        return np.zeros(n), np.full(count, math.inf), self.bound
