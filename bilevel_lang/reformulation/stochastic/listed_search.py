"""Binary decisions that are all listed, where sides of rows alone are random: gone through from the least bound on.

With a time limit the first answer comes first: a few scenarios of a decision that looks good tell what one decision takes, so
much of the time is set aside, and where nothing is proven by then, what looks best is evaluated; at once where that is much.
"""

from __future__ import annotations

import time

import numpy as np

from bilevel_lang.reformulation.stochastic.arrays import TwoStageArrays
from bilevel_lang.reformulation.stochastic.decision_bounds import DecisionBounds
from bilevel_lang.reformulation.stochastic.enumeration import binary_points
from bilevel_lang.reformulation.stochastic.evaluation import Evaluation
from bilevel_lang.reformulation.stochastic.incumbent import Found, Incumbent
from bilevel_lang.reformulation.stochastic.side_cuts import SideStage
from bilevel_lang.solvers.solver import Termination

FIRST_SHARE = 0.25
"""Of a time limit, for the bounds by a few scenarios that say which decision is timed."""

ASIDE_SHARE = 1 / 3
"""Of the time that is left then: if one decision takes more, it is evaluated before anything else, lest the estimate be wrong."""


class ListedSearch:
    """Of ``arrays``; ``deadline`` is a reading of ``time.perf_counter``."""

    def __init__(self, arrays: TwoStageArrays, incumbent: Incumbent, deadline: float | None) -> None:
        self.arrays, self.incumbent, self.deadline = arrays, incumbent, deadline
        points = binary_points(arrays.first)
        self.sides = SideStage(arrays)
        self.cost = arrays.sense * arrays.first.cost
        self.late_cost = arrays.sense * arrays.everywhere("first_cost")
        first = points @ (self.cost + arrays.probabilities @ self.late_cost)
        self.bounds = DecisionBounds(self.sides, points, first, arrays.probabilities, deadline)
        self.begun: dict[int, Evaluation] = {}

    def run(self) -> Found:
        """Until the bound has arrived or the time is over. Ctrl-C ends it with what it has, as INTERRUPTED."""
        ended = None
        try:
            self._go_through()
        except KeyboardInterrupt:
            ended = Termination.INTERRUPTED
        self.bounds.prove()
        return self.incumbent.found(ended, min(self.bounds.least, self.incumbent.best), self.bounds.rounds, self.sides.solves)

    def _go_through(self) -> None:
        if self.deadline is not None:
            self._set_time_aside(self.deadline)
        while not self._over():
            place = self.bounds.lowest(self.incumbent.limit)
            if place is None:
                if self.incumbent.known is not None or not self._any_answer():
                    break
            elif not self._evaluate(place, self.bounds.costs(place)):
                break
        self.incumbent.sharpen(self.deadline)

    def _over(self) -> bool:
        return self.deadline is not None and time.perf_counter() >= self.deadline

    def _set_time_aside(self, deadline: float) -> None:
        now = time.perf_counter()
        self.bounds.deadline = now + FIRST_SHARE * (deadline - now)
        self.bounds.begin()
        for place in self.bounds.promising()[:1]:
            aside, now = self.incumbent.timed(self._decision(place), deadline), time.perf_counter()
            self.bounds.deadline = deadline - aside if aside < ASIDE_SHARE * (deadline - now) else now

    def _any_answer(self) -> bool:
        """Evaluate what looks good until a decision has an answer in every scenario; whether one has."""
        for place in self.bounds.promising():
            if self.incumbent.known is not None or self._over():
                break
            self._evaluate(place, None)
        return self.incumbent.known is not None

    def _evaluate(self, place: int, least: np.ndarray | None) -> bool:
        """Whether there was time; ``least`` (S,) is proven of the second stages."""
        decision = self._decision(place)
        if least is not None:
            decision.raise_least(least + self.late_cost @ decision.x)
        done = self.incumbent.evaluate(decision, self.deadline)
        if self.incumbent.known is not None:
            self.bounds.deadline = self.deadline
        if done:
            self.bounds.close(place)
            del self.begun[place]
        return done

    def _decision(self, place: int) -> Evaluation:
        if place not in self.begun:
            x, unknown = self.bounds.points[place], np.full(self.arrays.scenarios, -np.inf)
            self.begun[place] = Evaluation(self.arrays, x, float(self.cost @ x), unknown)
        return self.begun[place]
