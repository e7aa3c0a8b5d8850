"""Points around a decision: its one-flip neighbours, and a small box."""

from __future__ import annotations

import numpy as np
import pytest

from bilevel_lang.surrogate.sampling.designs.around import Around
from bilevel_lang.surrogate.sampling.shards import Shard, cut
from bilevel_lang.surrogate.sampling.space import InputSpace, box


def mixed() -> InputSpace:
    """Continuous in [0, 10], whole in 0 to 4, two binaries, and one that its bounds fix to 1."""
    lower, upper = np.array([0.0, 0, 0, 0, 1]), np.array([10.0, 4, 1, 1, 1])
    return InputSpace(tuple("abcde"), lower, upper, np.array([False, True, True, True, True]))


CENTRE = (9.8, 2.0, 1.0, 0.0, 1.0)


def test_the_centre_and_its_neighbours_come_first_across_shards() -> None:
    parts = [Around(CENTRE).points(mixed(), shard) for shard in cut(8, 2, 0)]
    points = np.vstack(parts)
    assert points[:3].tolist() == [list(CENTRE), [9.8, 2, 0, 0, 1], [9.8, 2, 1, 1, 1]]
    assert [len(part) for part in parts] == [2, 2, 2, 2]


def test_random_points_are_near_and_flip_something() -> None:
    points = Around(CENTRE, radius=0.1).points(mixed(), Shard(5, 100, 300, 2))
    assert mixed().contains(points).all()
    assert points[:, 0].min() >= 8.8 and points[:, 0].max() <= 10
    # A tenth of the width is less than one unit, and a unit it is.
    assert set(points[:, 1]) == {1.0, 2.0, 3.0}
    flipped = points[:, 2:4] != np.array([1.0, 0.0])
    assert flipped.any(axis=1).all() and not flipped.all()


def test_a_box_without_binaries() -> None:
    points = Around((0.5, 0.5), radius=0.2).points(box("ab"), Shard(0, 0, 50, 1))
    assert points[0].tolist() == [0.5, 0.5] and np.abs(points - 0.5).max() <= 0.2
    assert len(np.unique(points, axis=0)) == 50


@pytest.mark.parametrize("radius", [0.0, 1.5])
def test_other_radii_are_refused(radius: float) -> None:
    with pytest.raises(ValueError, match="radius"):
        Around((0.5,), radius)


def test_a_centre_of_another_size() -> None:
    with pytest.raises(ValueError, match="2 numbers for 1"):
        Around((0.5, 0.5)).points(box("a"), Shard(0, 0, 1, 0))
