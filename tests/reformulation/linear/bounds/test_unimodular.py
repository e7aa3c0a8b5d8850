from __future__ import annotations

import itertools

import numpy as np
import pytest
import scipy.sparse as sp

from bilevel_lang.reformulation.linear.bounds.unimodular import unimodular_scaling


def is_totally_unimodular(matrix: np.ndarray) -> bool:
    """By the definition: every square submatrix has determinant 0, 1 or -1."""
    k, m = matrix.shape
    for size in range(1, min(k, m) + 1):
        for rows in itertools.combinations(range(k), size):
            for columns in itertools.combinations(range(m), size):
                if round(abs(np.linalg.det(matrix[np.ix_(rows, columns)])), 6) not in (0.0, 1.0):
                    return False
    return True


NETWORK = np.array([[1, 1, 0, 0, 1.0], [-1, 0, 1, 0, 0], [0, -1, -1, 1, 0], [0, 0, 0, -1, -1]])
TRANSPORT = np.array([[1, 1, 0, 0.0], [0, 0, 1, 1], [1, 0, 1, 0], [0, 1, 0, 1]])
STORAGE = np.tril(np.ones((4, 4)))
ODD_CYCLE = np.array([[1, 1, 0.0], [0, 1, 1], [1, 0, 1]])


@pytest.mark.parametrize("matrix", [NETWORK, TRANSPORT, STORAGE], ids=["network", "transport", "storage"])
def test_shapes_of_models_are_found(matrix: np.ndarray) -> None:
    assert is_totally_unimodular(matrix)
    assert unimodular_scaling(sp.csr_matrix(matrix)) is not None
    with_bounds = np.hstack([matrix, np.eye(len(matrix)), -np.eye(len(matrix))])
    assert unimodular_scaling(sp.csr_matrix(with_bounds)) is not None
    assert unimodular_scaling(sp.csr_matrix(with_bounds.T)) is not None


def test_an_odd_cycle_is_not_called_unimodular() -> None:
    assert not is_totally_unimodular(ODD_CYCLE)
    assert unimodular_scaling(sp.csr_matrix(ODD_CYCLE)) is None


def test_rows_and_columns_may_be_scaled() -> None:
    rows, columns = np.array([2.0, 0.5, 10.0, 1.0]), np.array([3.0, 1.0, 7.0, 0.1, 1.0])
    found = unimodular_scaling(sp.csr_matrix(NETWORK * np.outer(rows, columns)))
    assert found is not None
    assert NETWORK * np.outer(rows, columns) / np.outer(*found) == pytest.approx(NETWORK)


def test_a_scaling_that_fits_a_tree_only_is_not_enough() -> None:
    assert unimodular_scaling(sp.csr_matrix([[1.0, 1.0], [1.0, 2.0]])) is None
    assert unimodular_scaling(sp.csr_matrix([[1.0, 3.0], [0.0, 2.0]])) is not None  # a forest


@pytest.mark.parametrize("seed", range(10))
def test_whatever_is_called_unimodular_is(seed: int) -> None:
    random = np.random.default_rng(seed)
    found = 0
    for _ in range(30):
        matrix = random.choice([-1.0, 0.0, 0.0, 1.0], (4, 5))
        if unimodular_scaling(sp.csr_matrix(matrix)) is not None:
            found += 1
            assert is_totally_unimodular(matrix)
    assert found
