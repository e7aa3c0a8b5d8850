"""The integer L-shaped search: binary first stage, any linear or integer second stage, scenario by scenario.

A master problem in x and one theta for each scenario, an underestimate of its cost. Cuts come from the linear relaxation of
the second stage at the points that the master proposes (Benders; Birge and Louveaux 2011, section 5.1). A binary point whose
relaxed cost is below the best known is evaluated exactly, and then excluded: it has been looked at (Laporte and Louveaux 1993,
with the exclusion in the place of their optimality cut). The master's bound is a bound of the program.

Where all decisions can be listed there is no master problem: each one has bounds of its own, and where sides of rows alone are
random every cut is one of all scenarios (:mod:`.decision_bounds`).
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace

import numpy as np

from bilevel_lang.errors import SolverFailedError
from bilevel_lang.reformulation.stochastic.arrays import TwoStageArrays
from bilevel_lang.reformulation.stochastic.decision_bounds import DecisionBounds
from bilevel_lang.reformulation.stochastic.enumeration import EnumeratedMaster, binary_points, is_small
from bilevel_lang.reformulation.stochastic.master import CutRows, Estimates, master_program
from bilevel_lang.reformulation.stochastic.recourse import Answers, all_second, recourse_at
from bilevel_lang.reformulation.stochastic.second_stage import SecondStage
from bilevel_lang.reformulation.stochastic.side_cuts import SideStage, sides_alone
from bilevel_lang.solvers.highs import Highs
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.solver import SolverOptions, Termination

WARM_ROUNDS = 40
"""Rounds with the relaxed first stage, before the binary ones."""

VIOLATED = 1e-6
"""A cut that is violated by less (relative to max(1, |value|)) is not worth another master."""

REACHED = 1e-9
"""The bound has arrived when it is this near to the best known value, relative."""


@dataclass(frozen=True, eq=False)
class Found:
    """``x`` (n1,), ``y`` (S, n2) of the best point, None without; ``value`` and ``bound`` in the program's own sense.

    ``solves`` counts second stages, relaxed or not.
    """

    termination: Termination
    x: Floats | None
    y: Floats | None
    value: float
    bound: float
    rounds: int
    evaluated: int
    solves: int


def search(arrays: TwoStageArrays, time_limit: float | None = None, gap: float | None = None) -> Found:
    """Solve; ``time_limit`` in seconds, ``gap`` relative. The first stage must be binary, and no row may tie scenarios
    together. Ctrl-C ends the search with what it has, as INTERRUPTED."""
    assert not arrays.couplings
    deadline = None if time_limit is None else time.perf_counter() + time_limit
    return _Search(arrays, deadline, REACHED if gap is None else max(gap, REACHED)).run()


@dataclass(frozen=True, eq=False)
class _Relaxed:
    """What the relaxed second stage costs at a point: ``values`` (S,) and ``slopes`` (S, n1), as a minimisation; None:
    infeasible."""

    values: Floats
    slopes: Floats


class _Search:
    def __init__(self, arrays: TwoStageArrays, deadline: float | None, gap: float) -> None:
        self.arrays, self.deadline, self.gap = arrays, deadline, gap
        self.stage = SecondStage(arrays, relaxed=True, deadline=deadline)
        self.ended: Termination | None = None
        first = replace(arrays.first, integer=np.zeros(len(arrays.first.integer), dtype=bool))
        self.relaxed = replace(arrays, first=first, integer=np.zeros(len(arrays.integer), dtype=bool))
        self.sense, self.weights = arrays.sense, arrays.probabilities
        self.cost = self.sense * arrays.first.cost
        self.cuts = CutRows()
        self.excluded: list[Floats] = []
        self.best, self.bound = math.inf, -math.inf
        self.x: Floats | None = None
        self.y: Floats | None = None
        self.rounds = self.evaluated = self.solved = self.sides = 0
        self.listed: EnumeratedMaster | None = None

    def run(self) -> Found:
        try:
            self._search()
        except KeyboardInterrupt:
            self.ended = Termination.INTERRUPTED
        return self._found()

    def _search(self) -> None:
        listed = is_small(self.arrays.first, self.arrays.scenarios)
        if listed and sides_alone(self.arrays):
            self._go_through()
            return
        self.floor = self._floor()
        if listed:
            self.listed = EnumeratedMaster(self.arrays.first, self.cost, self.weights, self.floor)
        for _ in range(WARM_ROUNDS):
            if self._over() or not self._warm():
                break
        while not self._over():
            self.rounds += 1
            master = self._master(integer=True)
            if master is None:
                self.bound = self.best  # every binary point has been looked at or is infeasible
                break
            x, theta, bound = master
            self.bound = min(max(self.bound, bound), self.best)
            if self._arrived():
                break
            self._look_at(np.rint(x), theta)

    def _go_through(self) -> None:
        """All decisions, from the least bound on."""
        points = binary_points(self.arrays.first)
        late = self.sense * self.arrays.everywhere("first_cost")
        first = points @ (self.cost + self.weights @ late)
        sides = SideStage(self.arrays)
        bounds = DecisionBounds(sides, points, first, self.weights, self.deadline)
        while not self._over():
            limit = self.best - self.gap * max(1.0, abs(self.best)) if math.isfinite(self.best) else math.inf
            place = bounds.lowest(limit)
            self.rounds, self.sides, self.bound = bounds.rounds, sides.solves, min(bounds.least, self.best)
            if place is None:
                break
            x = points[place]
            if not self._evaluate(x, float(self.cost @ x), bounds.costs(place) + late @ x):
                break
            bounds.close(place)

    # --- Bounds.

    def _floor(self) -> Floats:
        """The least that each scenario can cost, whatever is decided before."""
        free = replace(self.relaxed, first=replace(self.relaxed.first, cost=np.zeros(len(self.cost))))
        values = self.sense * recourse_at(all_second(free), np.zeros(0), self.deadline).values
        return np.where(np.isfinite(values), values, np.where(values > 0, 0.0, -1e12))

    def _arrived(self) -> bool:
        return math.isfinite(self.best) and self.best - self.bound <= self.gap * max(1.0, abs(self.best))

    def _over(self) -> bool:
        return self.ended is not None or (self.deadline is not None and time.perf_counter() >= self.deadline)

    # --- Rounds.

    def _warm(self) -> bool:
        """One cut round with the first stage relaxed; whether it has moved anything."""
        master = self._master(integer=False)
        if master is None:
            return False
        x, theta, _ = master
        found = self._relaxed_at(x)
        return found is not None and self._cut(x, theta, found)

    def _look_at(self, x: Floats, theta: Floats) -> None:
        found = self._relaxed_at(x)
        if found is None:
            if not self._over():
                self._exclude(x)
            return
        base = float(self.cost @ x)
        if self._cut(x, theta, found) or base + float(self.weights @ found.values) >= self.best:
            if base + float(self.weights @ found.values) >= self.best:
                self._exclude(x)
            return
        self._evaluate(x, base, found.values)
        self._exclude(x)

    def _evaluate(self, x: Floats, base: float, relaxed: Floats) -> bool:
        """The point's own cost, until it is clear that it is no better than the best known; False where time was over before."""
        answers = Answers(self.arrays, self.deadline)
        self.evaluated += 1
        values = relaxed.copy()
        for number in np.argsort(-self.weights * np.abs(relaxed), kind="stable"):
            part = self.arrays.scenario(int(number))
            constant = part.constant + float(part.first_cost @ x)
            self.solved += 1
            answers.solve(int(number), replace(part, constant=constant), part.technology @ x, None)
            values[number] = self.sense * answers.values[number]
            if math.isnan(values[number]) and self._over():
                return False
            if math.isnan(values[number]):
                raise SolverFailedError(
                    f"scenario {number + 1} could not be solved by itself", help="use --method extensive-form"
                )
            if math.isinf(values[number]):
                return True  # no decision for a scenario, however improbable, is no decision
            if base + float(self.weights @ values) >= self.best:
                return True
            if self._over():
                return False
        self.best, self.x, self.y = base + float(self.weights @ values), x, answers.y
        return True

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

    # --- Subproblems.

    def _relaxed_at(self, x: Floats) -> _Relaxed | None:
        """None where a scenario has no answer, or where time is over."""
        found = self.stage.costs(x[None, :])
        if found is None or found.slopes is None or not np.isfinite(found.values).all():
            return None
        first = self.sense * self.arrays.everywhere("first_cost")
        return _Relaxed(found.values[0] + first @ x, found.slopes[0] + first)

    def _master(self, integer: bool) -> tuple[Floats, Floats, float] | None:
        """The best point of the master, its thetas and its bound; None where it has none."""
        if integer and self.listed is not None:
            return self.listed.best()
        first, count = self.arrays.first, self.arrays.scenarios
        n = len(first.lower)
        further = []
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

    def _found(self) -> Found:
        constant = self.arrays.first.constant
        done = self.ended is not Termination.INTERRUPTED and (self._arrived() or self.bound >= self.best)
        cut_short = self.ended or Termination.LIMIT
        solves = self.solved + self.stage.solves + self.sides
        if self.x is None:
            ended = Termination.INFEASIBLE if done else cut_short
            return Found(ended, None, None, math.nan, self.sense * self.bound + constant, self.rounds, self.evaluated, solves)
        ended = Termination.OPTIMAL if done else cut_short
        value, bound = self.sense * self.best + constant, self.sense * min(self.bound, self.best) + constant
        return Found(ended, self.x, self.y, value, bound, self.rounds, self.evaluated, solves)
