"""A warning with the row's name where coefficients lie too far apart, and none where they do not."""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo
import pytest

import bilevel_lang as bl
from bilevel_lang.errors import ResolutionError


def model(*rows: Any) -> Any:
    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=(0, 1))
    m.y, m.z = pyo.Var(bounds=(0, 10)), pyo.Var(bounds=(0, 10))
    m.tiny = pyo.Param(initialize=1e-7, mutable=True)
    m.leader = pyo.Objective(expr=m.x + m.y)
    m.f = pyo.Expression(expr=m.y + m.z)
    m.c = pyo.ConstraintList()
    for row in rows:
        m.c.add(row(m))
    return m


def warnings(m: Any, text: str = "bilevel x\nmin f y z c") -> list[str]:
    return [d.message for d in bl.resolve(m, text).notices if d.code == "E24"]


@pytest.mark.parametrize(
    "row",
    [
        lambda m: 1e6 * m.y + 1e-4 * m.z >= m.x,
        lambda m: 1e6 * m.y - (m.x + m.tiny * m.z) >= 0,
        lambda m: 1e10 * m.y >= m.x,
        lambda m: m.y + m.z - (1 - 1e-10) * m.y >= 0,  # what is left of y
        lambda m: 1e6 * m.y**2 + 1e-4 * m.z <= 5,
        lambda m: 1e6 * m.y * m.x + 1e-4 * m.z + pyo.exp(m.y) <= 5,
    ],
)
def test_a_row_is_named(row: Any) -> None:
    said = warnings(model(lambda m: m.y + m.z >= m.x, row))
    assert len(said) == 1 and "row `c[2]` of `min f` has coefficients from" in said[0]


@pytest.mark.parametrize(
    "row",
    [
        lambda m: 1e4 * m.y + 1e-5 * m.z >= m.x,  # exactly 1e9
        lambda m: 1e6 * m.y + 0 * m.z >= 1e-6,  # zeros and sides are no coefficients
        lambda m: pyo.exp(1e6 * m.y) + 1e-6 * m.z <= 5,
    ],
)
def test_what_is_near_enough_is_not_mentioned(row: Any) -> None:
    assert warnings(model(row)) == []


def test_rows_that_are_far_apart_only_together() -> None:
    said = warnings(model(lambda m: 1e6 * m.y >= 1e6 * m.x, lambda m: 1e-4 * m.z >= 1e-4 * m.x))
    assert said == ["the rows of `min f` have coefficients from 0.0001 to 1e+06 (row `c[2]` and row `c[1]`)"]


def test_a_fixed_variable_has_no_coefficient() -> None:
    m = model(lambda m: 1e10 * m.y + m.z >= m.x)
    m.y.fix(1)
    assert warnings(m) == []


def test_rows_of_the_leader_are_looked_at_too() -> None:
    m = model(lambda m: m.y + m.z >= m.x)
    m.own = pyo.Constraint(expr=1e8 * m.x + 1e-8 * m.y <= 1e8)
    assert warnings(m) == ["row `own` of `the leader` has coefficients from 1e-08 to 1e+08"]


def test_strict_makes_it_an_error() -> None:
    with pytest.raises(ResolutionError, match="E24"):
        bl.resolve(model(lambda m: 1e10 * m.y >= m.x), "bilevel x\nmin f y z c", strict=True)
