"""Sample, train, embed, solve, measure; with `--refine` again around the best point. What is given back is always the truth."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from bilevel_lang.reformulation.nn_embed.domain import seen_inputs
from bilevel_lang.reformulation.nn_embed.judge import Judge, Verdict
from bilevel_lang.reformulation.nn_embed.program import EmbeddedProgram, leader_program, value_program
from bilevel_lang.reformulation.nn_embed.target import Target
from bilevel_lang.reformulation.rewrite import Options
from bilevel_lang.reformulation.value_function.integer.arrays import BilevelProgram
from bilevel_lang.solvers.highs import Highs
from bilevel_lang.solvers.matrix import MatrixRun
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.solver import SolverOptions, Termination
from bilevel_lang.surrogate.bounds.input_set import InputSet
from bilevel_lang.surrogate.embedding.construction import embed
from bilevel_lang.surrogate.training.fitting import Trained, fit
from bilevel_lang.surrogate.training.labels import Labels
from bilevel_lang.surrogate.training.settings import Settings

SAMPLES = 400
LAYERS = (32, 32)
SOLVE_SECONDS = 30.0
"""For the program with the network, where there is no time limit: what it has by then is verified like anything else."""


@dataclass
class Report:
    """What is told of the surrogate, besides the answer."""

    target: Target
    samples: int = 0
    sampling_seconds: float = 0.0
    solves: int = 0
    rounds: int = 0
    trained: Trained | None = None
    binaries: int = 0
    continuous: int = 0
    approximate: float | None = None
    training_seconds: float = 0.0
    kind: str | None = None
    layers: tuple[int, ...] = ()

    def fields(self) -> dict[str, Any]:
        """As docs/json.md has it."""
        trained = self.trained
        return {
            "kind": self.kind,
            "layers": list(self.layers),
            "target": self.target.name,
            "samples": self.samples,
            "sampling_seconds": self.sampling_seconds,
            "solves_per_second": self.samples / max(self.sampling_seconds, 1e-9),
            "training_seconds": self.training_seconds if trained is not None else None,
            "validation_mae": None if trained is None else trained.validation_mae,
            "validation_max_error": None if trained is None else trained.validation_max_error,
            "binaries": self.binaries,
            "continuous": self.continuous,
            "rounds": self.rounds,
        }


class Rounds:
    """One run on ``source``, whose inputs lie in ``domain``. ``run`` may be called once."""

    def __init__(self, source: BilevelProgram, domain: InputSet, target: Target, options: Options) -> None:
        self.source, self.domain, self.target, self.options = source, domain, target, options
        self.inputs = seen_inputs(source)
        self.deadline = None if options.time_limit is None else time.perf_counter() + options.time_limit
        self.judge = Judge(source, self.inputs, SolverOptions(seed=options.seed), self.deadline)
        self.report = Report(target)
        self.generator = np.random.Generator(np.random.Philox(options.seed))

    def run(self) -> MatrixRun:
        """The best point whose follower was solved, and the bound of the relaxation."""
        began = time.perf_counter()
        relaxed = self._relaxation()
        if relaxed.termination is Termination.INFEASIBLE:
            return replace(relaxed, message="no point satisfies the rows of leader and follower")
        self._sample(self._design(self.options.nn.samples or SAMPLES), relaxed)
        for number in range(self.options.nn.refine + 1):
            before = self.judge.best
            self._round()
            self.report.rounds = number + 1
            if number < self.options.nn.refine:
                self._around_best()
            if self._closed(relaxed) or self._late():
                break
            del before
        return self._answer(relaxed, time.perf_counter() - began)

    # Samples

    def _design(self, count: int) -> Floats:
        """A Latin hypercube over the box, whole inputs rounded."""
        n = self.domain.inputs
        cells = np.argsort(self.generator.random((n, count)), axis=1).T
        unit = (cells + self.generator.random((count, n))) / count
        low, up = self.domain.lower, self.domain.upper
        whole = self.domain.integer
        points = low + unit * (up - low + whole)
        drawn: Floats = np.where(whole, np.minimum(np.floor(points), up), points)
        return drawn

    def _sample(self, points: Floats, relaxed: MatrixRun | None = None) -> None:
        began = time.perf_counter()
        if relaxed is not None and relaxed.x is not None:
            points = np.vstack([relaxed.x[self.inputs], points])
        for x in points:
            if self._late():
                break
            self.judge.ask(x)
        self.report.sampling_seconds += time.perf_counter() - began

    def _around_best(self) -> None:
        best = self.judge.best
        if best is not None:
            self._sample(neighbours(best.x, self.domain, self.generator))

    # One round

    def _round(self) -> None:
        labels = self._labels()
        if labels is None:
            return
        settings = Settings(layers=self.options.nn.layers or LAYERS, seed=self.options.seed)
        self.report.trained = trained = fit(labels, settings, deadline=self.deadline)
        self.report.training_seconds += trained.seconds
        self.report.kind, self.report.layers = settings.kind, settings.layers
        push = "up" if self.target.name == "value" else "down"
        embedding = embed(trained.network, self.domain, self.options.nn.embedding, (push,))  # type: ignore[arg-type]
        self.report.binaries, self.report.continuous = embedding.binaries, embedding.columns - int(embedding.integer.sum())
        if self.target.name == "value":
            embedded = value_program(self.source, self.inputs, embedding, self._price())
        else:
            embedded = leader_program(self.source, self.inputs, embedding)
        run = self._solve(embedded)
        if run.x is not None:
            self.report.approximate = self._approximate(run, embedded)
            self.judge.ask(run.x[self.inputs])

    def _labels(self) -> Labels | None:
        verdicts = self.judge.known()
        if self.target.name == "value":
            used = [v for v in verdicts if v.answered]
            wanted = [v.value for v in used]
        else:
            used = [v for v in verdicts if v.point is not None]
            wanted = [v.objective for v in used]
        self.report.samples = len(used)
        if len(used) < 10:
            return None
        objective = np.array([v.objective for v in used])
        rank = np.argsort(np.argsort(objective))
        return Labels(
            np.array([v.x for v in used]),
            np.array(wanted)[:, None],
            self.domain.lower,
            self.domain.upper,
            weights=0.2 + np.exp(-5.0 * rank / len(used)),
        )

    def _price(self) -> float:
        verdicts = [v for v in self.judge.known() if v.point is not None]
        if not verdicts:
            return 1.0
        gain = np.ptp([v.objective for v in verdicts])
        value = np.ptp([v.value for v in verdicts])
        return float(10.0 * max(gain, 1e-6) / max(value, 1e-6))

    def _solve(self, embedded: EmbeddedProgram) -> MatrixRun:
        best = self.judge.best
        extra = {} if best is None or best.point is None else {"start": embedded.start(best.point)}
        left = SOLVE_SECONDS if self.deadline is None else max(0.1, self.deadline - time.perf_counter())
        options = replace(self.options.for_solver(left), gap=1e-4, extra=extra)
        return Highs().run_matrix(embedded.program, options)

    def _approximate(self, run: MatrixRun, embedded: EmbeddedProgram) -> float:
        """What the program with the network says that the leader gets, in the leader's own sense."""
        assert run.x is not None
        program = self.source.relaxation
        if self.target.name == "value":
            return program.objective_at(run.x[: embedded.columns])
        return float(program.sense * embedded.program.objective_at(run.x))

    # The relaxation and the end

    def _relaxation(self) -> MatrixRun:
        left = SOLVE_SECONDS if self.deadline is None else max(0.1, self.deadline - time.perf_counter())
        return Highs().run_matrix(self.source.relaxation, replace(self.options.for_solver(left), extra={}))

    def _late(self) -> bool:
        return self.deadline is not None and time.perf_counter() >= self.deadline

    def _closed(self, relaxed: MatrixRun) -> bool:
        best = self.judge.best
        if best is None or relaxed.bound is None:
            return False
        gap = best.objective - self.source.relaxation.sense * relaxed.bound
        return gap <= max(self.options.gap or 0.0, 1e-9) * max(1.0, abs(best.objective))

    def _answer(self, relaxed: MatrixRun, seconds: float) -> MatrixRun:
        best = self.judge.best
        program = self.source.relaxation
        name = Highs().version()
        if best is None or best.point is None:
            said = "no decision of the leader was found for which the follower has an answer that satisfies all rows"
            return MatrixRun(Termination.LIMIT, name, bound=relaxed.bound, seconds=seconds, message=said)
        objective = program.objective_at(best.point)
        return MatrixRun(Termination.OPTIMAL, name, best.point, objective, relaxed.bound, seconds, "")


def neighbours(x: Floats, domain: InputSet, generator: np.random.Generator) -> Floats:
    """Points around ``x`` (n,): every whole input one up and one down, continuous ones in boxes that shrink."""
    found = []
    for j in np.flatnonzero(domain.integer):
        for step in (-1.0, 1.0):
            moved = x.copy()
            moved[j] += step
            if domain.lower[j] <= moved[j] <= domain.upper[j]:
                found.append(moved)
    loose = ~domain.integer
    if loose.any():
        width = (domain.upper - domain.lower) * loose
        for share in (0.1, 0.03, 0.01, 0.001):
            steps = share * width * generator.uniform(-1, 1, (10, len(x)))
            found += list(np.clip(x + steps, domain.lower, domain.upper))
    return np.array(found).reshape(-1, len(x))


def improved(before: Verdict | None, after: Verdict | None) -> bool:
    """Whether the best objective has become smaller."""
    return (math.inf if after is None else after.objective) < (math.inf if before is None else before.objective)
