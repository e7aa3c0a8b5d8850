"""Sample, train, embed, solve, measure; with `--refine` again around the best point. What is given back is always the truth."""

from __future__ import annotations

import hashlib
import math
import time
from dataclasses import dataclass, replace

import numpy as np

from bilevel_lang.reformulation.nn_embed.budgets import (
    AGAIN,
    PROPOSALS,
    RELAXATION_SECONDS,
    SHARE,
    SOLVE_SECONDS,
    STARTS,
    budget_for,
)
from bilevel_lang.reformulation.nn_embed.drawing import Drawing
from bilevel_lang.reformulation.nn_embed.fitted import Fitted
from bilevel_lang.reformulation.nn_embed.judge import Judge, Verdict
from bilevel_lang.reformulation.nn_embed.lessons import lessons, truths, usable
from bilevel_lang.reformulation.nn_embed.program import EmbeddedProgram, embedded_program
from bilevel_lang.reformulation.nn_embed.projection import Projection
from bilevel_lang.reformulation.nn_embed.proposals import InputRows, proposals
from bilevel_lang.reformulation.nn_embed.reading import SampledProblem
from bilevel_lang.reformulation.nn_embed.report import Report, tell_round
from bilevel_lang.reformulation.nn_embed.room import Room
from bilevel_lang.reformulation.nn_embed.sampler import Sampler
from bilevel_lang.reformulation.nn_embed.search import Search
from bilevel_lang.reformulation.nn_embed.supplier import Supplier
from bilevel_lang.reformulation.nn_embed.target import Target
from bilevel_lang.reformulation.options import Options
from bilevel_lang.solvers.highs import Highs
from bilevel_lang.solvers.matrix import MatrixRun
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.solver import SolverOptions, Termination
from bilevel_lang.surrogate.bounds.input_set import InputSet

LOOSE: dict[str, object] = {
    "primal_feasibility_tolerance": 1e-7,
    "dual_feasibility_tolerance": 1e-7,
    "mip_feasibility_tolerance": 1e-6,
    "small_matrix_value": 1e-9,
}
"""HiGHS's own tolerances for that program: the network is off by far more, and at 1e-9 HiGHS gives up on some."""

CLOSED = 1e-9
"""Relative gap at which nothing is left to look for, where `--gap` asks for none."""


@dataclass(frozen=True, eq=False)
class _Solved:
    """One program that was solved: what stood in it, what it claimed, and the truth at its decision."""

    fitted: Fitted
    embedded: EmbeddedProgram
    approximate: float
    verdict: Verdict


class Rounds:
    """One run on ``sampled``, whose inputs lie in ``domain``; ``targets`` are tried one after the other in every round.

    ``sampler`` asks about batches of decisions (None: this process does, and keeps nothing). ``run`` may be called once.
    """

    def __init__(
        self,
        sampled: SampledProblem,
        domain: InputSet,
        targets: tuple[Target, ...],
        supplier: Supplier,
        options: Options,
        sampler: Sampler | None = None,
    ) -> None:
        self.source, self.inputs, self.evaluated = sampled.read.arrays, sampled.inputs, sampled.evaluated
        self.domain, self.targets, self.supplier, self.options = domain, targets, supplier, options
        source = self.source
        self.deadline = None if options.time_limit is None else time.perf_counter() + options.time_limit
        quiet = SolverOptions(seed=options.seed)
        self.judge = judge = Judge(source, self.inputs, quiet, self.deadline, self.evaluated, sampler)
        self.rows = rows = InputRows(source, self.inputs)
        self.report = Report(targets[0].name)
        generator = np.random.Generator(np.random.Philox(options.seed))
        room = None if self.evaluated is not None else Room(source, self.inputs, quiet, self.deadline)
        until = None if options.time_limit is None else time.perf_counter() + SHARE * options.time_limit
        self.drawing = Drawing(
            judge=judge,
            search=Search(judge, room, rows, domain, generator, self.deadline),
            domain=domain,
            rows=rows,
            onto_rows=Projection(rows.program(domain), np.arange(domain.inputs), domain, quiet, until),
            projection=Projection(source.relaxation, self.inputs, domain, quiet, until),
            room=room,
            budget=budget_for(domain.inputs, options.nn.samples),
            report=self.report,
            generator=generator,
            until=until,
            deadline=self.deadline,
        )
        self._best: _Solved | None = None
        self._seconds: dict[str, float] = {}
        self._credited: Verdict | None = None

    def run(self) -> MatrixRun:
        """The best point whose follower was solved, and the bound of the relaxation."""
        began = time.perf_counter()
        relaxed = self._relaxation()
        if relaxed.termination is Termination.INFEASIBLE:
            return replace(relaxed, message="no point satisfies the rows of leader and follower")
        start = np.zeros((0, self.domain.inputs)) if relaxed.x is None else relaxed.x[self.inputs][None, :]
        if self.supplier.samples_needed:
            self.drawing.begin(start)
        self._credit("samples")
        gained = True
        for number in range(self.options.nn.refine + 1):
            best, before = self.judge.best, len(self.judge.known())
            if number:
                self.drawing.around_best()
                if not gained:
                    self.drawing.elsewhere()
                self._credit("samples")
            for target in self.targets:
                self._as_long_as_it_gains(target)
            self.report.rounds = number + 1
            best_now = self.judge.best
            gained = best_now is not best
            if self.options.verbose:
                worth = None if best_now is None else self._truth(best_now)
                tell_round(number, self.options.nn.refine, len(self.judge.known()), worth)
            nothing_new = number > 0 and len(self.judge.known()) == before
            if self._closed(relaxed) or self._late() or nothing_new:
                break
        self._fill_report()
        return self._answer(relaxed, time.perf_counter() - began)

    def _credit(self, phase: str) -> None:
        """``phase`` has just ended: whether it has found the best point so far."""
        if self.judge.best is not self._credited:
            self._credited, self.report.best_from = self.judge.best, phase

    @property
    def embedded(self) -> EmbeddedProgram | None:
        """The program that gave the best point of those with a network; None where none was solved."""
        return None if self._best is None else self._best.embedded

    # One round

    def _as_long_as_it_gains(self, target: Target) -> None:
        """What the network proposes is what it learns from next: where that was better than all before, there may be more."""
        for _ in range(AGAIN):
            before = self.judge.best
            self._round(target)
            self._credit("network")
            if self.judge.best is before or self.supplier.given is not None or self._late():
                break

    def _round(self, target: Target) -> None:
        used = usable(self.judge.known(), target.name)
        labels = lessons(used, target.name, self.source, self.inputs, self.domain) if used else None
        fitted = self.supplier.supply(labels, target.name, self.deadline)
        if fitted is None:
            return
        self.report.training_seconds += fitted.seconds
        embedded = embedded_program(
            self.source, self.inputs, self.domain, fitted.network, target.name, self.options.nn.embedding, self._price()
        )
        before = self.judge.best
        run = self._solve(embedded, self._seconds.get(target.name, SOLVE_SECONDS))
        if run.x is not None:
            verdict = self.judge.ask(run.x[self.inputs])
            claim = embedded.claim(run.x, self.source) * (1 if self.evaluated is None else self.evaluated.sense)
            solved = _Solved(fitted, embedded, claim, verdict)
            if self._best is None or verdict.objective <= self._best.verdict.objective:
                self._best, self.report.target = solved, target.name
        if run.termination is Termination.LIMIT and self.judge.best is before:
            # What came of it was not worth its time: half of it next time.
            self._seconds[target.name] = 0.5 * self._seconds.get(target.name, SOLVE_SECONDS)
        if target.name == "leader":
            self._propose(fitted)

    def _best_known(self, count: int) -> Floats:
        """The decisions (k, n) that are best for the leader so far."""
        known = sorted(usable(self.judge.known(), "leader"), key=lambda v: v.objective)[:count]
        return np.array([v.x for v in known]).reshape(-1, self.domain.inputs)

    def _propose(self, fitted: Fitted) -> None:
        """Ask the judge about the decisions that the network thinks best, the known good ones among the starts."""
        starts = self._best_known(STARTS)
        found = proposals(lambda points: fitted.network(points)[:, 0], starts, self.domain, self.rows, PROPOSALS)
        if len(found) and not self._late():
            self.judge.ask_all(found, self._late)

    def _price(self) -> float:
        """Of the slack: ten times what the leader gains, over all samples, by a unit of the follower's value."""
        verdicts = usable(self.judge.known(), "leader")
        if not verdicts:
            return 1.0
        gain, value = np.ptp([v.objective for v in verdicts]), np.ptp([v.value for v in verdicts])
        return float(10.0 * max(gain, 1e-6) / max(value, 1e-6))

    def _solve(self, embedded: EmbeddedProgram, seconds: float) -> MatrixRun:
        best = self.judge.best
        start = {} if best is None or best.point is None else {"start": embedded.start(best.point)}
        options = replace(self.options.for_solver(self._left(seconds)), gap=self.options.gap or 1e-4, extra=LOOSE | start)
        run = Highs().run_matrix(embedded.program, options)
        if run.x is None:
            self.report.said.append(f"no decision by the network: {run.message}")
        return run

    # The relaxation and the end

    def _relaxation(self) -> MatrixRun:
        """All rows without the follower's optimality; its bound counts only where it has the leader's whole objective."""
        run = Highs().run_matrix(
            self.source.relaxation, replace(self.options.for_solver(self._left(RELAXATION_SECONDS)), extra={})
        )
        return run if self.evaluated is None else replace(run, bound=None)

    def _left(self, seconds: float) -> float:
        return seconds if self.deadline is None else min(seconds, max(0.1, self.deadline - time.perf_counter()))

    def _late(self, deadline: float | None = None) -> bool:
        last = deadline if deadline is not None else self.deadline
        return last is not None and time.perf_counter() >= last

    def _closed(self, relaxed: MatrixRun) -> bool:
        best = self.judge.best
        if best is None or relaxed.bound is None:
            return False
        gap = best.objective - self.source.relaxation.sense * relaxed.bound
        return gap <= max(self.options.gap or 0.0, CLOSED) * max(1.0, abs(best.objective))

    def data_hash(self) -> str:
        """SHA-256 of all that the judge was asked and said."""
        digest = hashlib.sha256()
        for v in self.judge.known():
            digest.update(np.append(v.x, [v.value, v.objective]).astype("<f8").tobytes())
        return digest.hexdigest()

    def _fill_report(self) -> None:
        self.report.samples = sum(v.answered for v in self.judge.known())
        if self._best is not None:
            self.report.fitted = self._best.fitted
            embedding = self._best.embedded.embedding
            self.report.binaries = int(embedding.integer.sum()) + len(embedding.sos1)
            self.report.continuous = embedding.columns - int(embedding.integer.sum())
            self.report.approximate = self._best.approximate
            self.report.network_objective = self._truth(self._best.verdict)
            self.report.error_at_answer = self._error_at_answer(self._best.fitted)

    def _error_at_answer(self, fitted: Fitted) -> float | None:
        """How wrong the network is at the decision that is given back, where a wrong claim would do most harm."""
        best, target = self.judge.best, self.report.target
        if best is None or not usable([best], target):
            return None
        return float(np.abs(fitted.network(best.x[None, :]) - truths([best], target, self.source)).max())

    def _truth(self, verdict: Verdict) -> float | None:
        """What the leader gets, in its own sense; None without a point."""
        sense = self.source.relaxation.sense if self.evaluated is None else self.evaluated.sense
        return sense * verdict.objective if verdict.point is not None else None

    def _answer(self, relaxed: MatrixRun, seconds: float) -> MatrixRun:
        best, name = self.judge.best, Highs().version()
        if best is None or best.point is None:
            said = "no decision of the leader was found for which the follower has an answer that satisfies all rows"
            said = f"{said}: the time limit was over before" if self._late() else said
            return MatrixRun(Termination.LIMIT, name, bound=relaxed.bound, seconds=seconds, message=said)
        bound = relaxed.bound if relaxed.bound is not None and math.isfinite(relaxed.bound) else None
        return MatrixRun(Termination.OPTIMAL, name, best.point, self._truth(best), bound, seconds)
