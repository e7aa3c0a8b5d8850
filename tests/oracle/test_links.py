"""Where the leader enters: every place by itself, and nothing where it does not matter."""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo
import pytest
from pyomo.common.collections import ComponentSet

from bilevel_lang.oracle.links import Place, linear_variables, links_of
from tests.oracle.agents import follower


def model() -> Any:
    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=(0, 5))
    m.w = pyo.Var(domain=pyo.Binary)
    m.u = pyo.Var()
    m.pinned = pyo.Var(bounds=(2, 2))
    m.y, m.z = pyo.Var(bounds=(0, 5)), pyo.Var(bounds=(0, 5))
    return m


def links(objective: Any, row: Any) -> Any:
    m = model()
    m.f, m.c = pyo.Expression(expr=objective(m)), pyo.Constraint(expr=row(m))
    agent = follower(m, "bilevel x w u\nmin f y z c")
    return links_of(agent, ComponentSet(agent.variables))


@pytest.mark.parametrize(
    ("objective", "row", "names", "places"),
    [
        (lambda m: m.y, lambda m: m.y + m.z >= m.x, ["x"], {Place.RIGHT_HAND_SIDE}),
        (lambda m: m.y, lambda m: m.y + m.z >= m.x**2, ["x"], {Place.RIGHT_HAND_SIDE}),
        (lambda m: m.y, lambda m: m.y + m.z >= pyo.exp(m.x), ["x"], {Place.RIGHT_HAND_SIDE}),
        (lambda m: m.y, lambda m: m.x * m.y + m.z >= 1, ["x"], {Place.MATRIX}),
        (lambda m: m.y, lambda m: m.x**2 * m.y + m.z >= 1, ["x"], {Place.MATRIX}),
        (lambda m: m.x * m.y, lambda m: m.y + m.z >= 1, ["x"], {Place.OBJECTIVE}),
        (lambda m: (m.x - m.y) ** 2, lambda m: m.y + m.z >= 1, ["x"], {Place.OBJECTIVE}),
        (lambda m: m.y + m.x, lambda m: m.y + m.z >= 1, [], set()),  # a constant does not move the answer
        (lambda m: m.y + m.x**2, lambda m: m.y + m.z >= m.pinned, [], set()),
        (lambda m: m.y * m.w, lambda m: m.y + m.z >= m.u, ["u", "w"], {Place.RIGHT_HAND_SIDE, Place.OBJECTIVE}),
    ],
)
def test_places(objective: Any, row: Any, names: list[str], places: set[Place]) -> None:
    found = links(objective, row)
    assert sorted(v.name for v in found.variables) == names
    assert found.places == places


def test_integers_and_bounds_of_linking_variables() -> None:
    found = links(lambda m: m.y * m.w, lambda m: m.y + m.z >= m.u + m.x)
    assert found.integers == ("w",) and found.unbounded == ("u",)


@pytest.mark.parametrize("row", [lambda m: m.x + m.u <= 4, lambda m: m.x * m.u <= 4, lambda m: pyo.exp(m.x) <= 4])
def test_a_row_of_others_alone_is_named(row: Any) -> None:
    found = links(lambda m: m.y, row)
    assert found.foreign_rows == ("c",) and not found.variables


def test_the_function_of_a_vi_sees_others_by_themselves_too() -> None:
    m = model()
    m.F = pyo.Expression(expr=m.y - m.x)
    agent = follower(m, "bilevel x w u z\nvi F y")
    found = links_of(agent, ComponentSet(agent.variables))
    assert [v.name for v in found.variables] == ["x"] and found.places == {Place.OBJECTIVE}


def test_plainly_linear_expressions_are_read_without_a_standard_form() -> None:
    m = model()
    m.p = pyo.Param(initialize=2, mutable=True)
    m.w.fix(1)
    names = [
        (m.p * m.y - m.x + 3, ["y", "x"]),
        (m.y - (m.x + 2 * m.z), ["y", "x", "z"]),
        (-(m.y + m.w), ["y"]),
        (2 * m.y, ["y"]),
        (m.y, ["y"]),
        (m.w, []),
    ]
    for expression, expected in names:
        assert [v.name for v in linear_variables(expression) or []] == expected, str(expression)
    for expression in (m.x * m.y, m.y + m.x**2, pyo.exp(m.y), m.y + pyo.exp(m.x)):
        assert linear_variables(expression) is None
