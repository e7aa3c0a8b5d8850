"""An agent alone: what becomes a number, what stays a variable."""

from __future__ import annotations

import math

import pyomo.environ as pyo
import pytest

from bilevel_lang.oracle.agent_model import constraints_model, expression_at, number_at, response_model, value_of, violation_of
from tests.oracle.agents import at, follower


def model() -> pyo.ConcreteModel:
    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=(0, 5))
    m.y = pyo.Var(bounds=(0, 4))
    m.w = pyo.Var(bounds=(2, 2))
    m.f = pyo.Expression(expr=m.x * m.y + m.w)
    m.c = pyo.Constraint(expr=m.y + m.x >= 3)
    m.d = pyo.Constraint(expr=m.x <= 1)
    return m


def test_others_and_pinned_variables_are_numbers() -> None:
    m = model()
    built = response_model(follower(m, "bilevel x\nmax f y w c d"), at(x=2.0, y=0.0, w=2.0)(m))
    assert list(built.twins) == [m.y]
    assert built.constant_violation == pytest.approx(1.0)  # d: 2 <= 1
    twin = built.twins[m.y]
    assert twin.bounds == (0, 4)
    twin.set_value(1.5)
    assert pyo.value(built.model.objective.expr) == pytest.approx(5.0)
    assert built.model.objective.sense == pyo.maximize
    assert len(built.model.row) == 1


def test_sides_move_outwards_by_their_size() -> None:
    m = model()
    row = constraints_model(follower(m, "bilevel x\nmin f y w c d"), at(x=0.0, y=0.0, w=2.0)(m), relax=0.1).model.row[1]
    assert pyo.value(row.lower) == pytest.approx(3 - 0.3)


def test_numbers_of_undefined_functions_are_nan() -> None:
    m = model()
    values = at(x=-1.0, y=0.0)(m)
    for expression in (pyo.log(m.x), 1 / m.y, m.x**0.5, pyo.exp(1e3 - m.x)):
        assert math.isnan(number_at(expression, values))
    assert number_at(m.x + 1, values) == 0.0
    with pytest.raises(ValueError, match="w has no value"):
        value_of(m.w, values)
    assert math.isnan(number_at(m.w + 1, values))


def test_an_expression_without_variables_and_a_number() -> None:
    m = model()
    assert expression_at(3.0, at()(m)) == 3.0
    m.p = pyo.Param(initialize=2.0, mutable=True)
    assert number_at(m.p, at()(m)) == 2.0


@pytest.mark.parametrize(
    ("value", "lower", "upper", "expected"),
    [
        (1, 0, 2, 0),
        (-1, 0, None, 1),
        (150, None, 100, 0.5),
        (0.5, None, 0.25, 0.25),
        (math.nan, 0, 1, math.inf),
        (5, None, None, 0),
    ],
)
def test_violations_are_relative_to_the_side(value: float, lower: float | None, upper: float | None, expected: float) -> None:
    assert violation_of(value, lower, upper) == pytest.approx(expected)
