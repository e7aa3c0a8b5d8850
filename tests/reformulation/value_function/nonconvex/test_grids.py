"""Invented problems in the manner of Mitsos and Barton, at most four variables, against fine grids."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyomo.environ as pyo
import pytest

import bilevel_lang as bl
from bilevel_lang.solution import Exactness, Status

FINE = 801


def with_a_row(seed: int) -> tuple[Any, float]:
    """x, y in [-1, 1]; the follower is nonconvex in y, and a nonconvex row makes some answers infeasible for some x.

    The second number is the best of a grid of 801 x 801 points, each y a best answer of the grid for its x.
    """
    random = np.random.default_rng(seed)
    a, b, c = random.integers(-4, 5, 4) / 2.0, random.integers(-4, 5, 3) / 2.0, random.integers(-3, 4, 2) / 2.0

    def follower(x: Any, y: Any, sin: Any, exp: Any) -> Any:
        return a[0] * sin(4 * y + x) + a[1] * y**2 * x + a[2] * exp(-((y - x) ** 2)) + a[3] * y

    def row(x: Any, y: Any) -> Any:
        return b[0] * x * y + b[1] * y**2 + b[2] * y + 0.75

    def leader(x: Any, y: Any) -> Any:
        return (x - c[0] / 2) ** 2 + c[1] * y + x * y

    m = pyo.ConcreteModel()
    m.x, m.y = pyo.Var(bounds=(-1, 1)), pyo.Var(bounds=(-1, 1))
    m.goal = pyo.Objective(expr=leader(m.x, m.y))
    m.f = pyo.Expression(expr=follower(m.x, m.y, pyo.sin, pyo.exp))
    m.row = pyo.Constraint(expr=row(m.x, m.y) >= 0)
    axis = np.linspace(-1, 1, FINE)
    x, y = np.meshgrid(axis, axis, indexing="ij")
    values = np.where(row(x, y) >= 0, follower(x, y, np.sin, np.exp), np.inf)
    answers = values.argmin(axis=1)
    chosen = np.isfinite(values.min(axis=1))
    return m, float(leader(axis, axis[answers])[chosen].min())


@pytest.mark.parametrize("seed", [1, *(pytest.param(k, marks=pytest.mark.slow) for k in (0, *range(2, 16)))])
def test_a_follower_with_a_row_that_moves(seed: int) -> None:
    m, best = with_a_row(seed)
    answer = bl.solve(m, "bilevel x\nmin f y row\n", method="value-function", time_limit=600)
    assert answer.status is Status.OPTIMAL
    assert answer.exactness in (Exactness.EPSILON, Exactness.EXACT)
    assert answer.verified
    # A step of the grid is 1/400; the leader's objective changes by at most some 5 of it where the answer does not jump.
    assert answer.bound is not None
    assert answer.bound <= best + 0.02
    assert answer.objective == pytest.approx(best, abs=0.04)


def two_and_two(seed: int) -> tuple[Any, float]:
    """Two leader's and two follower's variables, the follower's objective a saddle; answers at the corners or on edges."""
    random = np.random.default_rng(seed)
    a, c = random.integers(-3, 4, 5) / 2.0, random.integers(-3, 4, 4) / 2.0
    m = pyo.ConcreteModel()
    m.x, m.y = pyo.Var(range(2), bounds=(0, 1)), pyo.Var(range(2), bounds=(-1, 1))

    def follower(u: Any, v: Any, y: Any, z: Any) -> Any:
        return a[0] * y * z + (a[1] * u - 0.6) * y**2 + (a[2] * v - 0.4) * z**2 + a[3] * u * y + a[4] * v * z

    def leader(u: Any, v: Any, y: Any, z: Any) -> Any:
        return c[0] * u + c[1] * v + c[2] * y + c[3] * z + (u - v) ** 2

    m.goal = pyo.Objective(expr=leader(m.x[0], m.x[1], m.y[0], m.y[1]))
    m.f = pyo.Expression(expr=follower(m.x[0], m.x[1], m.y[0], m.y[1]))
    outer, inner = np.linspace(0, 1, 41), np.linspace(-1, 1, 81)
    y, z = (grid.ravel() for grid in np.meshgrid(inner, inner, indexing="ij"))
    found = []
    for u in outer:
        for v in outer:
            values = follower(u, v, y, z)
            ties = values <= values.min() + 1e-9
            found.append(leader(u, v, y[ties], z[ties]).min())
    return m, float(min(found))


@pytest.mark.parametrize("seed", [0, *(pytest.param(k, marks=pytest.mark.slow) for k in range(1, 10))])
def test_two_variables_each(seed: int) -> None:
    m, best = two_and_two(seed)
    answer = bl.solve(m, "bilevel x\nmin f y\n", method="value-function", time_limit=600)
    assert answer.status is Status.OPTIMAL
    assert answer.verified
    assert answer.bound is not None
    assert answer.bound <= best + 0.1
    assert answer.objective == pytest.approx(best, abs=0.2)
