from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from bilevel_lang.reformulation.linear.bounds.monotone import monotone_bounds
from tests.reformulation.linear.bounds.bases import basic_extremes


@pytest.mark.parametrize("seed", range(20))
def test_no_basic_multiplier_exceeds_them(seed: int) -> None:
    random = np.random.default_rng(seed)
    k = 3
    rows = -random.integers(0, 4, (k, 3)).astype(float) * random.choice([-1.0, 1.0], (k, 1))
    matrix = np.hstack([rows, np.eye(k), -np.eye(k)])
    low = random.integers(-5, 3, k).astype(float)
    up = low + random.integers(0, 3, k)
    found = monotone_bounds(sp.csr_matrix(matrix), low, up, np.ones(matrix.shape[1], dtype=bool))
    wide = (np.abs(rows) > 0).sum(axis=0) > 1
    assert np.isfinite(found[:3][wide]).all()
    for gradient in (low, up, (low + up) / 2):
        assert (basic_extremes(matrix, gradient)[:3] <= found[:3] + 1e-9).all()


def test_rows_that_push_both_ways_have_none() -> None:
    matrix = sp.csr_matrix([[1.0, -1.0], [1.0, 1.0]])
    assert np.isinf(monotone_bounds(matrix, np.ones(2), np.ones(2), np.ones(2, dtype=bool))).all()


def test_an_equality_pushes_both_ways() -> None:
    matrix = sp.csr_matrix([[1.0, 1.0], [1.0, 1.0]])
    assert np.isinf(monotone_bounds(matrix, np.ones(2), np.ones(2), np.array([True, False]))).all()
    single = sp.csr_matrix([[1.0, 1.0], [1.0, 0.0]])  # the equality holds one variable only
    assert np.isinf(monotone_bounds(single, np.ones(2), np.ones(2), np.array([True, False]))).all()
