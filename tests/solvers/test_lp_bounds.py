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


def test_the_bound_is_proven_whatever_the_multipliers() -> None:
    # Random LPs: never below the best of many feasible points, and equal to scipy's optimum.
    from scipy.optimize import linprog

    generator = np.random.default_rng(0)
    for _ in range(10):
        matrix = generator.normal(size=(6, 5))
        largest = largest_over(-np.ones(5), np.ones(5), sp.csr_matrix(matrix), np.full(6, -np.inf), np.ones(6))
        for _ in range(4):
            form = generator.normal(size=5)
            done = linprog(-form, A_ub=matrix, b_ub=np.ones(6), bounds=(-1, 1))
            bound = largest(np.arange(5), form)
            assert bound is not None
            assert -done.fun - 1e-12 <= bound <= -done.fun + 1e-7


def test_multipliers_of_the_wrong_sign_still_bound() -> None:
    from bilevel_lang.solvers.lp_bounds import _proven
    from bilevel_lang.solvers.matrix import MatrixProgram

    # max x + y with x + y <= 1 in the unit box: any multiplier gives at least 1.
    rows = sp.csr_matrix([[1.0, 1.0]])
    program = MatrixProgram(
        np.zeros(2), np.ones(2), np.zeros(2, dtype=bool), np.zeros(2), rows, np.array([-np.inf]), np.array([1.0])
    )
    for multiplier in (-3.0, 0.0, 0.3, 1.0, 5.0):
        found = _proven(np.ones(2), np.array([multiplier]), rows.T.tocsr(), program)
        assert found is not None and found >= 1.0
    assert _proven(np.ones(2), np.array([1.0]), rows.T.tocsr(), program) == pytest.approx(1.0)
