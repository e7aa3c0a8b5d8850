"""Bound, sample, train, embed, solve, evaluate; with `--refine` again around the best decision. The answer is the truth.

Where the second stage is listed boxes of decisions go first, where the decisions are listed all of them are gone through; where
samples take too long :mod:`.long_scenarios` has the rest.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bilevel_lang.errors import RefusedError
from bilevel_lang.reformulation.nn_recourse.archive import Known
from bilevel_lang.reformulation.nn_recourse.bounding import Bounded, Bounding
from bilevel_lang.reformulation.nn_recourse.boxes import Boxes
from bilevel_lang.reformulation.nn_recourse.estimate import sampling_ahead
from bilevel_lang.reformulation.nn_recourse.learning import Learning, Tried, errors_of
from bilevel_lang.reformulation.nn_recourse.listing import SECONDS, Listing, can_be_listed
from bilevel_lang.reformulation.nn_recourse.long_scenarios import LongScenarios
from bilevel_lang.reformulation.nn_recourse.neighbourhood import Neighbourhood
from bilevel_lang.reformulation.nn_recourse.search_state import CLOSED, SAMPLES, Outcome, SearchState
from bilevel_lang.reformulation.nn_recourse.time_shares import TimeShares
from bilevel_lang.reformulation.options import Options
from bilevel_lang.reformulation.stochastic.arrays import TwoStageArrays
from bilevel_lang.reformulation.stochastic.second_stage import SecondStage
from bilevel_lang.solvers.solver import Termination
from bilevel_lang.surrogate.bounds.input_set import InputSet

CHEAP, MOST_SAMPLES = 200_000_000, 20_000
"""Comparisons of a listed second stage for which more samples are drawn than that: some seconds."""

SAMPLING_SHARE = 0.4
"""Of what the bound leaves of a time limit, for samples: the rest is for networks and for the search around the best."""

BOXES_SHARE = 0.5
"""Of a time limit, for boxes of decisions where the second stage is listed; the other shares are of what they leave."""

BOUND_SHARE = 0.3
"""Of a time limit that cuts may take where they alone cannot give the answer."""

WHOLE_SHARE = 0.5
"""Of the time that is left, for a small extensive form."""


@dataclass
class Rounds:
    """``run`` may be called once; ``domain`` is the box of the first stage."""

    arrays: TwoStageArrays
    domain: InputSet
    options: Options
    said: list[str] = field(default_factory=list)

    def run(self) -> Outcome:
        """Raises RefusedError where the second stage has no limit, or where cuts are wanted of an integer one.

        Ctrl-C gives what is known by then, as INTERRUPTED.
        """
        self.time = TimeShares.of(self.options.time_limit)
        self.linear = not self.arrays.integer.any()
        cuts_alone = self.linear and self.options.nn.network in ("auto", "cuts")
        bounding = Bounding(self.arrays, self.options.gap, self.time.deadline)
        self.state = state = SearchState.begun(self.arrays, self.domain, self.options, bounding, self.time)
        self.said, self.archive, self.relaxed = state.said, state.archive, bounding.stage
        self.near = Neighbourhood(self.arrays, self.archive, self.options)
        self.learning = Learning(state)
        self.rounds, self.enumerated = 0, False
        self.listing: Listing | None = None
        self.boxes = Boxes(self.near, max(self.options.gap or 0.0, CLOSED)) if self._by_boxes() else None
        if self.boxes is not None and self._search_boxes(self.boxes):
            return self._outcome()
        if self._by_listing() and self._go_through():
            return self._outcome()
        try:
            return self._learned(bounding, cuts_alone)
        except KeyboardInterrupt:
            state.interrupted, state.bounded = True, bounding.known(Termination.INTERRUPTED)
        by_cuts = cuts_alone and state.bounded.x is not None
        return self._by_cuts(state.bounded) if by_cuts else self._outcome()

    def _learned(self, bounding: Bounding, cuts_alone: bool) -> Outcome:
        """What is learned of the second stage where no list proves the best decision: cuts, networks, a few scenarios."""
        state = self.state
        long = LongScenarios(state, self.learning, bounding)
        if not cuts_alone and (why := long.why()) is not None:
            found = long.run(why)
            self.rounds = long.rounds
            return self._outcome() if found else self._nothing()
        if not cuts_alone:
            bounding.stop_at(self.time.until(BOUND_SHARE))
        state.bounded = bounded = bounding.run()
        bounding.stage.stop_at(self.time.deadline)
        if bounded.ended is Termination.INFEASIBLE or (cuts_alone and bounded.x is None):
            return self._nothing()
        if cuts_alone:
            return self._by_cuts(bounded)
        self._all_rounds(self.time.until(SAMPLING_SHARE))
        return self._outcome()

    def _all_rounds(self, until: float | None) -> None:
        self._sample(until)
        refine, auto = self.options.nn.refine, self.state.auto
        for number in range(refine + 1):
            if number or (refine and auto):
                self.near.search()
            if number == 0 and refine and auto and not self._closed():
                self.near.whole(self.time.seconds(WHOLE_SHARE))
            if self.archive.late or (self._closed() and auto):
                break
            if self.learning.learn(self.archive.value, self._go_on_from):
                self.rounds = number + 1

    def _go_on_from(self, tried: Tried) -> None:
        sense = self.arrays.sense
        worth = f"its decision is worth {sense * tried.known.total:.8g}, it said {sense * tried.claim:.8g}"
        self.said.append(f"{errors_of(tried)}; {worth}")
        self.near.polish(tried.known)

    # --- A second stage that is listed.

    def _by_boxes(self) -> bool:
        return self.state.auto and self.state.every is None and self.archive.stage.way == "listed"

    def _search_boxes(self, boxes: Boxes) -> bool:
        """Whether that was all: the bound met the best decision, there is none, or no time is left."""
        try:
            boxes.run(self.time.until(BOXES_SHARE))
        except KeyboardInterrupt:
            self.state.interrupted = True
        self.said.append(f"{boxes.looked_at:,} boxes of first-stage decisions were bounded by answers listed for every scenario")
        return self.state.interrupted or self._closed() or self.archive.late or boxes.bound == np.inf

    # --- Decisions that can be listed.

    def _by_listing(self) -> bool:
        wanted = self.state.auto and self.options.nn.samples is None
        return wanted and self.archive.stage.way == "milp" and can_be_listed(self.arrays)

    def _go_through(self) -> bool:
        """Whether that was all: the best decision is proven, there is none, or no time is left."""
        self.listing = listing = Listing(self.arrays, self.archive)
        seconds = None if self.state.every is not None else SECONDS
        if self.time.deadline is not None:
            seconds = self.time.seconds()
        self.said.append(listing.run(seconds, self.options.gap))
        self.state.interrupted = listing.interrupted
        self.archive.late = self.time.deadline is not None and not listing.done
        return listing.interrupted or self.archive.late or self._closed() or self._bound() == np.inf

    # --- A linear second stage.

    def _by_cuts(self, bounded: Bounded) -> Outcome:
        assert bounded.x is not None
        first = self.state.cuts.first_cost(bounded.x)
        best = Known(bounded.x, bounded.value, bounded.value, bounded.value - first)
        closed = bounded.ended is Termination.OPTIMAL
        self.rounds = len(bounded.visited)
        return Outcome(best, bounded.bound, bounded.ended, closed, None, self._fields(None))

    # --- Samples.

    def _sample(self, until: float | None) -> None:
        state, archive = self.state, self.archive
        wanted = self.options.nn.samples or int(np.clip(CHEAP // archive.stage.effort, SAMPLES, MOST_SAMPLES))
        near = state.visited()
        if state.every is not None:
            archive.search(near[:1])
            (archive.search if state.auto else archive.ask)(state.every)
            self.enumerated = not archive.late
            if self.enumerated and self.options.gap is None:
                archive.sharpen(SecondStage(self.arrays, relaxed=False, deadline=self.time.deadline))
            return
        # A decision there must be, whatever is left of the time for samples.
        archive.ask(near[:1])
        most = max(1, wanted // 2)
        ahead = wanted + len(near[1:most])
        said = sampling_ahead(archive.stage.solves, archive.seconds, self.arrays.scenarios, ahead)
        self.said += [said] if said is not None else []
        archive.stage.stop_at(until)
        archive.ask(near[1:most])
        archive.ask(state.decisions.sample(wanted))
        archive.stage.stop_at(self.time.deadline)
        archive.late = self.time.over
        self.near.polish_all()

    # --- The end.

    def _bound(self) -> float:
        """Proven: of the cuts, of the extensive form, or of all decisions there are."""
        others = (part.bound for part in (self.boxes, self.listing) if part is not None)
        proven = max(self.state.bounded.bound, self.near.bound, *others)
        if self.enumerated:
            listed = [k.least for k in self.archive.answered()] + list(self.archive.worse.values())
            proven = max(proven, min(listed, default=np.inf))
        best = self.archive.best
        return proven if best is None else min(proven, best.total)

    def _closed(self) -> bool:
        best = self.archive.best
        return best is not None and best.total - self._bound() <= max(self.options.gap or 0.0, CLOSED) * max(1.0, abs(best.total))

    def _nothing(self) -> Outcome:
        bounded = self.state.bounded
        return Outcome(None, bounded.bound, bounded.ended, False, None, self._fields(None))

    def _outcome(self) -> Outcome:
        best, bound, tried = self.archive.best, self._bound(), self.learning.best
        if self.enumerated:
            known, worse = len(self.archive.known), len(self.archive.worse)
            left = f", {worse:,} of them until it was clear that they are no better" if worse else ""
            self.said.append(f"all {known + worse:,} decisions of the first stage were evaluated{left}")
        ended = Termination.LIMIT if self.archive.late or best is None else Termination.OPTIMAL
        if best is None and (self.enumerated or bound == np.inf):
            ended = Termination.INFEASIBLE
        if self.state.interrupted:
            ended = Termination.INTERRUPTED
        claim = None if tried is None else tried.claim
        y = None if best is None or self.archive.stage.way != "listed" else self.archive.stage.responses(best.x)
        found = None if best is None else self.archive.evaluation(best)
        within = 0.0 if best is None or found is None else max(0.0, best.total - best.least) / max(1.0, abs(best.total))
        y = y if found is None else found.y
        return Outcome(best, bound, ended, self._closed(), claim, self._fields(tried), tuple(self.said), y, within)

    def _fields(self, tried: Tried | None) -> dict[str, Any]:
        """As docs/json.md has it."""
        solves, seconds = self.state.bounded.solves, self.state.bounded.seconds
        if self.archive.known:
            solves, seconds = self.archive.stage.solves, self.archive.seconds
        binaries = None if tried is None else int(tried.learned.embedding.integer.sum())
        name = None if tried is None else tried.kind
        return {
            "kind": "cuts" if not self.learning.tried and not self.archive.known else name,
            "layers": [] if tried is None else list(tried.fitted.layers),
            "target": "expected cost",
            "samples": solves,
            "relaxations": 0 if self.linear else self.relaxed.solves + (0 if self.listing is None else self.listing.relaxed),
            "sampling_seconds": seconds,
            "solves_per_second": solves / max(seconds, 1e-9),
            "training_seconds": None if tried is None else self.learning.seconds,
            "validation_mae": None if tried is None else tried.fitted.mae,
            "validation_max_error": None if tried is None else tried.fitted.max_error,
            "binaries": binaries,
            "continuous": None if tried is None or binaries is None else tried.learned.embedding.columns - binaries,
            "rounds": self.rounds,
        }


def refuse_cuts(arrays: TwoStageArrays, options: Options) -> None:
    """RefusedError where the user wants exact cuts and there are none."""
    if options.nn.network == "cuts" and arrays.integer.any():
        raise RefusedError(
            "nn-embed: there are no exact cuts of an integer second stage",
            "use `--network auto`, which uses those of its relaxation",
        )
