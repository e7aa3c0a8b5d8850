"""Latin hypercubes: every input has as many layers as there are samples, and each layer holds one of them.

McKay, Beckman, Conover 1979, Technometrics 21:239.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bilevel_lang.surrogate.dataset import Floats
from bilevel_lang.surrogate.sampling.shards import Shard
from bilevel_lang.surrogate.sampling.space import InputSpace


@dataclass(frozen=True, slots=True)
class LatinHypercube:
    """One hypercube for each shard, so that a run can be extended without drawing the shards before anew."""

    name = "latin-hypercube"

    def key(self) -> dict[str, Any]:
        """Nothing besides the name."""
        return {"name": self.name}

    def points(self, space: InputSpace, shard: Shard) -> Floats:
        """See :class:`~bilevel_lang.surrogate.sampling.designs.design.Design`."""
        generator = shard.generator()
        n = len(space)
        layers = generator.permuted(generator.random((n, shard.count)).argsort(axis=1), axis=1).T
        return space.from_unit((layers + generator.random((shard.count, n))) / shard.count)
