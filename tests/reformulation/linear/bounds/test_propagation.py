from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.optimize import linprog

from bilevel_lang.reformulation.linear.bounds.box import Box
from bilevel_lang.reformulation.linear.bounds.propagation import propagate

INF = np.inf
NONE = (np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))


def test_each_column_is_bounded_by_what_the_others_leave() -> None:
    # x + 2 y <= 6, x - z = 0, with x, y >= 0 and z without bounds.
    box = Box(np.array([0.0, 0.0, -INF]), np.array([INF, INF, INF]))
    matrix = sp.csr_matrix([[1.0, 2.0, 0.0], [1.0, 0.0, -1.0]])
    assert propagate(box, matrix, np.array([-INF, 0.0]), np.array([6.0, 0.0]), NONE)
    assert box.upper == pytest.approx([6, 3, 6], abs=1e-6)
    assert box.lower == pytest.approx([0, 0, 0], abs=1e-6)
    assert box.origin[0] == "derived by bound propagation"


@pytest.mark.parametrize("seed", range(30))
def test_no_feasible_point_is_cut_off(seed: int) -> None:
    random = np.random.default_rng(seed)
    n, m = 4, 5
    matrix = random.integers(-3, 4, (m, n)).astype(float)
    inside = random.uniform(-2, 2, n)
    upper = matrix @ inside + random.integers(0, 3, m)
    lower = np.where(random.random(m) < 0.3, matrix @ inside - 1, -INF)
    bounds = [(-5, 5) if k else (-3, None) for k in range(n)]
    box = Box(np.array([-3.0, -5, -5, -5]), np.array([INF, 5, 5, 5]))
    propagate(box, sp.csr_matrix(matrix), lower, upper, NONE)
    two = np.isfinite(lower)
    rows, sides = np.vstack([matrix, -matrix[two]]), np.concatenate([upper, -lower[two]])
    assert not box.empty
    for j in range(n):
        for sign in (1, -1):
            found = linprog(sign * np.eye(n)[j], rows, sides, bounds=bounds)
            if found.status == 0:
                assert box.lower[j] - 1e-7 <= found.x[j] <= box.upper[j] + 1e-7


def test_a_side_that_is_never_zero_decides_its_pair() -> None:
    box = Box(np.array([1.0, 0.0]), np.array([2.0, INF]))
    propagate(box, sp.csr_matrix((0, 2)), np.zeros(0), np.zeros(0), (np.array([0]), np.array([1])))
    assert box.upper[1] == 0.0
    assert box.origin[1] == "the other side of the pair is never zero"


def test_two_sides_that_are_never_zero_leave_no_point() -> None:
    box = Box(np.array([1.0, 1.0]), np.array([2.0, 2.0]))
    propagate(box, sp.csr_matrix((0, 2)), np.zeros(0), np.zeros(0), (np.array([0]), np.array([1])))
    assert box.empty


def test_rows_that_contradict_each_other_leave_no_point() -> None:
    box = Box(np.array([0.0]), np.array([9.0]))
    propagate(box, sp.csr_matrix([[1.0], [1.0]]), np.array([4.0, -INF]), np.array([INF, 3.0]), NONE)
    assert box.empty
