"""The best decision of a search so far, and what a search tells in the end."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from bilevel_lang.reformulation.stochastic.arrays import TwoStageArrays
from bilevel_lang.reformulation.stochastic.evaluation import Evaluation
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.solver import Termination

TIMED = 10
"""Scenarios that are solved to find out what one decision takes."""

CAUTION = 2.0
"""Times what the timed scenarios let one expect is set aside for the first answer."""


@dataclass(frozen=True, eq=False)
class Found:
    """``x`` (n1,), ``y`` (S, n2) of the best point, None without; ``value``, ``proven`` of it, and ``bound`` in the program's own
    sense. ``values`` and ``least`` (S,) of its scenarios as a minimisation, with random first-stage costs.

    ``value`` and ``proven`` differ where time ended the scenarios' MILPs. ``solves`` counts second stages as they are, which took
    ``seconds``, ``relaxed`` those without integers. ``needs``: seconds that one decision would have taken, where time was over
    before the first one had an answer in every scenario.
    """

    termination: Termination
    x: Floats | None
    y: Floats | None
    value: float
    proven: float
    bound: float
    rounds: int
    evaluated: int
    solves: int
    relaxed: int
    values: Floats | None = None
    least: Floats | None = None
    needs: float | None = None
    seconds: float = 0.0

    @property
    def within(self) -> float:
        """Relative gap to which the scenarios of the best point were solved."""
        return 0.0 if self.x is None else abs(self.value - self.proven) / max(1.0, abs(self.value))


class Incumbent:
    """Of ``arrays``, as a minimisation. ``best`` is +inf without one."""

    def __init__(self, arrays: TwoStageArrays, gap: float) -> None:
        self.arrays, self.gap, self.best = arrays, gap, math.inf
        self.known: Evaluation | None = None
        self.evaluated = self.solves = 0
        self.needs: float | None = None
        self.seconds = 0.0
        self._first: Evaluation | None = None

    @property
    def limit(self) -> float:
        """What a decision has to be proven to cost at least so that it need not be looked at."""
        return self.best - self.gap * max(1.0, abs(self.best)) if self.known is not None else math.inf

    def arrived(self, bound: float) -> bool:
        """Whether the ``bound`` is near enough."""
        return self.known is not None and self.best - bound <= self.gap * max(1.0, abs(self.best))

    def timed(self, decision: Evaluation, deadline: float) -> float:
        """Seconds to be set aside for the first decision that is evaluated: a few scenarios of this ``decision`` are solved."""
        with self._counting(decision):
            decision.advance(math.inf, deadline, most=TIMED)
        return CAUTION * decision.seconds_each * decision.left

    def evaluate(self, decision: Evaluation, deadline: float | None) -> bool:
        """Solve its scenarios until it is clear that it is no better; False where time was over before.

        The first decision gets an answer in every scenario if there is any time for that, be they not the best ones.
        """
        with self._counting(decision):
            decision.advance(self.best, deadline, shared=self.known is None)
        self.evaluated += 1
        if decision.finished:
            self._first = self._first or decision
            self._take(decision)
        elif self.known is None and decision.possible:
            self.needs = decision.seconds_each * self.arrays.scenarios
        return decision.finished or decision.proven >= self.best

    def sharpen(self, deadline: float | None) -> None:
        """What was left before its end for the sake of a first answer, as far as there is time."""
        if self._first is not None:
            with self._counting(self._first):
                self._first.sharpen(deadline)
            self._take(self._first)

    @contextmanager
    def _counting(self, decision: Evaluation) -> Iterator[None]:
        before, began = decision.solves, time.perf_counter()
        try:
            yield
        finally:
            self.solves += decision.solves - before
            self.seconds += time.perf_counter() - began

    def _take(self, decision: Evaluation) -> None:
        if decision.total < self.best:
            self.best, self.known = decision.total, decision

    def found(self, ended: Termination | None, bound: float, rounds: int, relaxed: int) -> Found:
        """``ended``: what ended the search before the ``bound`` has arrived, None where that is not known."""
        sense, constant = self.arrays.sense, self.arrays.first.constant
        bound = min(bound, math.inf if self._first is None else self._first.proven)
        done = ended is not Termination.INTERRUPTED and (self.arrived(bound) or bound >= self.best)
        cut_short = ended or Termination.LIMIT
        counts = rounds, self.evaluated, self.solves, relaxed
        if self.known is None:
            ended = Termination.INFEASIBLE if done else cut_short
            return Found(
                ended, None, None, math.nan, math.nan, sense * bound + constant, *counts, needs=self.needs, seconds=self.seconds
            )
        known = self.known
        value, proven, bound = (sense * v + constant for v in (self.best, known.proven, min(bound, self.best)))
        ended = Termination.OPTIMAL if done else cut_short
        return Found(ended, known.x, known.y, value, proven, bound, *counts, known.values, known.least, seconds=self.seconds)


def too_short(found: Found) -> str:
    """What a message adds where there was no time for one decision, or for the end of its scenarios; empty where there was."""
    if found.within:
        return f"; its scenarios are solved to a relative gap of {found.within:.2g}, and may cost so much less"
    if found.needs is None:
        return ""
    needs = f"about {found.needs:.2g} s" if math.isfinite(found.needs) else "more than the time limit"
    return f"; one decision in all scenarios takes {needs}, and time was over before"
