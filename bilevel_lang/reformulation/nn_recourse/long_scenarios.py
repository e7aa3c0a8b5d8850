"""Where MILPs in all scenarios take too long for samples: a contest of decisions, or networks that learn from few scenarios."""

from __future__ import annotations

import sys
import time

from bilevel_lang.reformulation.nn_recourse.bounding import Bounding
from bilevel_lang.reformulation.nn_recourse.contest import Contest, seconds_each, takes_long
from bilevel_lang.reformulation.nn_recourse.few_scenarios import FewScenarios
from bilevel_lang.reformulation.nn_recourse.learning import Learning, Tried, errors_of
from bilevel_lang.reformulation.nn_recourse.search_state import SearchState
from bilevel_lang.solvers.solver import Termination

SAMPLING_SHARE = 0.4
"""Of a time limit: samples that take longer are too many."""

START_SHARE = 0.05
"""Of a time limit, for the best decisions of the relaxed second stage, which a contest begins with."""

CONTEST_SHARE, BOUND_SECONDS = 0.85, 60.0
"""Of a time limit, for a contest of decisions; the bound has the rest, or so long without a limit."""

FEW_BOUND_SHARE, FEW_CORRECTED, FEW_SHARE = 0.2, 0.5, 0.7
"""Where networks learn from a few scenarios of each decision: of a time limit, for the bound; of the rest, until samples and
training are over (the best decision takes long to solve in every scenario); and of that, for samples."""

CORRECTIONS = 10
"""There a network with few labels believes in decisions that it knows nothing of: each is a label, and it is trained again."""


class LongScenarios:
    """``rounds`` of training that were made."""

    def __init__(self, state: SearchState, learning: Learning, bounding: Bounding) -> None:
        self.state, self.learning, self.bounding = state, learning, bounding
        self.each, self.rounds = 0.0, 0

    def why(self) -> str | None:
        """What to tell where MILPs in all scenarios take too long for samples; None where they do not."""
        state = self.state
        if state.archive.stage.way != "milp" or (state.auto and state.every is not None):
            return None
        self.each = seconds_each(state.arrays, state.decisions)
        return takes_long(self.each, state.arrays.scenarios, state.wanted, state.time.seconds(SAMPLING_SHARE))

    def run(self, why: str) -> bool:
        """Whether there may be an answer; False where the relaxation has none. Ctrl-C ends it with what is known by then."""
        state = self.state
        # Where decisions are whole, and nobody asks for samples or a network.
        if state.auto and state.options.nn.samples is None and bool(state.decisions.inputs.integer.all()):
            self._contest(why)
            return True
        return self._networks(why)

    # --- A contest.

    def _contest(self, why: str) -> None:
        state, bounding, contest = self.state, self.bounding, None
        state.said.append(f"{why}, and no network is trained; decisions are compared by a few scenarios")
        bounding.stop_at(self._until(START_SHARE))
        try:
            # The best decisions of the relaxation are where the contest begins; its time is what is left then.
            visited = bounding.run(patterns=False).visited
            bounding.stage.stop_at(state.time.deadline)
            contest = Contest(state.arrays, state.archive, state.options, state.time.until(CONTEST_SHARE))
            contest.visited = visited
            contest.run()
            bounding.stop_at(self._until(1.0))
            state.bounded = bounding.run()
        except KeyboardInterrupt:
            state.interrupted, state.bounded = True, bounding.known(Termination.INTERRUPTED)
        if contest is not None:
            state.said += contest.said
            state.archive.seconds += contest.probe.seconds
            state.archive.stage.solves += contest.probe.solves

    def _until(self, part: float) -> float:
        """For the bound: a part of what is left of the time limit, or some seconds where there is none."""
        until = self.state.time.until(part)
        return time.perf_counter() + BOUND_SECONDS if until is None else until

    # --- Networks all the same.

    def _networks(self, why: str) -> bool:
        state = self.state
        state.said.append(why)
        if state.options.verbose:
            print(why, file=sys.stderr, flush=True)
        few = FewScenarios(state.arrays, state.archive, state.options, state.time.deadline, self.each)
        few.every = state.every
        self.bounding.stop_at(self._until(FEW_BOUND_SHARE))
        try:
            state.bounded = self.bounding.run()
            if state.bounded.ended is Termination.INFEASIBLE:
                return False
            few.visited = state.visited()
            self._learn(few)
        except KeyboardInterrupt:
            state.interrupted = True
        state.archive.seconds += few.seconds
        state.archive.stage.solves += few.solves
        state.archive.late = state.time.over
        return True

    def _learn(self, few: FewScenarios) -> None:
        state, refine = self.state, self.state.options.nn.refine
        began, before = time.perf_counter(), state.time.until(FEW_CORRECTED)
        for number in range(refine + 1):
            part = 1 / (refine + 1 - number)
            until = None if before is None else time.perf_counter() + part * max(0.0, before - time.perf_counter())
            few.label(state.wanted, None if until is None else began + FEW_SHARE * (until - began))
            few.settled = True
            if not self.learning.learn(few.estimate):
                state.said.append(few.short())
                break
            for _ in range(CORRECTIONS):
                if few.settled or (until is not None and time.perf_counter() >= until):
                    break
                few.settled = True
                self.learning.learn(few.estimate)
            self.rounds, began = number + 1, time.perf_counter()
        tried = self.learning.tried.values()
        few.finish([t.known for t in tried])
        state.said += [*map(self._worth, tried), few.summary()]

    def _worth(self, tried: Tried) -> str:
        """Of the decision that the last network of a kind led to."""
        state, sense = self.state, self.state.arrays.sense
        known = state.archive.known.get(state.archive.key(tried.known.x[state.decisions.seen]))
        worth = f"about {sense * tried.known.total:.6g}, by a few scenarios" if known is None else f"{sense * known.total:.8g}"
        return f"{errors_of(tried)}; its decision is worth {worth}, it said {sense * tried.claim:.8g}"
