"""Against Pyomo's ``identify_variables``."""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo
import pytest
from pyomo.core.expr.visitor import identify_variables

from bilevel_lang.components.walking import Met, variables_in


def model() -> Any:
    m = pyo.ConcreteModel()
    m.x = pyo.Var(range(4))
    m.y, m.z = pyo.Var(), pyo.Var()
    m.p = pyo.Param(initialize=2, mutable=True)
    m.e = pyo.Expression(expr=m.y * m.x[3])
    m.x[2].fix(1)
    return m


EXPRESSIONS = [
    lambda m: 2 * m.x[1] + m.x[0] + 3,
    lambda m: m.y,
    lambda m: m.x[2],
    lambda m: 3.5,
    lambda m: m.x[2] + m.x[1] + m.x[0],
    lambda m: m.x[0] + m.z + m.p * m.x[1] + m.y * m.x[3] + m.x[0],
    lambda m: m.x[1] + pyo.exp(m.y + m.x[0]) + m.x[3],
    lambda m: m.x[1] - (m.y + 2 * m.z) + m.e,
    lambda m: m.p * (m.x[3] + m.x[2]) / (1 + m.z**2),
    lambda m: pyo.quicksum(m.x.values()) + m.p,
]


@pytest.mark.parametrize("build", EXPRESSIONS)
def test_the_variables_are_those_that_pyomo_finds(build: Any) -> None:
    m = model()
    expression = build(m)
    mine, theirs = list(variables_in(expression)), list(identify_variables(expression, include_fixed=False))
    assert [v.name for v in mine] == [v.name for v in theirs]
    assert all(a is b for a, b in zip(mine, theirs, strict=True))


def test_all_together() -> None:
    m = model()
    met = Met(*(build(m) for build in EXPRESSIONS))
    assert {v.name for v in met} == {"x[0]", "x[1]", "x[3]", "y", "z"} and len(met) == 5
    assert m.y in met and m.x[2] not in met
    assert met.without([m.y, m.x[2], m.x[0]]) == [m.x[2]]
    met.add(m.x[2])
    other = Met(m.y)
    other.join(met)
    assert m.x[2] in other and len(other) == 6


def test_only_the_part_of_a_sum_that_is_its_own() -> None:
    """Pyomo lets ``e`` and ``e + y`` share one list of terms."""
    m = model()
    e = m.x[0] + m.x[1]
    longer = e + m.y
    assert [v.name for v in variables_in(e)] == ["x[0]", "x[1]"]
    assert [v.name for v in variables_in(longer)] == ["x[0]", "x[1]", "y"]


def test_variables_come_in_the_order_of_the_text() -> None:
    m = model()
    m.z.fix(1)
    found = variables_in(m.x[1] ** 2 + m.z + m.e - 3 * m.x[1] + pyo.exp(m.x[0]))
    assert [v.name for v in found] == ["x[1]", "y", "x[3]", "x[0]"]
    assert [v.name for v in variables_in(m.y)] == ["y"]
    assert list(variables_in(3.0)) == []
