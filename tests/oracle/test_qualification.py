"""Slater points that exist for every leader decision, and sets that have none: KKT conditions fail there, worked out by hand."""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo
import pytest

from bilevel_lang.oracle.traits import traits_of
from tests.oracle.agents import follower

pytest.importorskip("casadi")


def qualified(*rows: Any, **bounds: Any) -> str | None:
    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=bounds.get("x", (0, 2)))
    m.y, m.z = pyo.Var(bounds=(0, 5)), pyo.Var(bounds=(-5, 5))
    m.t = pyo.Var(bounds=bounds.get("t", (None, None)))
    m.f = pyo.Expression(expr=m.y + m.t)
    m.c = pyo.ConstraintList()
    for row in rows:
        m.c.add(row(m))
    traits = traits_of(follower(m, "bilevel x\nmin f y z t c"))
    assert traits.convex and not traits.linear_rows, traits
    assert traits.kkt_necessary == (traits.qualified is not None)
    return traits.qualified


@pytest.mark.parametrize(
    "rows",
    [
        [lambda m: m.y**2 + m.z**2 <= 1],
        [lambda m: m.y**2 + m.z**2 <= 1 + m.x],
        [lambda m: (m.z - m.x) ** 2 <= 2],  # z = 1 is inside for every x in [0, 2]
        [lambda m: m.z**2 + pyo.exp(m.x) <= 10],
        [lambda m: m.y**2 + m.z**2 <= 10, lambda m: m.y + m.z == 1],
        [lambda m: m.y * (m.z + 6) >= 1 + m.x],  # quasiconcave
        [lambda m: m.y**2 <= 1, lambda m: m.z + m.t == m.x],  # the equality shares nothing with the nonlinear row
    ],
)
def test_a_point_that_suits_every_leader(rows: list[Any]) -> None:
    assert (qualified(*rows) or "").startswith("Slater point")


@pytest.mark.parametrize(
    "rows",
    [
        [lambda m: pyo.sqrt(m.y**2 + m.z**2 + 1) <= m.t],
        [lambda m: pyo.exp(m.z - m.x) - m.t <= 0, lambda m: m.y + m.z >= m.x, lambda m: m.t - m.x >= 1],
        [lambda m: m.z**2 - m.t <= 0, lambda m: m.y + m.z == m.x],
    ],
)
def test_a_variable_that_loosens_without_limit(rows: list[Any]) -> None:
    assert "`t` loosens its rows without limit" in (qualified(*rows) or "")


@pytest.mark.parametrize(
    ("rows", "bounds"),
    [
        ([lambda m: m.y**2 + m.z**2 <= 0], {}),  # one point
        ([lambda m: m.y**2 + m.z**2 <= m.x], {}),  # one point at x = 0
        ([lambda m: 1e4 * m.y + m.z**2 <= 0], {}),  # one point; a tolerance on y >= 0 would make room
        ([lambda m: 1e4 * m.t + m.z**2 <= 0, lambda m: m.t == 0], {}),
        ([lambda m: m.z**2 + m.y <= 1, lambda m: m.y >= m.x / 2], {}),  # z = 0, y = 1 at x = 2
        ([lambda m: m.z**2 <= m.t], {"t": (None, 0)}),  # the way out is barred
        ([lambda m: m.z**2 <= m.t, lambda m: m.t <= m.x], {}),
        ([lambda m: (m.z - m.x) ** 2 <= 2], {"x": (0, None)}),  # no one z for all x
    ],
)
def test_without_a_point_for_all_nothing_is_claimed(rows: list[Any], bounds: dict[str, Any]) -> None:
    assert qualified(*rows, **bounds) is None
