"""Bound, sample, train, embed, solve, evaluate; with `--refine` again around the best decision. The answer is the truth."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from bilevel_lang.errors import RefusedError
from bilevel_lang.reformulation.nn_recourse.archive import Archive, Known
from bilevel_lang.reformulation.nn_recourse.bounding import Bounded, Bounding
from bilevel_lang.reformulation.nn_recourse.decisions import Decisions
from bilevel_lang.reformulation.nn_recourse.fitted import KINDS, Fitted, fitted
from bilevel_lang.reformulation.nn_recourse.polishing import can_be_polished, polished
from bilevel_lang.reformulation.nn_recourse.program import Learned, learned_program
from bilevel_lang.reformulation.options import Options
from bilevel_lang.reformulation.stochastic.arrays import TwoStageArrays
from bilevel_lang.reformulation.stochastic.second_stage import SecondStage
from bilevel_lang.solvers.highs import Highs
from bilevel_lang.solvers.matrix import MatrixRun
from bilevel_lang.solvers.solver import Termination
from bilevel_lang.surrogate.bounds.input_set import InputSet
from bilevel_lang.surrogate.training.fitting import LEAST_SAMPLES
from bilevel_lang.surrogate.training.settings import Settings

SAMPLES = 200
LAYERS = (32, 32)

QUESTIONS = 500
"""Decisions around the best one that a refinement asks about before it trains again."""

SOLVE_SECONDS = 10.0
"""For a program with a network, where there is no time limit: what it has by then is evaluated like anything else."""

POLISHED = 40
"""The best decisions of the samples that are moved to where rows become tight."""

BOUND_SHARE = 0.3
"""Of a time limit that cuts may take where they alone cannot give the answer."""

CLOSED = 1e-6
"""Relative gap at which nothing is left to look for, where none is asked for."""


@dataclass(frozen=True, eq=False)
class Outcome:
    """Of one run: ``best`` is None without a decision. ``value`` and ``bound`` as minimisations; ``closed``: they meet."""

    best: Known | None
    bound: float
    termination: Termination
    closed: bool
    approximate: float | None
    surrogate: dict[str, Any]
    said: tuple[str, ...] = ()


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
        """Raises RefusedError where the second stage has no limit, or where cuts are wanted of an integer one."""
        limit = self.options.time_limit
        began = time.perf_counter()
        self.deadline = None if limit is None else began + limit
        self.linear = not self.arrays.integer.any()
        cuts_alone = self.linear and self.options.nn.network in ("auto", "cuts")
        until = self.deadline if cuts_alone or limit is None else began + BOUND_SHARE * limit
        bounding = Bounding(self.arrays, self.options.gap, until)
        bounded = bounding.run()
        self.decisions = Decisions(self.arrays, bounding.cuts.cost, self.domain, self.options.seed)
        stage = SecondStage(self.arrays, relaxed=False, deadline=self.deadline)
        self.archive = Archive(self.decisions, bounding.cuts, stage)
        self.cuts = bounding.cuts
        self.bounded = bounded
        self.training, self.rounds, self.enumerated = 0.0, 0, False
        self.tried: dict[str, _Tried] = {}
        if bounded.ended is Termination.INFEASIBLE or (cuts_alone and bounded.x is None):
            return Outcome(None, bounded.bound, bounded.ended, False, None, self._fields(None))
        if cuts_alone:
            return self._by_cuts(bounded)
        self._sample(bounded)
        for number in range(self.options.nn.refine + 1):
            if number:
                self._around_best()
            if self._closed() or self.archive.late or not self._learn():
                break
            self.rounds = number + 1
        return self._outcome()

    # --- A linear second stage.

    def _by_cuts(self, bounded: Bounded) -> Outcome:
        assert bounded.x is not None
        first = self.cuts.first_cost(bounded.x)
        best = Known(bounded.x, bounded.value, bounded.value, bounded.value - first)
        closed = bounded.ended is Termination.OPTIMAL
        self.rounds = len(bounded.visited)
        return Outcome(best, bounded.bound, bounded.ended, closed, None, self._fields(None))

    # --- Samples.

    def _sample(self, bounded: Bounded) -> None:
        wanted = self.options.nn.samples or SAMPLES
        every = self.decisions.all(wanted)
        if every is not None:
            self.archive.ask(every)
            self.enumerated = not self.archive.late
            return
        visited = bounded.visited[:, self.decisions.seen]
        whole = self.decisions.inputs.integer
        near = np.where(whole, np.rint(visited), visited)[::-1]
        self.archive.ask(near[: max(1, wanted // 2)])
        self.archive.ask(self.decisions.sample(wanted))
        for known in sorted(self.archive.answered(), key=lambda k: k.total)[:POLISHED]:
            self._polish(known)

    def _polish(self, known: Known) -> None:
        """Go on from ``known`` as long as it becomes better."""
        while can_be_polished(self.arrays) and not self.archive.late:
            x = polished(self.arrays, known.x, self.deadline)
            found = None if x is None else self.archive.value(x[self.decisions.seen])
            if found is None or found.total >= known.total - CLOSED * max(1.0, abs(known.total)):
                return
            known = found

    def _around_best(self) -> None:
        asked = 0
        while (best := self.archive.best) is not None and asked < QUESTIONS and not self.archive.late:
            points = self.decisions.around(best.x[self.decisions.seen])
            asked += len(points)
            self.archive.ask(points)
            if (found := self.archive.best) is not None and found is not best:
                self._polish(found)
            if self.archive.best is best or not len(points):
                break

    # --- Networks.

    def _learn(self) -> bool:
        """Train, solve and evaluate every kind that is wanted; whether there was something to train on."""
        fine = self.archive.answered()
        if len(fine) < 2 * LEAST_SAMPLES:
            self.said.append(f"{len(fine)} decisions with an answer in every scenario are too few to train a network on")
            return False
        settings = Settings(layers=self.options.nn.layers or LAYERS, seed=self.options.seed)
        labels, wanted = self.archive.labels(), self.options.nn.network
        rest = replace(labels, targets=labels.targets - self.cuts.expected(np.array([k.x for k in fine]))[:, None])
        for kind in KINDS if wanted == "auto" else (wanted,):
            before = self.tried[kind].fitted if kind in self.tried else None
            found = fitted(kind, rest if kind == "residual" else labels, settings, self.deadline, before)
            self.training += found.seconds
            self._solve(kind, found)
        return True

    def _solve(self, kind: str, found: Fitted) -> None:
        form = self.options.nn.embedding
        learned = learned_program(self.cuts, self.decisions, found.network, kind == "residual", form)
        options = replace(self.options.for_solver(self._left()), gap=self.options.gap or 1e-4, extra={})
        run: MatrixRun = Highs().run_matrix(learned.program, options)
        if run.x is None or run.objective is None:
            return
        known = self.archive.value(run.x[self.decisions.seen])
        if known is not None:
            said = f"{kind}: held-out error {found.mae:.4g}, near good decisions {found.near:.4g}"
            sense = self.arrays.sense
            self.said.append(f"{said}; its decision is worth {sense * known.total:.8g}, it said {sense * run.objective:.8g}")
            self.tried[kind] = _Tried(found, learned, run.objective, known)
            self._polish(known)

    # --- The end.

    def _left(self) -> float:
        return SOLVE_SECONDS if self.deadline is None else min(SOLVE_SECONDS, max(0.1, self.deadline - time.perf_counter()))

    def _bound(self) -> float:
        """Proven: of the cuts, or of all decisions there are."""
        if self.enumerated:
            return min((k.least for k in self.archive.known.values() if k is not None), default=np.inf)
        return self.bounded.bound

    def _closed(self) -> bool:
        best = self.archive.best
        return best is not None and best.total - self._bound() <= max(self.options.gap or 0.0, CLOSED) * max(1.0, abs(best.total))

    def _outcome(self) -> Outcome:
        best, bound = self.archive.best, self._bound()
        tried = min(self.tried.values(), key=lambda t: (t.known.total, t.fitted.near), default=None)
        if self.enumerated:
            self.said.append(f"all {len(self.archive.known)} decisions of the first stage were evaluated")
        ended = Termination.LIMIT if self.archive.late or best is None else Termination.OPTIMAL
        if best is None and self.enumerated:
            ended = Termination.INFEASIBLE
        claim = None if tried is None else tried.claim
        return Outcome(best, bound, ended, self._closed(), claim, self._fields(tried), tuple(self.said))

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
