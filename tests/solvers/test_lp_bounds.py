"""Largest values over one LP, question after question."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from bilevel_lang.solvers.lp_bounds import largest_over


def test_largest_values_by_hand() -> None:
    # x + y <= 3, 0 <= x, y <= 2
    largest = largest_over(np.zeros(2), np.full(2, 2.0), sp.csr_matrix([[1.0, 1.0]]), np.array([-np.inf]), np.array([3.0]))
    both = np.array([0, 1])
    assert largest(both, np.array([1.0, 1.0])) == pytest.approx(3.0)
    assert largest(both, np.array([1.0, -1.0])) == pytest.approx(2.0)
    assert largest(np.array([1]), np.array([-1.0])) == pytest.approx(0.0)
    assert largest(both, np.array([2.0, 1.0])) == pytest.approx(5.0)


def test_infeasible_and_unbounded_have_none() -> None:
    nothing = largest_over(np.zeros(1), np.ones(1), sp.csr_matrix([[1.0]]), np.array([2.0]), np.array([3.0]))
    assert nothing(np.array([0]), np.ones(1)) is None
    free = largest_over(np.zeros(1), np.array([np.inf]), sp.csr_matrix((0, 1)), np.zeros(0), np.zeros(0))
    assert free(np.array([0]), np.ones(1)) is None
    assert free(np.array([0]), -np.ones(1)) == pytest.approx(0.0)
