"""A part of the tree: bounds of all columns of the extended program."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bilevel_lang.reformulation.value_function.integer.extended import Extended
from bilevel_lang.solvers.matrix import Ints
from bilevel_lang.solvers.program import Floats


@dataclass(frozen=True, slots=True)
class Part:
    """``lower``, ``upper`` (columns of the program,)."""

    extended: Extended
    lower: Floats
    upper: Floats

    @property
    def activities(self) -> tuple[Floats, Floats]:
        """(K,), (K,): bounds of the activities."""
        columns = self.extended.activity_columns
        return self.lower[columns], self.upper[columns]

    @property
    def value(self) -> tuple[float, float]:
        """Bounds of the follower's value."""
        return float(self.lower[self.extended.value]), float(self.upper[self.extended.value])

    @property
    def decided(self) -> bool:
        """Whether one decision of the leader is left."""
        links = self.extended.links
        return bool(np.array_equal(self.lower[links], self.upper[links]))

    def sigma_range(self) -> tuple[Floats, Floats]:
        """(R,), (R,): the range of sigma."""
        return self.extended.rows.sigma_range(*self.activities)


def part_of(extended: Extended, watched: Ints, lower: Floats, upper: Floats) -> Part:
    """The part with those bounds of the ``watched`` columns; the others keep those of the program."""
    low, up = extended.program.lower.copy(), extended.program.upper.copy()
    low[watched], up[watched] = lower, upper
    return Part(extended, low, up)
