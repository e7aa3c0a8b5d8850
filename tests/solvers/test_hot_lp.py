from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.optimize import linprog

from bilevel_lang.solvers.hot_lp import HotLp
from bilevel_lang.solvers.matrix import MatrixProgram
from bilevel_lang.solvers.solver import Termination


def program(matrix: np.ndarray, upper: np.ndarray, columns_up: float = 4.0) -> MatrixProgram:
    n = matrix.shape[1]
    return MatrixProgram(
        lower=np.zeros(n),
        upper=np.full(n, columns_up),
        integer=np.ones(n, dtype=bool),
        cost=np.ones(n),
        matrix=sp.csr_matrix(matrix),
        row_lower=np.full(len(upper), -np.inf),
        row_upper=upper,
    )


def test_objective_after_objective_each_from_scratch_is_the_same() -> None:
    random = np.random.default_rng(0)
    matrix, upper = random.integers(-1, 4, (6, 5)).astype(float), random.integers(3, 9, 6).astype(float)
    lp = HotLp(program(matrix, upper), 1000)
    for _ in range(20):
        columns = random.permutation(5)[: random.integers(1, 4)]
        factors = random.integers(-3, 4, len(columns)).astype(float)
        cost = np.zeros(5)
        cost[columns] = factors
        expected = linprog(-cost, matrix, upper, bounds=[(0, 4)] * 5)
        assert lp.largest(columns, factors).value == pytest.approx(-expected.fun, abs=1e-9)
    assert lp.solves == 20


def test_unbounded_infeasible_and_a_spent_budget_are_told_apart() -> None:
    one = np.ones((1, 1))
    free = HotLp(program(-one, np.zeros(1), np.inf), 1000)
    assert free.largest(np.array([0]), np.ones(1)).termination is Termination.UNBOUNDED
    empty = HotLp(program(one, np.array([-1.0])), 1000)
    assert empty.largest(np.array([0]), np.ones(1)).termination is Termination.INFEASIBLE
    spent = HotLp(program(one, np.ones(1)), 1)
    ends = [spent.largest(np.array([0]), np.ones(1)).termination for _ in range(3)]
    assert ends[-1] is Termination.LIMIT
