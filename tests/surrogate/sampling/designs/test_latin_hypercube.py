"""Latin hypercubes: one sample in each layer."""

from __future__ import annotations

import numpy as np

from bilevel_lang.surrogate.sampling.designs.latin_hypercube import LatinHypercube
from bilevel_lang.surrogate.sampling.shards import Shard
from bilevel_lang.surrogate.sampling.space import box


def test_every_layer_of_every_input_holds_one_sample() -> None:
    points = LatinHypercube().points(box("abc", -1.0, 3.0), Shard(2, 100, 40, 7))
    layers = np.floor((points + 1) / 4 * 40).astype(int)
    assert all(sorted(column) == list(range(40)) for column in layers.T)
    assert len({tuple(column) for column in layers.T}) == 3


def test_whole_inputs_take_every_value_equally_often() -> None:
    points = LatinHypercube().points(box("a", 0.0, 4.0, integer=True), Shard(0, 0, 50, 1))
    assert np.unique(points, return_counts=True)[1].tolist() == [10] * 5


def test_the_same_shard_is_the_same_and_another_is_not() -> None:
    space, design = box("ab"), LatinHypercube()
    first = design.points(space, Shard(0, 0, 10, 1))
    assert np.array_equal(first, design.points(space, Shard(0, 0, 10, 1)))
    assert not np.isin(first, design.points(space, Shard(1, 10, 10, 1))).any()
    assert design.key() == {"name": "latin-hypercube"}
