"""Variational inequalities at solutions and beside them."""

from __future__ import annotations

import math
from typing import Any

import pyomo.environ as pyo
import pytest
from pyomo.common.collections import ComponentMap

from bilevel_lang.oracle.natural_map import Residual, natural_residual
from bilevel_lang.solvers.solver import SolverOptions
from tests.oracle.agents import follower


def residual(
    force: Any, point: tuple[float, float], row: Any = None, text: str = "vi F[1] y[1] F[2] y[2]", **var: Any
) -> Residual:
    m = pyo.ConcreteModel()
    m.y = pyo.Var([1, 2], **({"bounds": (0, 10)} | var))
    m.F = pyo.Expression([1, 2], rule=lambda m, i: force(m)[i - 1])
    if row is not None:
        m.c = pyo.Constraint(expr=row(m))
        text += " c"
    agent = follower(m, text)
    return natural_residual(agent, ComponentMap(zip(m.y.values(), point, strict=True)), SolverOptions(time_limit=20.0))


def test_a_box() -> None:
    assert residual(lambda m: (m.y[1] - 3, m.y[2] + 1), (3.0, 0.0)).relative == 0.0
    assert residual(lambda m: (m.y[1] - 3, m.y[2] + 1), (3.0, 1.0)).relative > 0.1


@pytest.mark.parametrize("factor", [1e-9, 1.0, 1e9])
def test_the_scale_of_f_changes_nothing(factor: float) -> None:
    wrong = residual(lambda m: (factor * (m.y[1] - 5), m.y[2]), (0.0, 0.0))
    assert wrong.relative > 0.1
    near = residual(lambda m: (factor * (m.y[1] - 5), m.y[2]), (5.0 + 1e-8, 0.0))
    assert near.relative < 1e-7


def test_a_polyhedron() -> None:
    # F = (1, -2), x + y <= 1: the solution is (0, 1).
    assert residual(lambda m: (1.0, -2.0), (0.0, 1.0), lambda m: m.y[1] + m.y[2] <= 1).relative < 1e-7
    assert residual(lambda m: (1.0, -2.0), (1.0, 0.0), lambda m: m.y[1] + m.y[2] <= 1).relative > 0.1


def test_a_convex_set() -> None:
    # The least y1 + y2 on the unit disk.
    s = -(0.5**0.5)
    disk = {"row": lambda m: m.y[1] ** 2 + m.y[2] ** 2 <= 1, "bounds": (-2, 2)}
    assert residual(lambda m: (1.0, 1.0), (s, s), **disk).relative < 1e-6
    assert residual(lambda m: (1.0, 1.0), (-1.0, 0.0), **disk).relative > 0.1


def test_a_nonconvex_set_is_decided_by_the_definition() -> None:
    # Outside the unit disk in [-2, 2]^2: (0, 1) is a local minimum of y2 along the circle's top, not a solution.
    ring = {"row": lambda m: m.y[1] ** 2 + m.y[2] ** 2 >= 1, "bounds": (-2, 2)}
    wrong = residual(lambda m: (0.0, 1.0), (0.0, 1.0), **ring)
    assert wrong.proven and wrong.relative > 0.1
    right = residual(lambda m: (0.0, 1.0), (0.5, -2.0), **ring)
    assert right.proven and right.relative < 1e-6


def test_zero_functions_and_pinned_variables() -> None:
    assert residual(lambda m: (m.y[1] - 3, 0.0), (3.0, 7.0), text="vi y[2] F[1] y[1]").relative == 0.0
    m = pyo.ConcreteModel()
    m.y = pyo.Var([1, 2], bounds=(0, 2))
    m.F = pyo.Expression([1, 2], rule=lambda m, i: m.y[i] - 1)
    agent = follower(m, "vi F[1] y[1] F[2] y[2]")
    m.y[2].setlb(2)
    assert natural_residual(agent, ComponentMap([(m.y[1], 1.0), (m.y[2], 2.0)]), SolverOptions()).relative == 0.0


def test_an_empty_set_and_an_undefined_function() -> None:
    assert residual(lambda m: (1.0, 1.0), (0.0, 0.0), lambda m: m.y[1] + m.y[2] >= 30).relative == math.inf
    assert residual(lambda m: (pyo.log(m.y[1]), 1.0), (0.0, 0.0)).relative == math.inf
