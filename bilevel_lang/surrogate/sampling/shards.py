"""How a run is cut into shards: pieces with seeds of their own, so that nothing depends on who draws which, or when."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SHARD_SIZE = 500
"""Samples in a shard where nobody says otherwise: what a kill -9 can lose, and what a warm solver works on in one go."""


@dataclass(frozen=True, slots=True)
class Shard:
    """Samples ``start`` to ``start + count`` of a run: its ``number`` from 0, the ``seed`` of the run."""

    number: int
    start: int
    count: int
    seed: int

    def generator(self, purpose: int = 0) -> np.random.Generator:
        """Random numbers of this shard alone: a counter-based generator with the run's seed and the shard's number as key.

        ``purpose`` tells apart several streams of one shard.
        """
        return np.random.Generator(np.random.Philox(np.random.SeedSequence(self.seed, spawn_key=(self.number, purpose))))

    @property
    def file_name(self) -> str:
        """Of the shard's file."""
        return f"shard-{self.number:06d}-{self.count}.samples"


def cut(samples: int, size: int, seed: int) -> tuple[Shard, ...]:
    """The shards of a run of ``samples``, ``size`` in each and the rest in the last. Raises ValueError for numbers below 1."""
    if samples < 1 or size < 1:
        raise ValueError(f"{samples} samples in shards of {size}: both have to be at least 1")
    starts = range(0, samples, size)
    return tuple(Shard(number, start, min(size, samples - start), seed) for number, start in enumerate(starts))
