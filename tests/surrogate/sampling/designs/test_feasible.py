"""Random points of a set that the caller knows."""

from __future__ import annotations

import numpy as np
import pytest

from bilevel_lang.errors import RefusedError
from bilevel_lang.surrogate.sampling.designs.feasible import Feasible
from bilevel_lang.surrogate.sampling.shards import Shard
from bilevel_lang.surrogate.sampling.space import box


def onto_simplex(points: np.ndarray) -> np.ndarray:
    """Scaled down to a sum of 1 where it is more."""
    return points / np.maximum(1.0, points.sum(axis=1))[:, None]


def test_points_are_in_the_set_and_those_that_were_stay() -> None:
    space, shard = box("abc"), Shard(1, 10, 200, 4)
    points = Feasible(onto_simplex, "simplex").points(space, shard)
    drawn = Feasible(lambda x: x, "box").points(space, shard)
    assert (points.sum(axis=1) <= 1 + 1e-9).all()
    inside = drawn.sum(axis=1) <= 1
    assert 0 < inside.sum() < 200 and np.array_equal(points[inside], drawn[inside])


def test_an_empty_set_is_said() -> None:
    with pytest.raises(RefusedError, match="own rows"):
        Feasible(lambda x: np.full_like(x, np.nan), "nothing").points(box("a"), Shard(0, 0, 3, 0))


def test_what_is_no_set_of_points_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="nearest"):
        Feasible(lambda x: x[:1], "short").points(box("a"), Shard(0, 0, 3, 0))
    assert Feasible(onto_simplex, "a").key() != Feasible(onto_simplex, "b").key()
