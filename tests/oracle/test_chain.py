"""The order of samples: a permutation with shorter ways than chance has."""

from __future__ import annotations

import numpy as np

from bilevel_lang.oracle.chain import BLOCK, nearest_chain


def length(points: np.ndarray) -> float:
    return float(np.linalg.norm(np.diff(points, axis=0), axis=1).sum())


def test_on_a_line_the_chain_is_greedy() -> None:
    # From 0 the nearest is 1, from there 3, and -2 comes last.
    points = np.array([[0.0], [3.0], [-2.0], [1.0], [7.0]])
    assert nearest_chain(points).tolist() == [0, 3, 1, 4, 2]


def test_a_permutation_that_is_much_shorter() -> None:
    points = np.random.default_rng(1).random((BLOCK + 88, 3))
    order = nearest_chain(points)
    assert sorted(order) == list(range(len(points)))
    assert length(points[order]) < 0.3 * length(points)


def test_columns_count_by_their_spread() -> None:
    points = np.random.default_rng(2).random((50, 3))
    assert np.array_equal(nearest_chain(points), nearest_chain(points * np.array([1e6, 1.0, 1e-6])))


def test_none_one_and_no_columns() -> None:
    assert nearest_chain(np.zeros((0, 2))).tolist() == []
    assert nearest_chain(np.zeros((1, 2))).tolist() == [0]
    assert sorted(nearest_chain(np.zeros((3, 0)))) == [0, 1, 2]
