from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from bilevel_lang.reformulation.linear.bounds.box import SLACKNESS, Box, product_interval

INF = np.inf


def test_the_range_of_rows_is_that_of_their_corners() -> None:
    random = np.random.default_rng(0)
    matrix = sp.csr_matrix(random.integers(-2, 3, (5, 3)).astype(float))
    lower, upper = np.array([-1.0, 0.0, 2.0]), np.array([3.0, 0.5, 2.0])
    corners = np.array(np.meshgrid(*zip(lower, upper, strict=True))).reshape(3, -1)
    values = matrix @ corners
    low, up = product_interval(matrix, lower, upper)
    assert low == pytest.approx(values.min(axis=1))
    assert up == pytest.approx(values.max(axis=1))


def test_an_infinite_bound_counts_only_where_the_column_stands() -> None:
    matrix = sp.csr_matrix([[1.0, 0.0], [0.0, 1.0], [1.0, -2.0]])
    low, up = product_interval(matrix, np.array([-INF, 1.0]), np.array([4.0, 3.0]))
    assert low.tolist() == [-INF, 1.0, -INF]
    assert up.tolist() == [4.0, 3.0, 2.0]


def test_only_tighter_bounds_are_taken_with_some_room_and_their_origin() -> None:
    box = Box(np.array([0.0, 0.0]), np.array([INF, 5.0]))
    every = np.arange(2)
    assert box.tighten(every, np.array([-1.0, -1.0]), np.array([2.0, 9.0]), "a proof")
    assert box.upper[0] == pytest.approx(2.0 * (1 + SLACKNESS), rel=1e-12)
    assert box.upper[1] == 5.0
    assert box.origin == ["a proof", "bound of the variable"]
    assert not box.tighten(every, box.lower, box.upper, "again")
    assert not box.empty


def test_crossed_bounds_are_a_proof_that_there_is_no_point() -> None:
    box = Box(np.array([0.0]), np.array([1.0]))
    box.tighten(np.array([0]), np.array([2.0]), np.array([INF]), "a proof")
    assert box.empty
