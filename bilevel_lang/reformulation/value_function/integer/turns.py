"""Two engines that take turns: the loop while its relaxations are easy, the tree where they are not.

The loop hands whole MILPs to a solver that knows all about them, and is done after few of them, or not at all: where one of them
takes as long as a branch and bound of its own, it should be the only one. Which is the case shows in the first rounds. Turns
double, so the faster engine has at least a third of the time; best points and the follower's answers are common to both.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from bilevel_lang.reformulation.value_function.integer.one_tree import OneTree
from bilevel_lang.reformulation.value_function.integer.outer_loop import OuterLoop
from bilevel_lang.reformulation.value_function.integer.prepared import Prepared
from bilevel_lang.solvers.matrix import MatrixRun
from bilevel_lang.solvers.solver import Termination

IN_TURNS = "highs and scip"

FIRST_TURN = 3.0
"""Seconds of the processor: on a busy machine a turn by the clock would be too short to show anything."""

PIECES = 3
"""A turn is taken in as many pieces at the most: how slow the machine is shows in the first."""

SLOWEST = 20.0
"""What the clock is taken to be ahead of the processor at the most."""

PATIENCE = 3
"""Turns that the loop leaves to the tree after one in which it has not finished a single relaxation, and has no better bound."""


def in_turns(prepared: Prepared) -> MatrixRun:
    """Search until one of the two has the proof, or until the end of the time. Raises SolverMissingError, RefusedError."""
    return _Turns(prepared).run()


@dataclass(frozen=True, slots=True)
class _Clock:
    limit: float | None
    started: float

    def turn(self, seconds: float) -> float:
        """What is left of a turn of that many seconds."""
        left = math.inf if self.limit is None else self.limit - (time.perf_counter() - self.started)
        return max(0.0, min(seconds, left))


class _Turns:
    def __init__(self, prepared: Prepared) -> None:
        self._loop, self._tree = OuterLoop(prepared), OneTree(prepared)
        self._clock = _Clock(prepared.options.time_limit, time.perf_counter())
        self._incumbent = prepared.incumbent
        self._known = 0
        self._slowness = 1.0
        self._last: dict[str, MatrixRun] = {}

    def run(self) -> MatrixRun:
        seconds, waits = FIRST_TURN, 0
        while True:
            finished = self._loop.rounds
            if not waits:
                run = self._turn("loop", self._loop.go, seconds)
                if self._is_over(run):
                    return self._combined(run)
            run = self._tree_turn(seconds)
            if self._is_over(run):
                return self._combined(run)
            if waits:
                waits -= 1
            elif self._loop.rounds == finished and not self._loop_is_ahead():
                waits = PATIENCE
            seconds *= 2

    def _loop_is_ahead(self) -> bool:
        """Whether the loop's bound is the better one: then its relaxations are worth the time that they take."""
        loop, tree = (self._last[engine].bound for engine in ("loop", "tree"))
        return loop is not None and (tree is None or self._loop.sense * loop > self._loop.sense * tree)

    def _tree_turn(self, seconds: float) -> MatrixRun:
        judge = self._tree.judge
        responses = self._loop.pool.responses
        for response in responses[self._known :]:
            judge.pool.add(response)
        self._known = len(responses)
        if self._incumbent.point is not None:
            judge.suggest(self._incumbent.point)
        return self._turn("tree", self._tree.go, seconds)

    def _turn(self, engine: str, go: Callable[[float | None], MatrixRun], seconds: float) -> MatrixRun:
        """Let ``engine`` go on until it has had most of so many seconds of the processor, or is over."""
        spent = 0.0
        for _ in range(PIECES):
            wall, cpu = time.perf_counter(), time.process_time()
            run = self._last[engine] = go(self._clock.turn((seconds - spent) * self._slowness))
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
            self._slowness = min(SLOWEST, max(1.0, wall / max(cpu, 1e-3)))
            spent += cpu
            if spent > 0.7 * seconds or self._is_over(run):
                break
        return run

    def _is_over(self, run: MatrixRun) -> bool:
        return run.termination is not Termination.LIMIT or self._clock.turn(1.0) <= 0.0

    def _combined(self, run: MatrixRun) -> MatrixRun:
        """``run`` with what the two together know."""
        others = [other for other in self._last.values() if other is not run]
        sense = self._loop.sense
        bounds = [sense * each.bound for each in (run, *others) if each.bound is not None]
        bound = run.bound if run.termination is Termination.OPTIMAL or not bounds else sense * max(bounds)
        return replace(
            run,
            bound=bound,
            nodes=sum(each.nodes or 0 for each in self._last.values()),
            message=" | ".join(each.message for each in self._last.values()),
            cuts=sum(each.cuts or 0 for each in self._last.values()),
            # They ask the same oracle.
            follower_solves=max(each.follower_solves or 0 for each in self._last.values()),
        )
