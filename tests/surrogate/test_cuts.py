"""The pool of cuts against the function that its pieces were taken from."""

from __future__ import annotations

import numpy as np
import pytest

from bilevel_lang.surrogate.cuts import CutPool, cut_pool, sum_of
from bilevel_lang.surrogate.network import Floats, dense


def pieces(count: int = 7, inputs: int = 3) -> tuple[Floats, Floats]:
    generator = np.random.default_rng(5)
    return generator.normal(size=(count, inputs)), generator.normal(size=count)


@pytest.mark.parametrize("side", [1, -1])
def test_a_pool_from_gradients_is_the_function_where_every_piece_was_seen(side: int) -> None:
    slopes, offsets = pieces()
    points = np.random.default_rng(0).uniform(-5, 5, size=(2000, 3))
    all_pieces = points @ slopes.T + offsets
    active = all_pieces.argmax(axis=1) if side > 0 else all_pieces.argmin(axis=1)
    values = all_pieces[np.arange(len(points)), active]
    pool = cut_pool(points, values, slopes[active], side)
    assert len(pool) == len(set(active.tolist()))
    assert np.allclose(pool(points), values, atol=1e-9)


@pytest.mark.parametrize("side", [1, -1])
def test_few_pieces_stay_on_the_valid_side(side: int) -> None:
    pool = CutPool(*pieces(12), side)
    points = np.random.default_rng(1).uniform(-5, 5, size=(500, 3))
    few = pool.reduced(points, 3)
    assert len(few) == 3
    assert (side * (pool(points) - few(points)) >= -1e-12).all()


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8])
@pytest.mark.parametrize("side", [1, -1])
def test_the_network_of_a_pool_is_the_pool(count: int, side: int) -> None:
    pool = CutPool(*pieces(count), side)
    points = np.random.default_rng(2).uniform(-9, 9, size=(200, 3))
    network = pool.network()
    assert network.neurons == count - 1
    assert np.allclose(network(points)[:, 0], pool(points), atol=1e-12)


def test_the_sum_of_two_networks() -> None:
    generator = np.random.default_rng(3)
    other = dense([generator.normal(size=s) for s in [(4, 3), (5, 4), (1, 5)]], [generator.normal(size=k) for k in (4, 5, 1)])
    pool = CutPool(*pieces(5), 1).network()
    points = generator.normal(size=(50, 3))
    assert np.allclose(sum_of(pool, other)(points), pool(points) + other(points), atol=1e-12)
    with pytest.raises(ValueError, match="sum"):
        sum_of(pool, dense([np.ones((1, 2))], [np.zeros(1)]))


def test_no_pieces_are_no_pool() -> None:
    with pytest.raises(ValueError, match="no pool"):
        CutPool(np.zeros((0, 2)), np.zeros(0), 1)
