"""Labels for all sets of scenarios at once: the second stage at pairs of a decision and a scenario, by the sampling engine.

Each shard of decisions is solved in scenarios of its own, so that one warm solver goes through it and many scenarios are seen.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bilevel_lang.reformulation.stochastic.arrays import SLOTS, TwoStageArrays
from bilevel_lang.reformulation.stochastic.second_stage import SecondStage
from bilevel_lang.solvers.matrix import Ints
from bilevel_lang.solvers.program import Floats
from bilevel_lang.surrogate.bounds.input_set import InputSet
from bilevel_lang.surrogate.dataset import DataSet, Outcome
from bilevel_lang.surrogate.sampling.designs.listed import Listed
from bilevel_lang.surrogate.sampling.run import Plan, sample
from bilevel_lang.surrogate.sampling.space import InputSpace

SHARD = 10
"""Decisions that are solved in the same scenarios: what a kill -9 can lose."""

FOLDER = "scenario-pairs"
"""In the folder of the run; every batch is a folder in it."""


@dataclass(frozen=True, eq=False)
class PairRecipe:
    """Travels to workers. ``arrays`` hold all scenarios of the training, of which each shard is solved in ``each``; ``seen`` are
    the first-stage columns that a point (seen,) gives values to. ``gap`` of MILPs; ``until``: a reading of ``time.time``."""

    arrays: TwoStageArrays
    seen: Ints
    each: int
    gap: float | None
    seed: int
    until: float | None = None

    def fingerprint(self) -> str:
        """SHA-256 of all numbers that the labels depend on."""
        digest = hashlib.sha256(repr([self.each, self.gap, self.seed, self.arrays.sense, self.arrays.scenarios]).encode())
        parts: list[np.ndarray] = [self.arrays.slot(name) for name in SLOTS] + [self.seen, self.arrays.integer]
        parts += [a for m in (self.arrays.technology, self.arrays.recourse) for a in (m.indices, m.indptr)]
        parts += [a for name in sorted(self.arrays.varying) for v in [self.arrays.varying[name]] for a in (v.places, v.values)]
        for array in parts:
            digest.update(str(array.shape).encode() + np.ascontiguousarray(array, dtype="<f8").tobytes())
        return digest.hexdigest()

    def build(self) -> Callable[[Floats], DataSet]:
        """What labels a shard."""
        return self.label

    def label(self, points: Floats) -> DataSet:
        """``responses`` (k, S) are costs of scenarios, as minimisations, NaN where none was asked for or has no answer."""
        chosen = self._scenarios(points)
        part = self.arrays.restricted(chosen, np.full(len(chosen), 1.0 / len(chosen)))
        deadline = None if self.until is None else time.perf_counter() + self.until - time.time()
        decisions = np.zeros((len(points), len(self.arrays.first.lower)))
        decisions[:, self.seen] = points
        found = SecondStage(part, relaxed=False, deadline=deadline, gap=self.gap).costs(decisions)
        costs = np.full((len(points), self.arrays.scenarios), np.nan)
        if found is None:
            return self._data(points, costs, Outcome.LIMIT)
        costs[:, chosen] = np.where(np.isfinite(found.values), found.values, np.nan)
        return self._data(points, costs, Outcome.INFEASIBLE)

    def _scenarios(self, points: Floats) -> Ints:
        """Which ones, by the points alone: it must not matter who works, or when."""
        word = int.from_bytes(hashlib.sha256(np.ascontiguousarray(points, dtype="<f8").tobytes()).digest()[:8], "little")
        generator = np.random.Generator(np.random.Philox(np.random.SeedSequence([self.seed, word])))
        count = self.arrays.scenarios
        return np.sort(generator.permutation(count)[: min(self.each, count)])

    @staticmethod
    def _data(points: Floats, costs: Floats, without: Outcome) -> DataSet:
        there = np.isfinite(costs)
        feasible = np.asarray(there.any(axis=1), dtype=bool)
        total = np.where(there, costs, 0.0).sum(axis=1)
        values = np.where(feasible, total / np.maximum(there.sum(axis=1), 1), np.nan)
        outcomes = np.where(feasible, Outcome.OPTIMAL, without).astype(np.int8)
        return DataSet(points, feasible, values, responses=costs, outcomes=outcomes)


class PairSampler:
    """Batches of decisions in ``domain``. ``folder`` None keeps nothing; ``progress`` hears (done, wanted)."""

    def __init__(
        self,
        recipe: PairRecipe,
        domain: InputSet,
        executor: Executor,
        folder: Path | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> None:
        self.recipe, self.executor, self.progress = recipe, executor, progress
        self.folder = None if folder is None else folder / FOLDER
        self.batches, self.solves, self.seconds = 0, 0, 0.0
        self._space = InputSpace(domain.names, domain.lower, domain.upper, domain.integer)

    def __call__(self, points: Floats, over: Callable[[], bool]) -> DataSet:
        """The labels of ``points`` (k, n); only the shards that were begun before ``over``.

        Raises SampleFileError for files that are damaged or of another run, SolverFailedError where a worker or HiGHS gave up.
        """
        plan = Plan(self._space, Listed(points), len(points), self.recipe.seed, SHARD)
        folder = None if self.folder is None else self.folder / f"batch-{self.batches:05d}"
        self.batches += 1
        found = sample(self.recipe, plan, self.executor, folder, self.progress, over, _complete)
        self.solves += found.drawn * min(self.recipe.each, self.recipe.arrays.scenarios)
        self.seconds += found.seconds
        return found.data


def _complete(data: DataSet) -> bool:
    """Whether the time limit has left the shard alone: one that it cut off is drawn again next time."""
    assert data.outcomes is not None
    return not bool((data.outcomes == Outcome.LIMIT).any())
