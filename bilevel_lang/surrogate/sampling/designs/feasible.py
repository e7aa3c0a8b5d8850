"""Random points of the leader's own set: drawn in the box, then moved to where the leader's rows hold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from bilevel_lang.errors import RefusedError
from bilevel_lang.surrogate.dataset import Floats
from bilevel_lang.surrogate.sampling.shards import Shard
from bilevel_lang.surrogate.sampling.space import InputSpace


@dataclass(frozen=True)
class Feasible:
    """``nearest`` takes points (k, n) of the box to feasible ones (k, n), feasible ones to themselves; NaN where it finds none.

    It is picklable. ``identity`` tells one set from another, a hash of its rows for instance.

    A point of the box that is feasible stays; the others gather on the edge of the set, where optimal decisions tend to lie.
    """

    nearest: Callable[[Floats], Floats]
    identity: str
    name = "feasible"

    def key(self) -> dict[str, Any]:
        """The set's identity."""
        return {"name": self.name, "set": self.identity}

    def points(self, space: InputSpace, shard: Shard) -> Floats:
        """See :class:`~bilevel_lang.surrogate.sampling.designs.design.Design`. Raises RefusedError for an empty set."""
        drawn = space.from_unit(shard.generator().random((shard.count, len(space))))
        moved = self.nearest(drawn)
        if moved.shape != drawn.shape:
            raise ValueError(f"nearest made {moved.shape} of points {drawn.shape}")
        if not np.isfinite(moved).all():
            raise RefusedError("no decision of the leader satisfies its own rows", "look at the leader's rows and bounds")
        return space.rounded(moved)
