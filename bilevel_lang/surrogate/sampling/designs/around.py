"""Points around a decision that looks good: what differs from it in one binary input, then a small box around it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from bilevel_lang.surrogate.dataset import Floats
from bilevel_lang.surrogate.sampling.shards import Shard
from bilevel_lang.surrogate.sampling.space import InputSpace

FLIPS = 0.2
"""With this chance a random point takes the other value of a binary input."""


@dataclass(frozen=True)
class Around:
    """Around ``centre`` (n numbers): the centre itself, its one-flip neighbours in the order of the inputs, then random points.

    A random point lies, in every input that is not binary, within ``radius`` (0 to 1) times the width of the box, one unit at
    least where the input is whole; binary inputs take the other value with the chance :data:`FLIPS`, one of them at least.
    Raises ValueError for another radius.
    """

    centre: tuple[float, ...]
    radius: float = 0.1
    name = "around"

    def __post_init__(self) -> None:
        if not 0.0 < self.radius <= 1.0:
            raise ValueError(f"the radius is {self.radius}; it has to be above 0 and at most 1")

    def key(self) -> dict[str, Any]:
        """Centre and radius."""
        return {"name": self.name, "centre": [float(c) for c in self.centre], "radius": self.radius}

    def points(self, space: InputSpace, shard: Shard) -> Floats:
        """See :class:`~bilevel_lang.surrogate.sampling.designs.design.Design`."""
        space.require_bounds()
        if len(self.centre) != len(space):
            raise ValueError(f"the centre has {len(self.centre)} numbers for {len(space)} inputs")
        centre = space.rounded(np.array([self.centre]))[0]
        systematic = self._neighbours(space, centre)[shard.start : shard.start + shard.count]
        missing = shard.count - len(systematic)
        return np.vstack([systematic, self._random(space, centre, shard)[:missing]])

    def _neighbours(self, space: InputSpace, centre: Floats) -> Floats:
        """The centre, and it with one binary input changed."""
        flips = np.flatnonzero(space.binary & (space.lower < space.upper))
        found = np.tile(centre, (1 + len(flips), 1))
        found[1 + np.arange(len(flips)), flips] = 1.0 - centre[flips]
        return found

    def _random(self, space: InputSpace, centre: Floats, shard: Shard) -> Floats:
        generator, n = shard.generator(), len(space)
        reach = self.radius * (space.upper - space.lower)
        reach = np.where(space.integer, np.maximum(1.0, np.floor(reach)), reach)
        part = space.within(np.where(space.binary, centre, centre - reach), np.where(space.binary, centre, centre + reach))
        points = part.from_unit(generator.random((shard.count, n)))
        binary = np.flatnonzero(space.binary & (space.lower < space.upper))
        if binary.size:
            flip = generator.random((shard.count, len(binary))) < FLIPS
            flip[np.arange(shard.count), generator.integers(len(binary), size=shard.count)] = True
            points[:, binary] = np.where(flip, 1.0 - centre[binary], centre[binary])
        return points
