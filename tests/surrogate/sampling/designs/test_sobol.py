"""Sobol' points: a net in every base-2 box, and shards that are parts of one sequence."""

from __future__ import annotations

import numpy as np
import pytest

from bilevel_lang.errors import RefusedError
from bilevel_lang.surrogate.sampling.designs.sobol import MOST_INPUTS, Sobol
from bilevel_lang.surrogate.sampling.shards import Shard, cut
from bilevel_lang.surrogate.sampling.space import box


def test_shards_are_parts_of_one_sequence() -> None:
    space = box("ab")
    whole = Sobol().points(space, Shard(0, 0, 64, 3))
    parts = [Sobol().points(space, shard) for shard in cut(64, 20, 3)]
    assert np.array_equal(np.vstack(parts), whole)
    assert not np.array_equal(Sobol().points(space, Shard(0, 0, 64, 4)), whole)


def test_each_of_64_squares_holds_one_of_64_points() -> None:
    points = Sobol().points(box("ab"), Shard(0, 0, 64, 3))
    for across in (1, 2, 4, 8, 16, 32, 64):
        cells = np.floor(points * np.array([across, 64 / across])).astype(int)
        assert len({tuple(cell) for cell in cells}) == 64


def test_no_inputs_and_too_many() -> None:
    assert Sobol().points(box([]), Shard(0, 0, 3, 0)).shape == (3, 0)
    with pytest.raises(RefusedError, match="sobol takes"):
        Sobol().points(box([str(k) for k in range(MOST_INPUTS + 1)]), Shard(0, 0, 1, 0))
