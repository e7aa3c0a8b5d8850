"""Ranges of one multiplier against the vertices of small multiplier sets, by hand."""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo
import pytest
from pyomo.common.collections import ComponentMap

import bilevel_lang as bl
from bilevel_lang.oracle.multiplier_ranges import multiplier_range


def problem(kind: str, scale: float, sign: str) -> tuple[Any, ComponentMap]:
    """At y = (0, 0): c1: y1 >= 0, c2: y1 + y2 >= 0, c3: y2 >= 0 and the gradient (1, 2), so that u1 = 1 - u2, u3 = 2 - u2."""
    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=(0, 1), initialize=0.0)
    m.y = pyo.Var([1, 2], initialize=0.0)
    m.p = pyo.Var(initialize=0.0)
    m.F = pyo.Objective(expr=m.x)
    factor = scale if kind == "min" else -scale
    m.f = pyo.Expression(expr=factor * (m.y[1] + 2 * m.y[2]))
    m.c = pyo.Constraint([1, 2, 3], rule=lambda m, k: [m.y[1], m.y[1] + m.y[2], m.y[2]][k - 1] >= 0)
    found = bl.resolve(m, f"bilevel x\n{kind} f y c\ndualvar p {sign}c[3]")
    return found.dual_maps[0], ComponentMap((v, 0.0) for v in m.component_data_objects(pyo.Var))


@pytest.mark.parametrize("scale", [1e-4, 1.0, 1e5])
@pytest.mark.parametrize(("kind", "sign", "ends"), [("min", "", (1, 2)), ("min", "-", (-2, -1)), ("max", "", (-2, -1))])
def test_range_by_hand(scale: float, kind: str, sign: str, ends: tuple[float, float]) -> None:
    dual, values = problem(kind, scale, sign)
    found = multiplier_range(dual, values)
    assert found == pytest.approx([scale * end for end in ends], rel=1e-6)


def test_none_where_the_point_has_no_multipliers() -> None:
    dual, values = problem("min", 1.0, "")
    y = next(v for v in values if v.name == "y[1]")
    values[y] = 1.0  # c1 and c2 are not active here, and the gradient is not zero
    assert multiplier_range(dual, values) is None
