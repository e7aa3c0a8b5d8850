"""Given multipliers: every valid one passes, every other fails, whatever the scale."""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo
import pytest
from pyomo.common.collections import ComponentMap

import bilevel_lang
from bilevel_lang.oracle.multipliers import active_cone, multiplier_residual, reduced_costs


def residual(kind: str, objective: Any, row: Any, y: float, u: float, scale: float = 1.0, **var: Any) -> float:
    m = pyo.ConcreteModel()
    m.u = pyo.Var()
    m.y = pyo.Var(**var)
    m.o = pyo.Objective(expr=0.0)
    m.f = pyo.Expression(expr=scale * objective(m.y))
    m.c = pyo.Constraint(expr=row(m.y))
    problem = bilevel_lang.resolve(m, f"bilevel u\n{kind} f y c\ndualvar u c")
    return multiplier_residual(problem.agents[0], problem.dual_maps, ComponentMap([(m.u, scale * u), (m.y, y)]))


SIGNS = [
    ("min", lambda y: y**2 / 2, lambda y: y >= 2, 2.0),
    ("min", lambda y: y**2 / 2, lambda y: -y <= -2, -2.0),
    ("max", lambda y: -(y**2) / 2, lambda y: y >= 2, -2.0),
    ("max", lambda y: -(y**2) / 2, lambda y: -y <= -2, 2.0),
    ("min", lambda y: y**2 / 2, lambda y: y == 2, 2.0),
    ("max", lambda y: -(y**2) / 2, lambda y: y == 2, -2.0),
    ("min", lambda y: y**2 / 2, lambda y: pyo.inequality(2, y, 5), 2.0),
    ("max", lambda y: y, lambda y: pyo.inequality(0, y, 2), 1.0),
]


@pytest.mark.parametrize("scale", [1e-7, 1.0, 1e7])
@pytest.mark.parametrize(("kind", "objective", "row", "expected"), SIGNS)
def test_signs_of_the_reference_table(kind: str, objective: Any, row: Any, expected: float, scale: float) -> None:
    assert residual(kind, objective, row, 2.0, expected, scale) < 1e-9
    for wrong in (-expected, 0.0, 1.01 * expected):
        assert residual(kind, objective, row, 2.0, wrong, scale) > 1e-3


def test_an_inactive_row_has_multiplier_zero() -> None:
    assert residual("min", lambda y: (y - 3) ** 2, lambda y: y >= 2, 3.0, 0.0) == 0.0
    assert residual("min", lambda y: (y - 3) ** 2, lambda y: y >= 2, 3.0, 0.1) > 1e-3


def test_any_multiplier_of_a_degenerate_vertex_passes() -> None:
    # The row and the bound are the same: whatever part of 1 the row takes, the bound takes the rest.
    for u in (0.0, 0.3, 1.0):
        assert residual("min", lambda y: y, lambda y: y >= 2, 2.0, u, bounds=(2, 9)) < 1e-9
    for u in (-0.2, 1.2):
        assert residual("min", lambda y: y, lambda y: y >= 2, 2.0, u, bounds=(2, 9)) > 1e-3


def test_a_vi_row() -> None:
    m = pyo.ConcreteModel()
    m.u = pyo.Var()
    m.y = pyo.Var([1, 2], bounds=(0, None))
    m.o = pyo.Objective(expr=0.0)
    m.F = pyo.Expression([1, 2], rule=lambda m, i: 2 * m.y[i])
    m.c = pyo.Constraint(expr=m.y[1] + m.y[2] >= 4)
    problem = bilevel_lang.resolve(m, "bilevel u\nvi F[1] y[1] F[2] y[2] c\ndualvar u c")
    for u, good in ((4.0, True), (3.9, False), (-4.0, False)):
        point = ComponentMap([(m.u, u), (m.y[1], 2.0), (m.y[2], 2.0)])
        assert (multiplier_residual(problem.agents[0], problem.dual_maps, point) < 1e-6) is good


def test_cones() -> None:
    assert active_cone(0.0, 0.0, 0.0) == (None, None)
    assert active_cone(0.0, None, 0.0) == (0.0, None)
    assert active_cone(None, 5.0, 5.0) == (None, 0.0)
    assert active_cone(0.0, 5.0, 2.0) == (0.0, 0.0)


def test_reduced_costs_are_derivatives_of_the_optimal_value() -> None:
    for kind, sign in (("min", 1.0), ("max", -1.0)):
        m = pyo.ConcreteModel()
        m.x, m.y, m.z = pyo.Var(), pyo.Var(bounds=(2, None)), pyo.Var(bounds=(None, 1))
        m.o = pyo.Objective(expr=0.0)
        m.f = pyo.Expression(expr=sign * (m.y**2 / 2 - 3 * m.z + m.z * m.y))
        m.c = pyo.Constraint(expr=m.y + m.z >= 0)
        agent = bilevel_lang.resolve(m, f"bilevel x\n{kind} f y z c").agents[0]
        point = ComponentMap([(m.x, 0.0), (m.y, 2.0), (m.z, 1.0)])
        found = reduced_costs(agent, ComponentMap([(m.c, 0.0)]), point)
        assert [(v.name, value) for v, value in found] == [("y", sign * 3.0), ("z", sign * -1.0)]
