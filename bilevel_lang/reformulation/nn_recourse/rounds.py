"""Bound, sample, train, embed, solve, evaluate; with `--refine` again around the best decision. The answer is the truth."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from bilevel_lang.errors import RefusedError
from bilevel_lang.reformulation.nn_embed.fitted import Fitted
from bilevel_lang.reformulation.nn_recourse.archive import Archive, Known
from bilevel_lang.reformulation.nn_recourse.bounding import Bounded, Bounding
from bilevel_lang.reformulation.nn_recourse.boxes import Boxes
from bilevel_lang.reformulation.nn_recourse.contest import Contest, seconds_each, takes_long
from bilevel_lang.reformulation.nn_recourse.decisions import Decisions
from bilevel_lang.reformulation.nn_recourse.estimate import sampling_ahead
from bilevel_lang.reformulation.nn_recourse.few_scenarios import FewScenarios
from bilevel_lang.reformulation.nn_recourse.fitted import KINDS, fitted
from bilevel_lang.reformulation.nn_recourse.listing import SECONDS, Listing, can_be_listed
from bilevel_lang.reformulation.nn_recourse.neighbourhood import Neighbourhood
from bilevel_lang.reformulation.nn_recourse.program import Learned, learned_program
from bilevel_lang.reformulation.options import Options
from bilevel_lang.reformulation.stochastic.arrays import TwoStageArrays
from bilevel_lang.reformulation.stochastic.second_stage import SecondStage
from bilevel_lang.solvers.highs import Highs
from bilevel_lang.solvers.matrix import MatrixRun
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.solver import Termination
from bilevel_lang.surrogate.bounds.input_set import InputSet
from bilevel_lang.surrogate.training.fitting import LEAST_SAMPLES
from bilevel_lang.surrogate.training.settings import Settings

SAMPLES = 200

CHEAP, MOST_SAMPLES = 200_000_000, 20_000
"""Comparisons of a listed second stage for which more samples are drawn than that: some seconds."""

LAYERS = (32, 32)

LISTED = 5000
"""Binary or whole decisions up to which all of them are gone through, where the engine chooses."""

LABEL_GAP = 1e-3
"""Relative gap of the second stage's MILPs where decisions are compared; what is proven of them is kept beside."""

SAMPLING_SHARE = 0.4
"""Of a time limit by which the samples are drawn: what is left is for networks and for the search around the best."""

SOLVE_SECONDS = 10.0
"""For a program with a network, where there is no time limit: what it has by then is evaluated like anything else."""

BOXES_SHARE = 0.5
"""Of a time limit, for boxes of decisions where the second stage is listed; the other shares are of what they leave."""

START_SHARE = 0.05
"""Of a time limit, for the best decisions of the relaxed second stage, which a contest begins with."""

CONTEST_SHARE, BOUND_SECONDS = 0.85, 60.0
"""Of a time limit, for a contest of decisions where samples take too long; the bound has the rest, or so long without a limit."""

BOUND_SHARE = 0.3
"""Of a time limit that cuts may take where they alone cannot give the answer."""

FEW_BOUND_SHARE, FEW_CORRECTED, FEW_SHARE = 0.2, 0.5, 0.7
"""Where networks learn from a few scenarios of each decision: of a time limit, for the bound; of the rest, until samples and
training are over (the best decision takes long to solve in every scenario); and of that, for samples."""

CORRECTIONS = 10
"""There a network with few labels believes in decisions that it knows nothing of: each is a label, and it is trained again."""

WHOLE_SHARE = 0.5
"""Of the time that is left, for a small extensive form."""

TRAINING_SHARE = 0.5
"""Of the time that is left, for all networks of one round together."""

CLOSED = 1e-6
"""Relative gap at which nothing is left to look for, where none is asked for."""


@dataclass(frozen=True, eq=False)
class Outcome:
    """Of one run: ``best`` is None without a decision. ``bound`` as a minimisation; ``closed``: the two meet.

    ``y`` (S, n2): the second stage at the best decision, where it is listed or was kept, solved ``within`` a relative gap; None
    otherwise.
    """

    best: Known | None
    bound: float
    termination: Termination
    closed: bool
    approximate: float | None
    surrogate: dict[str, Any]
    said: tuple[str, ...] = ()
    y: Floats | None = None
    within: float = 0.0


@dataclass
class _Tried:
    """The last program of one kind, and what its decision costs in truth."""

    fitted: Fitted
    learned: Learned
    claim: float
    known: Known


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
        limit = self.options.time_limit
        self.deadline = None if limit is None else time.perf_counter() + limit
        self.linear = not self.arrays.integer.any()
        cuts_alone = self.linear and self.options.nn.network in ("auto", "cuts")
        bounding = Bounding(self.arrays, self.options.gap, self.deadline)
        self.decisions = Decisions(self.arrays, bounding.cuts.cost, self.domain, self.options.seed)
        self.auto = self.options.nn.network == "auto"
        self.every = self.decisions.all(max(self.options.nn.samples or SAMPLES, LISTED if self.auto else 0))
        stage = SecondStage(self.arrays, relaxed=False, deadline=self.deadline, gap=self.options.gap or LABEL_GAP)
        self.archive = Archive(self.decisions, bounding.cuts, stage, bounding.stage)
        self.relaxed = bounding.stage
        self.near = Neighbourhood(self.arrays, self.archive, self.options)
        self.cuts = bounding.cuts
        self.training, self.rounds, self.enumerated, self.interrupted = 0.0, 0, False, False
        self.tried: dict[str, _Tried] = {}
        self.bounded = Bounded(Termination.LIMIT, None, np.inf, -np.inf, np.zeros((0, len(self.cuts.cost))), 0, 0.0)
        self.listing: Listing | None = None
        self.few: FewScenarios | None = None
        self.boxes = Boxes(self.near, max(self.options.gap or 0.0, CLOSED)) if self._by_boxes() else None
        if self.boxes is not None and self._search_boxes(self.boxes):
            return self._outcome()
        if self._by_listing() and self._go_through():
            return self._outcome()
        if (long := self._takes_long(cuts_alone)) is not None:
            return self._contest(bounding, long) if self._by_contest() else self._with_few(bounding, long)
        sampled = self._until(SAMPLING_SHARE)
        if not cuts_alone:
            bounding.stop_at(self._until(BOUND_SHARE))
        self.bounded = bounded = bounding.run()
        bounding.stage.stop_at(self.deadline)
        if bounded.ended is Termination.INFEASIBLE or (cuts_alone and bounded.x is None):
            return Outcome(None, bounded.bound, bounded.ended, False, None, self._fields(None))
        if cuts_alone:
            return self._by_cuts(bounded)
        try:
            self._all_rounds(bounded, sampled)
        except KeyboardInterrupt:
            self.interrupted = True
        return self._outcome()

    def _all_rounds(self, bounded: Bounded, until: float | None) -> None:
        self._sample(bounded, until)
        for number in range(self.options.nn.refine + 1):
            if number or (self.options.nn.refine and self.auto):
                self.near.search()
            if number == 0 and self.options.nn.refine and self.auto and not self._closed():
                self.near.whole(self._share(WHOLE_SHARE))
            if self.archive.late or (self._closed() and self.auto):
                break
            if self._learn():
                self.rounds = number + 1

    # --- A second stage that is listed.

    def _by_boxes(self) -> bool:
        return self.auto and self.every is None and self.archive.stage.way == "listed"

    def _search_boxes(self, boxes: Boxes) -> bool:
        """Whether that was all: the bound met the best decision, there is none, or no time is left."""
        try:
            boxes.run(self._until(BOXES_SHARE))
        except KeyboardInterrupt:
            self.interrupted = True
        self.said.append(f"{boxes.looked_at:,} boxes of first-stage decisions were bounded by answers listed for every scenario")
        return self.interrupted or self._closed() or self.archive.late or boxes.bound == np.inf

    # --- Decisions that can be listed.

    def _by_listing(self) -> bool:
        wanted = self.auto and self.options.nn.samples is None
        return wanted and self.archive.stage.way == "milp" and can_be_listed(self.arrays)

    def _go_through(self) -> bool:
        """Whether that was all: the best decision is proven, there is none, or no time is left."""
        self.listing = listing = Listing(self.arrays, self.archive)
        seconds = None if self.every is not None else SECONDS
        if self.deadline is not None:
            seconds = self._share(1.0)
        self.said.append(listing.run(seconds, self.options.gap))
        self.interrupted = listing.interrupted
        self.archive.late = self.deadline is not None and not listing.done
        return self.interrupted or self.archive.late or self._closed() or self._bound() == np.inf

    # --- A second stage that takes too long for samples.

    def _takes_long(self, cuts_alone: bool) -> str | None:
        """What to tell where MILPs in all scenarios take too long for samples; None where they do not, or none are wanted."""
        if cuts_alone or self.archive.stage.way != "milp" or (self.auto and self.every is not None):
            return None
        self.each = seconds_each(self.arrays, self.decisions)
        return takes_long(self.each, self.arrays.scenarios, self._wanted(), self._share(SAMPLING_SHARE))

    def _by_contest(self) -> bool:
        """Where decisions are whole and nobody asks for samples or a network."""
        return self.auto and self.options.nn.samples is None and bool(self.decisions.inputs.integer.all())

    def _contest(self, bounding: Bounding, long: str) -> Outcome:
        self.said.append(f"{long}, and no network is trained; decisions are compared by a few scenarios")
        contest: Contest | None = None
        bounding.stop_at(self._until(START_SHARE) if self.deadline is not None else time.perf_counter() + BOUND_SECONDS)
        try:
            # The best decisions of the relaxation are where the contest begins; its time is what is left then.
            visited = bounding.run(patterns=False).visited
            bounding.stage.stop_at(self.deadline)
            contest = Contest(self.arrays, self.archive, self.options, self._until(CONTEST_SHARE))
            contest.visited = visited
            contest.run()
            bounding.stop_at(self.deadline if self.deadline is not None else time.perf_counter() + BOUND_SECONDS)
            self.bounded = bounding.run()
        except KeyboardInterrupt:
            self.interrupted, self.bounded = True, bounding.known(Termination.INTERRUPTED)
        if contest is not None:
            self.said += contest.said
            self.archive.seconds += contest.probe.seconds
            self.archive.stage.solves += contest.probe.solves
        return self._outcome()

    # --- Networks all the same.

    def _with_few(self, bounding: Bounding, long: str) -> Outcome:
        self.said.append(long)
        if self.options.verbose:
            print(long, file=sys.stderr, flush=True)
        self.few = few = FewScenarios(self.arrays, self.archive, self.options, self.deadline, self.each)
        few.every = self.every
        limit = self._until(FEW_BOUND_SHARE)
        bounding.stop_at(time.perf_counter() + BOUND_SECONDS if limit is None else limit)
        try:
            self.bounded = bounded = bounding.run()
            if bounded.ended is Termination.INFEASIBLE:
                return Outcome(None, bounded.bound, bounded.ended, False, None, self._fields(None))
            few.visited = self._visited(bounded)
            self._rounds_of_few(few)
        except KeyboardInterrupt:
            self.interrupted = True
        self.archive.seconds += few.seconds
        self.archive.stage.solves += few.solves
        self.archive.late = self.deadline is not None and time.perf_counter() >= self.deadline
        return self._outcome()

    def _rounds_of_few(self, few: FewScenarios) -> None:
        began, before = time.perf_counter(), self._until(FEW_CORRECTED)
        for number in range(self.options.nn.refine + 1):
            part = 1 / (self.options.nn.refine + 1 - number)
            until = None if before is None else time.perf_counter() + part * max(0.0, before - time.perf_counter())
            few.label(self._wanted(), None if until is None else began + FEW_SHARE * (until - began))
            few.settled = True
            if not self._learn():
                self.said.append(few.short())
                break
            for _ in range(CORRECTIONS):
                if few.settled or (until is not None and time.perf_counter() >= until):
                    break
                few.settled = True
                self._learn()
            self.rounds, began = number + 1, time.perf_counter()
        few.finish([t.known for t in self.tried.values()])
        self.said += [*map(self._worth, self.tried), few.summary()]

    def _worth(self, kind: str) -> str:
        """Of the decision that the last network of this ``kind`` led to."""
        tried, sense = self.tried[kind], self.arrays.sense
        known = self.archive.known.get(self.archive.key(tried.known.x[self.decisions.seen]))
        worth = f"about {sense * tried.known.total:.6g}, by a few scenarios" if known is None else f"{sense * known.total:.8g}"
        return f"{self._errors(kind, tried.fitted)}; its decision is worth {worth}, it said {sense * tried.claim:.8g}"

    def _wanted(self) -> int:
        """Decisions of the samples where each one takes a solver's time."""
        return self.options.nn.samples or (SAMPLES if self.every is None else len(self.every))

    def _visited(self, bounded: Bounded) -> Floats:
        """(k, inputs): where cuts were made, the last ones first."""
        visited = bounded.visited[:, self.decisions.seen]
        return np.asarray(np.where(self.decisions.inputs.integer, np.rint(visited), visited)[::-1])

    # --- A linear second stage.

    def _by_cuts(self, bounded: Bounded) -> Outcome:
        assert bounded.x is not None
        first = self.cuts.first_cost(bounded.x)
        best = Known(bounded.x, bounded.value, bounded.value, bounded.value - first)
        closed = bounded.ended is Termination.OPTIMAL
        self.rounds = len(bounded.visited)
        return Outcome(best, bounded.bound, bounded.ended, closed, None, self._fields(None))

    # --- Samples.

    def _sample(self, bounded: Bounded, until: float | None) -> None:
        wanted = self.options.nn.samples or int(np.clip(CHEAP // self.archive.stage.effort, SAMPLES, MOST_SAMPLES))
        near = self._visited(bounded)
        if self.every is not None:
            self.archive.search(near[:1])
            (self.archive.search if self.auto else self.archive.ask)(self.every)
            self.enumerated = not self.archive.late
            if self.enumerated and self.options.gap is None:
                self.archive.sharpen(SecondStage(self.arrays, relaxed=False, deadline=self.deadline))
            return
        # A decision there must be, whatever is left of the time for samples.
        self.archive.ask(near[:1])
        stage, most = self.archive.stage, max(1, wanted // 2)
        ahead = wanted + len(near[1:most])
        said = sampling_ahead(stage.solves, self.archive.seconds, self.arrays.scenarios, ahead)
        self.said += [said] if said is not None else []
        stage.stop_at(until)
        self.archive.ask(near[1:most])
        self.archive.ask(self.decisions.sample(wanted))
        self.archive.stage.stop_at(self.deadline)
        self.archive.late = self.deadline is not None and time.perf_counter() >= self.deadline
        self.near.polish_all()

    def _share(self, part: float) -> float:
        """Seconds: this ``part`` of what is left of the time limit."""
        return np.inf if self.deadline is None else max(0.0, part * (self.deadline - time.perf_counter()))

    def _until(self, part: float) -> float | None:
        """When this ``part`` of the time that is left is over, a reading of ``time.perf_counter``; None without a limit."""
        return None if self.deadline is None else time.perf_counter() + self._share(part)

    # --- Networks.

    def _learn(self) -> bool:
        """Train, solve and evaluate every kind that is wanted; whether there was something to train on."""
        fine = self.archive.chosen()
        if len(fine) < 2 * LEAST_SAMPLES:
            self.said.append(f"{len(fine)} decisions with an answer in every scenario are too few to train a network on")
            return False
        settings = Settings(layers=self.options.nn.layers or LAYERS, seed=self.options.seed)
        labels, wanted = self.archive.labels(), self.options.nn.network
        rest = replace(labels, targets=labels.targets - self.cuts.expected(np.array([k.x for k in fine]))[:, None])
        kinds = tuple(k for k in KINDS if k != "residual" or self.cuts.slopes) if wanted == "auto" else (wanted,)
        for number, kind in enumerate(kinds):
            before = self.tried[kind].fitted if kind in self.tried else None
            until = None if self.deadline is None else time.perf_counter() + self._share(TRAINING_SHARE / (len(kinds) - number))
            found = fitted(kind, rest if kind == "residual" else labels, settings, until, before)
            self.training += found.seconds
            self._solve(kind, found)
        return True

    def _solve(self, kind: str, found: Fitted) -> None:
        form = self.options.nn.embedding
        learned = learned_program(self.cuts, self.decisions, found.network, kind == "residual", form)
        options = replace(self.options.for_solver(self._left()), gap=self.options.gap or 1e-4, extra={})
        run: MatrixRun = Highs().run_matrix(learned.program, options)
        if run.termination is Termination.INTERRUPTED:
            raise KeyboardInterrupt
        if run.x is None or run.objective is None:
            return
        point, sense = run.x[self.decisions.seen], self.arrays.sense
        known = self.archive.value(point) if self.few is None else self.few.estimate(point)
        if known is None:
            return
        self.tried[kind] = _Tried(found, learned, run.objective, known)
        if self.few is None:
            worth = f"its decision is worth {sense * known.total:.8g}, it said {sense * run.objective:.8g}"
            self.said.append(f"{self._errors(kind, found)}; {worth}")
            self.near.polish(known)

    @staticmethod
    def _errors(kind: str, found: Fitted) -> str:
        return f"{kind}: held-out error {found.mae:.4g}, near good decisions {found.near:.4g}"

    # --- The end.

    def _left(self) -> float:
        return SOLVE_SECONDS if self.deadline is None else min(SOLVE_SECONDS, max(0.1, self.deadline - time.perf_counter()))

    def _bound(self) -> float:
        """Proven: of the cuts, of the extensive form, or of all decisions there are."""
        others = (part.bound for part in (self.boxes, self.listing) if part is not None)
        proven = max(self.bounded.bound, self.near.bound, *others)
        if self.enumerated:
            listed = [k.least for k in self.archive.answered()] + list(self.archive.worse.values())
            proven = max(proven, min(listed, default=np.inf))
        best = self.archive.best
        return proven if best is None else min(proven, best.total)

    def _closed(self) -> bool:
        best = self.archive.best
        return best is not None and best.total - self._bound() <= max(self.options.gap or 0.0, CLOSED) * max(1.0, abs(best.total))

    def _outcome(self) -> Outcome:
        best, bound = self.archive.best, self._bound()
        tried = min(self.tried.values(), key=lambda t: (t.known.total, t.fitted.near), default=None)
        if self.enumerated:
            known, worse = len(self.archive.known), len(self.archive.worse)
            left = f", {worse:,} of them until it was clear that they are no better" if worse else ""
            self.said.append(f"all {known + worse:,} decisions of the first stage were evaluated{left}")
        ended = Termination.LIMIT if self.archive.late or best is None else Termination.OPTIMAL
        if best is None and (self.enumerated or self._bound() == np.inf):
            ended = Termination.INFEASIBLE
        if self.interrupted:
            ended = Termination.INTERRUPTED
        claim = None if tried is None else tried.claim
        y = None if best is None or self.archive.stage.way != "listed" else self.archive.stage.responses(best.x)
        found = None if best is None else self.archive.evaluation(best)
        within = 0.0 if best is None or found is None else max(0.0, best.total - best.least) / max(1.0, abs(best.total))
        y = y if found is None else found.y
        return Outcome(best, bound, ended, self._closed(), claim, self._fields(tried), tuple(self.said), y, within)

    def _fields(self, tried: _Tried | None) -> dict[str, Any]:
        """As docs/json.md has it."""
        solves, seconds = self.bounded.solves, self.bounded.seconds
        if self.archive.known:
            solves, seconds = self.archive.stage.solves, self.archive.seconds
        binaries = None if tried is None else int(tried.learned.embedding.integer.sum())
        name = next((kind for kind, t in self.tried.items() if t is tried), None)
        return {
            "kind": "cuts" if not self.tried and not self.archive.known else name,
            "layers": [] if tried is None else list(tried.fitted.layers),
            "target": "expected cost",
            "samples": solves,
            "relaxations": 0 if self.linear else self.relaxed.solves + (0 if self.listing is None else self.listing.relaxed),
            "sampling_seconds": seconds,
            "solves_per_second": solves / max(seconds, 1e-9),
            "training_seconds": None if tried is None else self.training,
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
