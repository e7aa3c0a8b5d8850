"""The bounding scheme: a relaxation from below, answers of the followers from above, a cut for every answer that is better.

Each round solves the relaxation to global optimality. Its optimum bounds the leader's from its good side; where every follower's
answer in it is optimal up to epsilon, it is the solution. Else the better answers give cuts, and (for one follower) the best
point for the leader at the same linking decisions is a solution that is not yet proven the best. The distance of the two bounds
goes to zero where a better answer stays feasible nearby.

Reference: Mitsos, Lemonidis and Barton 2008, J. Glob. Optim. 42:475; Mitsos 2010, J. Glob. Optim. 47:557.
"""

from __future__ import annotations

import math
import sys
import time
from dataclasses import replace

from pyomo.common.collections import ComponentMap

from bilevel_lang.errors import SolverFailedError
from bilevel_lang.problem import BilevelProblem
from bilevel_lang.reformulation.options import Options
from bilevel_lang.reformulation.value_function.nonconvex.judgement import Judge, Judged, NoAnswer
from bilevel_lang.reformulation.value_function.nonconvex.leader import SMALLEST_SIZE, LeaderGoal
from bilevel_lang.reformulation.value_function.nonconvex.relaxation import Relaxation
from bilevel_lang.solvers.registry import by_name
from bilevel_lang.solvers.solver import SolverOptions, SolverRun, Termination

LEADER_GAP = 1e-4
"""Relative distance of the two bounds at which the search ends, where no ``gap`` is asked for."""

INNER = 0.01
"""The share of it to which the relaxation is solved."""

STALLED = 3
"""Rounds that lead to the same point, after which the search gives up."""

SAME = 1e-9
"""Points closer than this, relative to max(1, |value|), are the same."""

BOXES = (1e3, 1e5)
"""Bounds for all variables where the relaxation has none: for a point to cut off, nothing else."""

UNBOUNDED = 5
"""Rounds without a bound, of a follower or of the relaxation, after which the search gives up."""


class Search:
    """One search; :meth:`run` may be called once."""

    def __init__(self, problem: BilevelProblem, relaxation: Relaxation, options: Options) -> None:
        self.problem, self.relaxation, self.options = problem, relaxation, options
        self.goal = LeaderGoal(problem)
        self.sense = self.goal.sense
        self.judge = Judge(problem, list(relaxation.scales), self._options)
        self.began = time.perf_counter()
        self.bound: float | None = None
        self.point: ComponentMap | None = None
        self.value = math.inf
        """The leader's objective at ``point``, times the sense."""
        self.inside = False
        """Whether ``point`` was found off a boundary on which the relaxation is stuck."""
        self.size = SMALLEST_SIZE
        """Of the terms of the leader's objective, at the last point."""
        self.rounds = self.nodes = 0
        self.boundless = 0
        self.stalled = 0
        self.last: ComponentMap | None = None

    def run(self) -> SolverRun:
        """Rounds until the bounds meet, or something stops them."""
        try:
            return self._rounds()
        except SolverFailedError as error:  # the bounds so far stand
            return self._end(Termination.FAILED, error.diagnostics[0].message)

    def _rounds(self) -> SolverRun:
        while True:
            self.rounds += 1
            if self.spent:
                return self._end(Termination.LIMIT, "time limit")
            found, proven = self._relaxed()
            if found.values is None or found.termination not in (Termination.OPTIMAL, Termination.LIMIT):
                return self._without_point(found)
            judged = self._judged(self._point_of(found))
            ended = self._take(judged, found, proven)
            self._tell()
            if ended is not None:
                return ended

    def _take(self, judged: Judged | NoAnswer, found: SolverRun, proven: bool) -> SolverRun | None:
        """What a point of the relaxation leads to; the end, or None where the search goes on."""
        if isinstance(judged, NoAnswer):
            return self._end(judged.termination, judged.said)
        if self.judge.accepts(judged):
            self._offer(judged)
            if proven and found.termination is Termination.OPTIMAL:
                return self._end(Termination.OPTIMAL, "every follower's answer in the relaxation is optimal")
        elif len(judged.answers) == 1 and judged.answers[0].bounded:
            self._best_for_the_leader(judged, found)
        if self._closed():
            return self._end(Termination.OPTIMAL, "the bounds have met")
        if found.termination is Termination.LIMIT:
            return self._end(Termination.LIMIT, "time limit")
        self.boundless += not (proven and all(a.bounded for a in judged.answers))
        if self.boundless >= UNBOUNDED:
            return self._end(Termination.LIMIT, self.judge.without_best(judged) or NO_BOUND)
        self._cut(judged)
        if self._is_stalled(judged.point):
            self._step_inside()
            if self.stalled >= STALLED and not self._closed():
                return self._end(Termination.LIMIT, STUCK)
        return self._end(Termination.OPTIMAL, "the bounds have met") if self._closed() else None

    # --- The two bounds

    def _relaxed(self) -> tuple[SolverRun, bool]:
        """The relaxation's optimum, and whether it is one: a point within a box is none."""
        found = self._solve()
        if found.bound is not None and math.isfinite(found.bound):
            better = self.bound is None or self.sense * found.bound > self.sense * self.bound
            self.bound = found.bound if better else self.bound
        if found.termination not in (Termination.UNBOUNDED, Termination.INFEASIBLE_OR_UNBOUNDED):
            return found, True
        for size in BOXES:
            with self.relaxation.boxed(size):
                boxed = self._solve()
            if boxed.values is not None:
                return boxed, False
        return found, True

    def _best_for_the_leader(self, judged: Judged, found: SolverRun) -> None:
        """The best of the follower's optimal answers for the leader, at the linking decisions of the point."""
        answer = judged.answers[0]
        assert answer.value is not None and found.values is not None
        with self.relaxation.fixed(found.values), self.relaxation.level(0, answer.value):
            upper = self._solve()
        if upper.values is None:
            return
        links = ComponentMap((t, found.values[t]) for t in self.relaxation.links if t in found.values)
        self._offer(replace(judged, point=self._point_of(upper, links)))

    def _step_inside(self) -> None:
        """Look for a solution off the boundary on which the relaxation is stuck."""
        with self.relaxation.strict():
            found = self._solve()
        if found.values is None:
            return
        judged = self._judged(self._point_of(found))
        if isinstance(judged, NoAnswer):
            return
        if self.judge.accepts(judged):
            self.inside = self._offer(judged) or self.inside
        else:
            self._cut(judged)

    def _solve(self) -> SolverRun:
        gap = INNER * self._wanted
        limits = {"limits/gap": gap, "limits/absgap": gap * min(1.0, self.size)}
        options = replace(self._options(), extra={**limits, **self.options.solver_options})
        run = by_name("scip").run(self.relaxation.model, options)
        self.nodes += run.nodes or 0
        return run

    # --- Points

    def _judged(self, point: ComponentMap) -> Judged | NoAnswer:
        self.size = self.goal.size(point)
        return self.judge.judge(point)

    def _cut(self, judged: Judged) -> None:
        for number, (answer, gap) in enumerate(zip(judged.answers, judged.gaps, strict=True)):
            if gap > 2 * self.relaxation.scales[number].epsilon and answer.values is not None:
                self.relaxation.add_cut(number, answer.values)

    def _offer(self, judged: Judged) -> bool:
        """Keep the point if it is the best so far, and say whether it is."""
        value = self.goal.value(judged.point)
        if self.point is not None and value >= self.value:
            return False
        self.point, self.value, self.inside = judged.point, value, False
        return True

    def _point_of(self, run: SolverRun, known: ComponentMap | None = None) -> ComponentMap:
        """The modeller's variables at a run of the relaxation; what is in no row keeps its value, or gets 0 or a bound."""
        assert run.values is not None
        found: ComponentMap = ComponentMap()
        for original, twin in self.relaxation.twin.variables.items():
            value = run.values.get(twin, original.value if known is None else known.get(twin, original.value))
            value = 0.0 if value is None else float(value)
            if not original.fixed:
                value = value if original.lb is None else max(value, float(original.lb))
                value = value if original.ub is None else min(value, float(original.ub))
            found[original] = value
        return found

    def _is_stalled(self, point: ComponentMap) -> bool:
        last, self.last = self.last, point
        same = last is not None and all(abs(value - last[v]) <= SAME * max(1.0, abs(value)) for v, value in point.items())
        self.stalled = self.stalled + 1 if same else 0
        return same

    # --- The end

    @property
    def _wanted(self) -> float:
        return LEADER_GAP if self.options.gap is None else self.options.gap

    @property
    def _spent_seconds(self) -> float:
        return time.perf_counter() - self.began

    @property
    def spent(self) -> bool:
        """Whether the time limit is used up."""
        return self.options.time_limit is not None and self._spent_seconds >= self.options.time_limit

    def _options(self) -> SolverOptions:
        limit = self.options.time_limit
        left = None if limit is None else max(0.1, limit - self._spent_seconds)
        return replace(self.options.for_solver(left), gap=None, verbose=False, extra={})

    def _closed(self) -> bool:
        if self.point is None or (self.goal and self.bound is None):
            return False
        if not self.goal:
            return True
        size = max(abs(self.value), min(1.0, self.goal.size(self.point)))
        return self.value - self.sense * (self.bound or 0.0) <= self._wanted * size

    def _without_point(self, found: SolverRun) -> SolverRun:
        if found.termination is Termination.INFEASIBLE and self.point is not None:
            said = "the relaxation has no point left although a solution is known: rounding, and the bound is none"
            self.bound = None
            return self._end(Termination.LOCALLY_OPTIMAL, said)
        if found.termination is Termination.INFEASIBLE:
            self.bound = None
        if found.termination in (Termination.UNBOUNDED, Termination.INFEASIBLE_OR_UNBOUNDED):
            said = "the relaxation has no bound, and nothing is proven: give the variables bounds"
            return self._end(Termination.FAILED, said)
        return self._end(found.termination, found.message)

    def _end(self, termination: Termination, said: str) -> SolverRun:
        if self.point is not None and termination is Termination.OPTIMAL:
            self.point = self.judge.tidied(self.point, self.options.tolerance)
        values = self._twin_values() if self.point is not None else None
        return SolverRun(
            termination,
            by_name("scip").version(),
            values=values,
            objective=self.sense * self.value if self.point is not None and self.goal else None,
            bound=self.bound,
            seconds=self._spent_seconds,
            message=f"{said}, after {self.rounds} rounds and {self.relaxation.cuts} cuts",
            iterations=self.rounds,
            nodes=self.nodes,
            cuts=self.relaxation.cuts,
            follower_solves=self.judge.solves,
            epsilon=self._epsilons() if values is not None else "",
        )

    def _twin_values(self) -> ComponentMap:
        assert self.point is not None
        return ComponentMap((twin, self.point[v]) for v, twin in self.relaxation.twin.variables.items())

    def _epsilons(self) -> str:
        """The tolerances of the answer, in words."""
        said = f"epsilon-optimal: bounds within {self._wanted:g} relative; {self.judge.tolerances()}"
        return f"{said}; {NOT_ATTAINED}" if self.inside else said

    def _tell(self) -> None:
        """A line for each round on stderr, if asked for."""
        if not self.options.verbose:
            return
        value = "-" if self.point is None else f"{self.sense * self.value:.8g}"
        bound = "-" if self.bound is None else f"{self.bound:.8g}"
        line = f"{self._spent_seconds:7.1f}s round {self.rounds:4d} incumbent {value:>16} bound {bound:>16}"
        sys.stderr.write(f"{line} cuts {self.relaxation.cuts:5d}\n")


NO_BOUND = "the relaxation has no bound: give the variables bounds"

NOT_ATTAINED = "the bound is perhaps approached and not attained: nearer to it a better answer of a follower becomes feasible"

STUCK = (
    "the search is stuck: the better answers become infeasible at the very decisions that they are answers to; "
    "perhaps the best value is approached there and not attained"
)


def run_search(problem: BilevelProblem, relaxation: Relaxation, options: Options) -> SolverRun:
    """The search, from the start; cuts that ``relaxation`` has already stay in it."""
    return Search(problem, relaxation, options).run()
