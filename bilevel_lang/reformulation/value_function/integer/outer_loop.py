"""The relaxation solved again and again by HiGHS, each time with the disjunctions of more answers and steps of the follower.

Answers (:mod:`.disjunctions`) say what the value is behind decisions that do not block them; steps (:mod:`.directions`) say what
an answer looks like that cannot be improved in some simple way. Where many rows can block an answer its disjunction says little,
and the steps, which few can stop, bring the relaxation near a best answer; where answers are hard to block they end the search.
"""

from __future__ import annotations

import math
import time
from dataclasses import replace

import numpy as np

from bilevel_lang.reformulation.value_function.integer.directions import Directions
from bilevel_lang.reformulation.value_function.integer.disjunctions import Disjunctions
from bilevel_lang.reformulation.value_function.integer.follower import OutOfTimeError, Response
from bilevel_lang.reformulation.value_function.integer.master import Master
from bilevel_lang.reformulation.value_function.integer.prepared import Prepared, with_best
from bilevel_lang.solvers.highs import Highs
from bilevel_lang.solvers.matrix import MatrixRun
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.solver import Termination
from bilevel_lang.solvers.tree_judge import TreeState

CLOSED = 1e-9
"""Relative gap at which the loop ends."""

ROUGH = 0.02
"""Relative gap of the relaxation while its points are no solutions: most of a MILP's time goes into the proof of its optimum, and
answers can be learned from any of its points."""

STEPS = 5
"""Steps that are looked for at a point that is no solution, at the least."""

COLUMNS = 20
"""One step more for every so many columns of the follower: the more it has, the more there is to improve."""


def outer_loop(prepared: Prepared) -> MatrixRun:
    """Solve until the relaxation's point is a solution, or its bound is that of the best one known. Raises RefusedError."""
    return OuterLoop(prepared).go(prepared.options.time_limit)


class OuterLoop:
    """A search that can be interrupted: :meth:`go` goes on where it stopped. ``rounds``: the relaxations solved to their gap."""

    def __init__(self, prepared: Prepared) -> None:
        self.extended, self.follower = prepared.extended, prepared.follower
        self.prepared = prepared
        self.sense = prepared.extended.program.sense
        self.pool = Disjunctions(self.extended)
        self.master = Master(self.extended)
        self.directions = Directions(self.extended, self.follower.options, self.follower.deadline)
        self.incumbent = prepared.incumbent
        self.bound = -math.inf
        self.nodes = self.rounds = 0
        self._gap = ROUGH
        self._started = time.perf_counter()
        self._until = math.inf

    def go(self, seconds: float | None) -> MatrixRun:
        """Search on for at most ``seconds``. LIMIT where they are over."""
        self._until = math.inf if seconds is None else time.perf_counter() + seconds
        last = self._rounds()
        gap_closed = last.termination is Termination.OPTIMAL
        bound = self.incumbent.objective if gap_closed else self.bound
        message = f"{last.message}; {len(self.pool)} disjunctions, {self.follower.solves} problems of the follower"
        run = replace(
            last,
            x=None,
            objective=None,
            bound=self.sense * bound if math.isfinite(bound) else None,
            nodes=self.nodes,
            cuts=len(self.pool),
            follower_solves=self.follower.solves,
            message=message,
        )
        return with_best(run, self.extended, self.incumbent.point)

    def _rounds(self) -> MatrixRun:
        while True:
            found = self._solve()
            self.nodes += found.nodes or 0
            if found.termination is Termination.INFEASIBLE:
                # Every solution satisfies the master problem, so none is left beside those found.
                ended = Termination.INFEASIBLE if self.incumbent.point is None else Termination.OPTIMAL
                return replace(found, termination=ended)
            if found.bound is not None:
                self.bound = max(self.bound, self.sense * found.bound)
            try:
                # A point is learned from even where the time for its proof was too short.
                solved = found.x is not None and self._learn(found.x[: self.extended.program.columns])
            except OutOfTimeError:
                return replace(found, termination=Termination.LIMIT)
            if found.termination is not Termination.OPTIMAL:
                return found
            self.rounds += 1
            if self._closed() or (solved and self._gap <= self._wanted()):
                return found
            if solved:
                self._gap = self._wanted()
            self._tell()

    def _solve(self) -> MatrixRun:
        options = replace(self.prepared.options, time_limit=None, gap=max(self._gap, self._wanted()))
        if math.isfinite(self._until):
            left = self._until - time.perf_counter()
            if left <= 0:
                return MatrixRun(Termination.LIMIT, Highs().version(), message="the time limit is reached")
            options = replace(options, time_limit=left)
        point = self.incumbent.point
        if point is not None and not self.follower.pessimistic:
            # In the pessimistic position decisions are taken out, that of the best point too.
            options = replace(options, extra={**options.extra, "start": self.master.point(point)})
        return Highs().run_matrix(self.master.program(), options)

    def _wanted(self) -> float:
        return max(self.prepared.options.gap or CLOSED, CLOSED)

    def _closed(self) -> bool:
        best = self.incumbent.objective
        return math.isfinite(best) and best - self.bound <= self._wanted() * max(1.0, abs(best))

    def _learn(self, z: Floats) -> bool:
        """Whether ``z`` is a solution; if not, the master problem gets the disjunctions of answers that it violates.

        Where it violates none, the position is the pessimistic one, and the decision is taken out.
        """
        value = float(self.extended.value_cost @ z[: self.extended.n])
        found = self.follower.response(z)
        is_best = value <= found.value + self.extended.value_tolerance(found.value)
        if is_best and not self.follower.pessimistic:
            self.incumbent.offer(z)
            return True
        favourable = self.follower.favourable(z, self.incumbent.objective)
        if favourable is not None:
            self.incumbent.offer(favourable)
        if is_best:
            solved = self.follower.is_solution(z)
            if not solved:
                self.master.exclude(z)
            return solved
        self._find_steps(z)
        self._add(found)
        program, activities = self.extended.program, self.extended.activity_columns
        low, up = program.lower[activities], program.upper[activities]
        if np.isfinite(low).all() and np.isfinite(up).all():
            margin = 1.0 if self.extended.value_whole else 1e-6 * max(1.0, abs(value))
            for at_most in (found.value, value - margin):
                harder = self.follower.hard_to_block(z, at_most + 1e-7 * max(1.0, abs(at_most)), low, up)
                if harder is not None:
                    self._add(harder)
        return False

    def _add(self, response: Response) -> None:
        known = len(self.pool)
        if self.pool.add(response) == known:
            thresholds = self.pool.thresholds[known]
            blocks = [self.pool.block(r, float(t)) for r, t in enumerate(thresholds)]
            self.master.answer(self.pool.admitted(response.value), blocks)

    def _find_steps(self, z: Floats) -> None:
        known = self.directions.count
        self.directions.find_several(z, max(STEPS, len(self.directions.own) // COLUMNS))
        for stops in self.directions.clauses(known):
            self.master.step(stops)

    def _tell(self) -> None:
        best = self.sense * self.incumbent.objective if self.incumbent.point is not None else None
        bound = self.sense * self.bound if math.isfinite(self.bound) else None
        state = TreeState(time.perf_counter() - self._started, self.nodes, 0, best, bound)
        self.prepared.progress.tell(state, len(self.pool), self.follower.solves)
