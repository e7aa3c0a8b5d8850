"""Points that somebody else has drawn."""

from __future__ import annotations

import numpy as np
import pytest

from bilevel_lang.surrogate.sampling.designs.listed import Listed
from bilevel_lang.surrogate.sampling.shards import Shard
from bilevel_lang.surrogate.sampling.space import box

POINTS = np.arange(10.0).reshape(5, 2) / 10
SPACE = box(["x", "y"])


def test_shards_are_pieces_in_order() -> None:
    parts = [Listed(POINTS).points(SPACE, Shard(k, 2 * k, count, 0)) for k, count in enumerate((2, 2, 1))]
    assert np.array_equal(np.vstack(parts), POINTS)


def test_other_points_have_another_key() -> None:
    assert Listed(POINTS).key() == Listed(POINTS.copy()).key() != Listed(POINTS + 1e-12).key()


def test_more_than_are_listed_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="5"):
        Listed(POINTS).points(SPACE, Shard(0, 0, 6, 0))
