"""The order of samples: a permutation with shorter ways than chance has."""

from __future__ import annotations

import numpy as np
import pytest

from bilevel_lang.oracle.chain import LEAF, nearest_chain


def length(points: np.ndarray) -> float:
    return float(np.linalg.norm(np.diff(points, axis=0), axis=1).sum())


def test_on_a_line_the_chain_is_greedy() -> None:
    # From 0 the nearest is 1, from there 3, and -2 comes last.
    points = np.array([[0.0], [3.0], [-2.0], [1.0], [7.0]])
    assert nearest_chain(points).tolist() == [0, 3, 1, 4, 2]


@pytest.mark.parametrize("count", [LEAF - 1, LEAF, LEAF + 1, 2 * LEAF, 600])
def test_a_permutation_that_is_much_shorter(count: int) -> None:
    points = np.random.default_rng(1).random((count, 2))
    order = nearest_chain(points)
    assert sorted(order) == list(range(count))
    assert length(points[order]) < 0.4 * length(points)


def test_columns_count_by_their_spread() -> None:
    points = np.random.default_rng(2).integers(0, 9, (100, 3)).astype(float)
    assert np.array_equal(nearest_chain(points), nearest_chain(points * np.array([2.0**20, 1.0, 2.0**-20])))


def test_equal_points_none_one_and_no_columns() -> None:
    assert sorted(nearest_chain(np.ones((70, 2)))) == list(range(70))
    assert nearest_chain(np.zeros((0, 2))).tolist() == []
    assert nearest_chain(np.zeros((1, 2))).tolist() == [0]
    assert sorted(nearest_chain(np.zeros((3, 0)))) == [0, 1, 2]
