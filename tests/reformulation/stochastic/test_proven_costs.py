from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.optimize import linprog

from bilevel_lang.reformulation.stochastic.proven_costs import proven_costs, usable


def program(seed: int) -> tuple[np.ndarray, ...]:
    """min cost'y, A y >= b, with upper bounds of all columns but the last."""
    draw = np.random.default_rng(seed)
    matrix = np.hstack([draw.integers(-3, 6, (4, 5)), np.ones((4, 1))]).astype(float)
    upper = np.append(draw.integers(1, 6, 5), np.inf).astype(float)
    return draw.integers(-4, 9, 6) + np.array([0.0] * 5 + [20.0]), matrix, draw.integers(1, 9, 4).astype(float), upper


@pytest.mark.parametrize("seed", range(5))
def test_any_multipliers_prove_less_and_the_best_ones_the_optimum(seed: int) -> None:
    cost, matrix, side, upper = program(seed)
    found = linprog(cost, -matrix, -side, bounds=[(0, None if np.isinf(u) else u) for u in upper], method="highs")
    rows, columns = (side[None], np.full((1, 4), np.inf)), (np.zeros((1, 6)), upper[None])

    def proven(duals: np.ndarray) -> float:
        return float(proven_costs(cost[None], sp.csr_matrix(matrix), usable(duals[None], rows), rows, columns)[0])

    assert proven(-found.ineqlin.marginals) == pytest.approx(found.fun, abs=1e-9)
    draw = np.random.default_rng(seed)
    assert np.isfinite([proven(draw.normal(0, 3, 4)) for _ in range(5)]).any()
    for _ in range(50):
        assert proven(draw.normal(0, 6, 4)) <= found.fun + 1e-9


def test_a_column_without_a_bound_proves_nothing_where_it_is_drawn_to_it() -> None:
    rows, columns = (np.ones((1, 1)), np.full((1, 1), np.inf)), (np.zeros((1, 1)), np.full((1, 1), np.inf))
    matrix = sp.csr_matrix([[1.0]])
    cost = np.array([[2.0]])
    assert proven_costs(cost, matrix, np.array([[2.1]]), rows, columns)[0] == -np.inf
    # 1e-8 is what a solver leaves, and counts as none.
    assert proven_costs(cost, matrix, np.array([[2.0 + 1e-8]]), rows, columns)[0] == pytest.approx(2.0, abs=1e-7)


def test_a_multiplier_of_a_side_that_there_is_not_is_no_use() -> None:
    rows = (np.array([[1.0, -np.inf, 3.0]]), np.array([[np.inf, 2.0, 3.0]]))
    assert usable(np.array([[-1e-9, 1e-9, -4.0]]), rows).tolist() == [[0, 0, -4]]
    assert usable(np.array([[2.0, -3.0, 4.0]]), rows).tolist() == [[2, -3, 4]]
