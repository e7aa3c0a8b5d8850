"""The leader's objective looked through to what the agents decide."""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo
import pytest
from pyomo.common.collections import ComponentMap, ComponentSet
from pyomo.core.expr.visitor import identify_variables

import bilevel_lang as bl
from bilevel_lang.oracle.agent_model import number_at
from bilevel_lang.oracle.leader_objective import holds_any, leader_objective


def model() -> pyo.ConcreteModel:
    m = pyo.ConcreteModel()
    m.x, m.y = pyo.Var(bounds=(0, 1)), pyo.Var(bounds=(0, 1))
    m.z, m.w = pyo.Var(), pyo.Var()
    m.F = pyo.Objective(expr=m.z, sense=pyo.maximize)
    m.define = pyo.Constraint(expr=3 * m.y - 2 * m.z + m.w == 4 * m.x + 5)
    m.lower = pyo.Constraint(expr=m.w == m.y**2 + m.x)
    return m


def resolved(m: Any) -> Any:
    return bl.resolve(m, "bilevel x\nmin w y lower")


def test_both_objective_variables_are_replaced() -> None:
    m = model()
    found = leader_objective(resolved(m))
    assert found is not None
    assert (found.sense, found.variable, found.row) == (-1, m.z, m.define)
    assert {v.name for v in identify_variables(found.expression)} == {"x", "y"}
    at = number_at(found.expression, ComponentMap([(m.x, 2.0), (m.y, 3.0)]))
    assert at == pytest.approx((3 * 3 + (3**2 + 2) - 4 * 2 - 5) / 2)


def bounded(m: Any) -> None:
    m.z.setlb(0)


def elsewhere(m: Any) -> None:
    m.other = pyo.Constraint(expr=m.z <= 4 * m.x)


def curved(m: Any) -> None:
    m.define.set_value(3 * m.y - 2 * m.z * m.x + m.w == 5)


def inequality(m: Any) -> None:
    m.define.set_value(3 * m.y - 2 * m.z + m.w <= 5)


@pytest.mark.parametrize("spoil", [bounded, elsewhere, curved, inequality])
def test_a_variable_with_a_life_of_its_own_stays(spoil: Any) -> None:
    m = model()
    spoil(m)
    found = leader_objective(resolved(m))
    assert found is not None
    assert found.variable is None
    assert found.expression is m.z


def test_an_objective_without_variables_of_that_kind_is_itself() -> None:
    m = model()
    m.F.set_value(m.x * m.y)
    found = leader_objective(resolved(m))
    assert found is not None
    assert found.expression is m.F.expr
    assert holds_any(found.expression, ComponentSet([m.y]))
    assert not holds_any(found.expression, ComponentSet([m.z]))
    assert not holds_any(3.0, ComponentSet([m.z]))


def test_none_without_a_leader() -> None:
    m = pyo.ConcreteModel()
    m.y = pyo.Var(bounds=(0, 1))
    m.f = pyo.Expression(expr=m.y)
    assert leader_objective(bl.resolve(m, "equilibrium\nmin f y")) is None
