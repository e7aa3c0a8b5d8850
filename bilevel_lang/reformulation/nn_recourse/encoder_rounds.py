"""One network for all sets of scenarios: trained here or read from a file, put in for the scenarios that are given.

The decision that it leads to is evaluated in every scenario, and cuts give the bound, as for a network of one set.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bilevel_lang.problem import BilevelProblem
from bilevel_lang.reformulation.nn_recourse.archive import Archive, Known
from bilevel_lang.reformulation.nn_recourse.bounding import Bounded, Bounding
from bilevel_lang.reformulation.nn_recourse.candidates import how_many, ranked
from bilevel_lang.reformulation.nn_recourse.decisions import Decisions
from bilevel_lang.reformulation.nn_recourse.encoder_file import GivenEncoder
from bilevel_lang.reformulation.nn_recourse.encoder_range import outside_of_box, unlike_training
from bilevel_lang.reformulation.nn_recourse.encoder_training import EncoderTraining
from bilevel_lang.reformulation.nn_recourse.learning import solved
from bilevel_lang.reformulation.nn_recourse.neighbourhood import Neighbourhood
from bilevel_lang.reformulation.nn_recourse.program import Learned, learned_program
from bilevel_lang.reformulation.nn_recourse.rounds import BOUND_SHARE, WHOLE_SHARE
from bilevel_lang.reformulation.nn_recourse.search_state import CLOSED, LABEL_GAP, Outcome
from bilevel_lang.reformulation.nn_recourse.time_shares import TimeShares
from bilevel_lang.reformulation.options import Options
from bilevel_lang.reformulation.stochastic.compilation import Compiled
from bilevel_lang.reformulation.stochastic.second_stage import SecondStage
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.solver import Termination
from bilevel_lang.surrogate.bounds.input_set import InputSet
from bilevel_lang.surrogate.network import Network
from bilevel_lang.uncertainty.scenario_set import ScenarioSet

LABELS_SHARE, TRAINED_SHARE = 0.6, 0.8
"""Of a time limit by which the labels, and the network, have to be there."""


@dataclass
class EncoderRounds:
    """``run`` may be called once. ``given``: a network that was read, None: one is trained; ``domain``: the first stage's box."""

    problem: BilevelProblem
    compiled: Compiled
    scenarios: ScenarioSet
    domain: InputSet
    options: Options
    given: GivenEncoder | None = None
    said: list[str] = field(default_factory=list)
    training: EncoderTraining | None = None
    network: Network | None = None
    learned: Learned | None = None
    claim: float | None = None
    decision: Known | None = None

    def run(self) -> Outcome:
        """Raises RefusedError where there is nothing to train on; Ctrl-C gives what is known by then, as INTERRUPTED."""
        arrays = self.compiled.arrays
        self.began, self.time = time.perf_counter(), TimeShares.of(self.options.time_limit)
        bounding = Bounding(arrays, self.options.gap, self._until(BOUND_SHARE))
        self.interrupted = False
        try:
            self.bounded: Bounded = bounding.run()
        except KeyboardInterrupt:
            self.interrupted, self.bounded = True, bounding.known(Termination.INTERRUPTED)
        self.cuts = bounding.cuts
        self.decisions = Decisions(arrays, self.cuts.cost, self.domain, self.options.seed)
        bounding.stage.stop_at(self.time.deadline)
        stage = SecondStage(arrays, relaxed=False, deadline=self.time.deadline, gap=self.options.gap or LABEL_GAP)
        self.archive = Archive(self.decisions, self.cuts, stage, bounding.stage)
        self.near = Neighbourhood(arrays, self.archive, self.options)
        if self.interrupted:
            return self._outcome()
        if self.bounded.ended is Termination.INFEASIBLE:
            return Outcome(None, self.bounded.bound, self.bounded.ended, False, None, self._fields())
        try:
            self._all()
        except KeyboardInterrupt:
            self.interrupted = True
        return self._outcome()

    def _until(self, share: float) -> float | None:
        """When this ``share`` of the whole time limit is over."""
        return None if self.options.time_limit is None else self.began + share * self.options.time_limit

    def _all(self) -> None:
        # A decision there must be, whatever becomes of the network.
        if self.bounded.x is not None:
            self.archive.ask(self._whole(self.bounded.x[self.decisions.seen])[None, :])
        if self.given is None:
            deadlines = (self._until(LABELS_SHARE), self._until(TRAINED_SHARE))
            self.training = EncoderTraining(self.problem, self.compiled, self.decisions, self.cuts, self.options, deadlines)
            self.training.announce(self.archive.stage.solves, self.archive.seconds)
            self.given = self.training.run()
        self.said += outside_of_box(self.given.lower, self.given.upper, self.decisions.inputs)
        self._solve(self.given)
        if self.options.nn.refine and not self._closed():
            self.near.search()
            self.near.whole(self.time.seconds(WHOLE_SHARE))

    def _whole(self, point: Floats) -> Floats:
        return np.asarray(np.where(self.decisions.inputs.integer, np.rint(point), point))

    def _solve(self, given: GivenEncoder) -> None:
        """Put the network in for the given scenarios, solve, and evaluate the decision in each of them."""
        self.network = given.network.at(self.scenarios.values, self.scenarios.probabilities)
        self.learned = learned_program(self.cuts, self.decisions, self.network, False, self.options.nn.embedding)
        run = solved(self.learned, self.options, self.time)
        if run.x is None or run.objective is None:
            self.said.append(f"the program with the network has no decision: {run.termination.value}")
            return
        self.claim = run.objective
        self.decision = known = self.archive.value(self._whole(run.x[self.decisions.seen]))
        if known is None:
            return
        sense, head = self.compiled.arrays.sense, f"{given.kind}: held-out error {given.mae:.4g} over sets of scenarios"
        if np.isfinite(known.total):
            self.said.append(f"{head}; its decision is worth {sense * known.total:.8g}, it said {sense * run.objective:.8g}")
            # Cuts may have lifted what the program says; the network itself is what was trained.
            said = self.cuts.first_cost(known.x) + float(self.network(known.x[None, self.decisions.seen])[0, 0])
            self.said += unlike_training(abs(known.total - said), given.max_error)
        else:
            self.said.append(f"{head}; its decision leaves a scenario without an answer")
        self._try_out(known)
        self.near.polish(known)

    def _try_out(self, known: Known) -> None:
        """The decisions that the network ranks next to its own."""
        assert self.network is not None
        count = how_many(self.scenarios.size, len(self.archive.answered()), self.archive.seconds, self.time.seconds())
        points = ranked(self.decisions, self.network, known.x[self.decisions.seen], count)
        if not len(points):
            return
        self.archive.ask(points)
        best = min((k.total for k in map(self.archive.value, points) if k is not None), default=np.inf)
        if best < known.total:
            worth = self.compiled.arrays.sense * best
            self.said.append(f"of the decisions that it ranks next, tried out too, the best is worth {worth:.8g}")

    # --- The end.

    def _bound(self) -> float:
        proven, best = max(self.bounded.bound, self.near.bound), self.archive.best
        return proven if best is None else min(proven, best.total)

    def _closed(self) -> bool:
        best = self.archive.best
        return best is not None and best.total - self._bound() <= max(self.options.gap or 0.0, CLOSED) * max(1.0, abs(best.total))

    def _outcome(self) -> Outcome:
        best = self.archive.best
        ended = Termination.LIMIT if self.archive.late or best is None else Termination.OPTIMAL
        ended = Termination.INTERRUPTED if self.interrupted else ended
        said = tuple(self.said if self.training is None else [*self.training.said, *self.said])
        return Outcome(best, self._bound(), ended, self._closed(), self.claim, self._fields(), said)

    def _fields(self) -> dict[str, Any]:
        """As docs/json.md has it."""
        given, training, embedding = self.given, self.training, None if self.learned is None else self.learned.embedding
        binaries = None if embedding is None else int(embedding.integer.sum())
        solves, seconds = (0, 0.0) if training is None else (training.solves, training.sampling_seconds)
        return {
            "kind": None if given is None else given.kind,
            "layers": [] if given is None else list(given.layers),
            "target": "expected cost",
            "samples": solves,
            "sampling_seconds": seconds,
            "solves_per_second": solves / max(seconds, 1e-9),
            "training_seconds": None if training is None else training.training_seconds,
            "validation_mae": None if given is None or np.isnan(given.mae) else given.mae,
            "validation_max_error": None if given is None or np.isnan(given.max_error) else given.max_error,
            "binaries": binaries,
            "continuous": None if embedding is None or binaries is None else embedding.columns - binaries,
            "rounds": 0 if self.learned is None else 1,
        }
