"""Sobol' points: a sequence that fills the box evenly from its first points on (Sobol' 1967; scrambled as Owen 1998)."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from bilevel_lang.errors import RefusedError
from bilevel_lang.surrogate.dataset import Floats
from bilevel_lang.surrogate.sampling.shards import Shard
from bilevel_lang.surrogate.sampling.space import InputSpace

MOST_INPUTS = 21201
"""Dimensions for which direction numbers are known (Joe and Kuo 2008, as scipy has them)."""


@dataclass(frozen=True, slots=True)
class Sobol:
    """One scrambled sequence for the whole run; each shard goes straight to its part. Even most for powers of 2."""

    name = "sobol"

    def key(self) -> dict[str, Any]:
        """Nothing besides the name."""
        return {"name": self.name}

    def points(self, space: InputSpace, shard: Shard) -> Floats:
        """See :class:`~bilevel_lang.surrogate.sampling.designs.design.Design`. Raises RefusedError for too many inputs."""
        from scipy.stats import qmc

        if len(space) > MOST_INPUTS:
            raise RefusedError(f"sobol takes {MOST_INPUTS} inputs at most, not {len(space)}", "use latin-hypercube")
        if not len(space):
            return np.zeros((shard.count, 0))
        sequence = qmc.Sobol(len(space), scramble=True, seed=np.random.Generator(np.random.Philox(shard.seed)))
        if shard.start:
            sequence.fast_forward(shard.start)
        with warnings.catch_warnings():
            # Scipy warns of counts that are no powers of 2; a shard is a part of a longer sequence.
            warnings.simplefilter("ignore", UserWarning)
            unit = sequence.random(shard.count)
        return space.from_unit(np.asarray(unit, dtype=float))
