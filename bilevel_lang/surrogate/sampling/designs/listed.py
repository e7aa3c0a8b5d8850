"""Points that somebody else has drawn, in their order."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from bilevel_lang.surrogate.dataset import Floats
from bilevel_lang.surrogate.sampling.shards import Shard
from bilevel_lang.surrogate.sampling.space import InputSpace


@dataclass(frozen=True, eq=False)
class Listed:
    """``given`` (k, n), finite; a run of more samples than k is a mistake (ValueError)."""

    given: Floats
    name = "listed"

    def key(self) -> dict[str, Any]:
        """A hash of the points."""
        return {"name": self.name, "sha256": hashlib.sha256(np.ascontiguousarray(self.given, dtype="<f8").tobytes()).hexdigest()}

    def points(self, space: InputSpace, shard: Shard) -> Floats:
        """See :class:`~bilevel_lang.surrogate.sampling.designs.design.Design`."""
        found = self.given[shard.start : shard.start + shard.count]
        if found.shape != (shard.count, len(space)):
            raise ValueError(
                f"{self.given.shape} points are listed; {shard.start + shard.count} of {len(space)} inputs are asked for"
            )
        return found
