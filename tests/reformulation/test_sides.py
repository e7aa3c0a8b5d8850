"""What the sides of a condition state: at points on both sides of a row, against the row itself."""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo
import pytest

from bilevel_lang.problem import Row
from bilevel_lang.reformulation.sides import below, row_relation, signed


def model() -> Any:
    m = pyo.ConcreteModel()
    m.x, m.y = pyo.Var(), pyo.Var()
    m.p = pyo.Param(initialize=2, mutable=True)
    m.low = pyo.Constraint(expr=m.x + 2 * m.y >= 3)
    m.up = pyo.Constraint(expr=m.x - m.y <= 1)
    m.single = pyo.Constraint(expr=m.x <= 4)
    m.moving = pyo.Constraint(expr=m.x + m.y >= m.p)
    m.moved = pyo.Constraint(expr=m.x >= m.y)
    return m


def row(component: Any) -> Row:
    return Row(component.name, component.body, component.lb, component.ub, component)


def holds(side: Any) -> bool:
    return bool(pyo.value(side)) if side.is_relational() else pyo.value(side) >= 0


@pytest.mark.parametrize("name", ["low", "up", "single", "moving", "moved"])
@pytest.mark.parametrize("point", [(0.0, 0.0), (5.0, 0.0), (0.0, 5.0), (-3.0, 2.0), (3.0, 2.5)])
def test_the_relation_holds_where_the_row_does(name: str, point: tuple[float, float]) -> None:
    m = model()
    m.x.value, m.y.value = point
    component = m.component(name)
    assert holds(row_relation(row(component))) == (component.slack() >= 0)


def test_the_component_s_own_relation_is_shared_where_it_says_just_that() -> None:
    m = model()
    assert row_relation(row(m.low)) is m.low.expr
    assert row_relation(row(m.up)) is m.up.expr
    assert row_relation(row(m.moving)) is not m.moving.expr  # its side may be changed by the modeller later
    other = Row("low", m.low.body, 2.0, None, m.low)
    assert str(row_relation(other)) == "2.0  <=  x + 2*y"


def test_a_single_variable_below_a_side_is_written_the_other_way() -> None:
    m = model()
    assert not below(m.x, 4.0).is_relational() and below(m.x + m.y, 4.0).is_relational()


def test_signs() -> None:
    m = model()
    m.x.value = 3.0
    assert signed(1, m.x) is m.x and pyo.value(signed(-1, m.x)) == -3
