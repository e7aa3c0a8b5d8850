"""Batches of decisions through the sampling engine: by any executor, cut into shards, kept in a folder.

What a batch holds depends on what the batches before it have told, on nothing else: not on how many workers there are, and not
on how often the run was stopped. So the same command finds its batches again, one after the other. A batch is named by its
decisions, so that a run with another network finds those that it asks about, too, and draws the others beside them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path

from bilevel_lang.reformulation.nn_embed.answers import Answer, AnswerRecipe, from_data
from bilevel_lang.solvers.program import Floats
from bilevel_lang.surrogate.bounds.input_set import InputSet
from bilevel_lang.surrogate.dataset import DataSet, Outcome
from bilevel_lang.surrogate.sampling.designs.listed import Listed
from bilevel_lang.surrogate.sampling.manifest import Manifest, described
from bilevel_lang.surrogate.sampling.run import Plan, sample
from bilevel_lang.surrogate.sampling.space import InputSpace

SHARDS, LEAST, MOST = 8, 4, 25
"""Shards of a batch, and decisions in a shard at least and at most: what a kill -9 can lose, and what several workers share."""

FOLDER = "samples"
"""In the folder of the run; every batch is a folder in it, beside the manifest of the problem."""


class Sampler:
    """Answers at decisions in ``domain`` by ``recipe``. ``folder`` None keeps nothing; ``progress`` hears (done, wanted)."""

    def __init__(
        self,
        recipe: AnswerRecipe,
        domain: InputSet,
        executor: Executor | None = None,
        folder: Path | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> None:
        self.recipe, self.executor, self.progress = recipe, executor, progress
        self.folder = None if folder is None else folder / FOLDER
        self.drawn = self.taken = 0
        self._space = InputSpace(domain.names, domain.lower, domain.upper, domain.integer)
        self._agreed = folder is None

    def __call__(self, points: Floats, over: Callable[[], bool]) -> tuple[Floats, list[Answer]]:
        """(k, n), and the answers at them; only the shards that were begun before ``over``. ``drawn`` of them all were solved
        now, ``taken`` were in the folder.

        Raises SampleFileError for files that are damaged or of another run, SolverFailedError where a worker or HiGHS gave up.
        """
        plan = Plan(self._space, Listed(points), len(points), self.recipe.seed, shard_size(len(points)))
        found = sample(self.recipe, plan, self.executor, self._place(plan), self.progress, over=over, worth_keeping=_complete)
        self.drawn += found.drawn
        self.taken += len(found.data) - found.drawn
        return found.data.inputs, from_data(found.data, self.recipe.source)

    def _place(self, plan: Plan) -> Path | None:
        """The folder of the batch. Raises SampleFileError where the samples beside it are of another problem."""
        if self.folder is None:
            return None
        if not self._agreed:
            # The seed is a matter of each batch: with another one others are drawn, and none of those here is wrong.
            problem = replace(self.recipe, seed=0).fingerprint()
            Manifest(problem, described(self._space), {"name": "batches of nn-embed"}, 0, MOST).agree(self.folder)
            self._agreed = True
        return self.folder / f"batch-{plan.manifest(self.recipe).run[:16]}"


def shard_size(count: int) -> int:
    """For a batch of ``count`` decisions: it must not depend on who works."""
    return min(MOST, max(LEAST, math.ceil(count / SHARDS)))


def _complete(data: DataSet) -> bool:
    """Whether the time limit has left the shard alone: one that it cut off is drawn again next time."""
    assert data.outcomes is not None
    return not bool((data.outcomes == Outcome.LIMIT).any())
