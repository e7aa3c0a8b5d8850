"""Bounds and sides against Pyomo's own properties, whatever they are made of."""

from __future__ import annotations

from math import inf
from typing import Any

import pyomo.environ as pyo
import pytest
from pyomo.core.expr.relational_expr import EqualityExpression, InequalityExpression

from bilevel_lang.components.bounds import bounds_of, plain_bounds, plain_sides, sides_of


def model() -> Any:
    m = pyo.ConcreteModel()
    m.p = pyo.Param(initialize=3, mutable=True)
    m.x = pyo.Var(range(9))
    for k, bounds in enumerate([(None, None), (0, None), (None, 2.5), (-1, 1), (-inf, inf), (m.p, None), (1, 2 * m.p)]):
        m.x[k].setlb(bounds[0])
        m.x[k].setub(bounds[1])
    m.x[7].domain = pyo.NonNegativeReals
    m.x[8].domain = pyo.Binary
    m.alone = pyo.Var(bounds=(0, 4))
    return m


def test_bounds_are_those_of_pyomo() -> None:
    m = model()
    for v in m.component_data_objects(pyo.Var):
        assert bounds_of(v) == v.bounds, v.name
    assert plain_bounds(m.x[3]) == (-1, 1)
    assert all(plain_bounds(m.x[k]) is None for k in (4, 5, 6, 7, 8))


RELATIONS = {
    "ge": lambda m: m.x[0] + 2 * m.x[1] >= 1,
    "le": lambda m: m.x[0] + 2 * m.x[1] <= 1.5,
    "eq": lambda m: m.x[0] + 2 * m.x[1] == 1,
    "the number first": lambda m: EqualityExpression((1, m.x[0] + m.x[1])),
    "at least, the number first": lambda m: InequalityExpression((1, m.x[0] + m.x[1]), False),
    "range": lambda m: (1, m.x[0] + m.x[1], 2),
    "one variable": lambda m: m.x[0] >= 1,
    "one term": lambda m: 2 * m.x[0] <= 1,
    "both sides": lambda m: m.x[0] + m.x[1] <= m.x[2],
    "parameter": lambda m: m.x[0] + m.x[1] <= m.p,
    "parameter in the body": lambda m: m.p * m.x[0] >= 1,
    "no limit": lambda m: m.x[0] + m.x[1] <= inf,
    "curved": lambda m: m.x[0] ** 2 <= 4,
}


@pytest.mark.parametrize("name", RELATIONS)
def test_sides_are_those_of_pyomo(name: str) -> None:
    m = model()
    m.c = pyo.Constraint([1])
    m.c[1] = RELATIONS[name](m)
    lower, body, upper = sides_of(m.c[1])
    theirs = m.c[1].to_bounded_expression(evaluate_bounds=True)
    assert (lower, upper) == (theirs[0], theirs[2]) and str(body) == str(theirs[1])
    assert type(lower) is type(theirs[0]) and type(upper) is type(theirs[2])


@pytest.mark.parametrize("name", ["range", "both sides", "parameter", "no limit", "curved"])
def test_what_takes_more_than_a_look_is_left_to_pyomo(name: str) -> None:
    m = model()
    m.c = pyo.Constraint([1])
    m.c[1] = RELATIONS[name](m)
    assert plain_sides(m.c[1]) is None


def test_rows_of_a_parameter_without_value_are_not_taken_for_plain() -> None:
    m = pyo.ConcreteModel()
    m.p = pyo.Param([1], mutable=True)
    m.x = pyo.Var()
    m.c = pyo.Constraint([1])
    m.c[1] = m.x <= m.p[1]
    assert plain_sides(m.c[1]) is None
