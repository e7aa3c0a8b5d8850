"""Equations that leave one point, against the rank of their matrix."""

from __future__ import annotations

import numpy as np
import pyomo.environ as pyo
import pytest

from bilevel_lang.oracle.one_point import is_one_point


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("scale", [1e-7, 1.0, 1e7])
def test_against_the_rank(seed: int, scale: float) -> None:
    random = np.random.default_rng(seed)
    n = int(random.integers(1, 6))
    matrix = random.integers(-2, 3, (n, n)).astype(float)
    m = pyo.ConcreteModel()
    m.y = pyo.Var(range(n))
    units = scale ** random.integers(0, 2, n)
    equations = [[(m.y[j], units[i] * matrix[i, j]) for j in range(n) if matrix[i, j]] for i in range(n)]
    assert is_one_point(equations, list(m.y.values())) == (np.linalg.matrix_rank(matrix) == n)


def test_what_is_not_asked_about_is_a_constant() -> None:
    m = pyo.ConcreteModel()
    m.y = pyo.Var(range(3))
    assert is_one_point([[(m.y[0], 1.0), (m.y[1], 2.0)]], [m.y[1]])
    assert not is_one_point([[(m.y[0], 1.0), (m.y[1], 2.0)]], [m.y[2]])
    assert is_one_point([], [])


def test_nothing_is_claimed_by_a_pivot_of_rounding() -> None:
    m = pyo.ConcreteModel()
    m.y = pyo.Var(range(2))
    third = 0.1 + 0.2
    rows = [[(m.y[0], 1.0), (m.y[1], 0.3)], [(m.y[0], 1.0), (m.y[1], third)]]
    assert not is_one_point(rows, list(m.y.values()))


def test_too_few_equations() -> None:
    m = pyo.ConcreteModel()
    m.y = pyo.Var(range(2))
    assert not is_one_point([[(m.y[0], 1.0), (m.y[1], 1.0)]], list(m.y.values()))
