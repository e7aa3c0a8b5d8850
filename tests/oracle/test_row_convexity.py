"""Rows whose sets are convex although their functions are not."""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo
import pytest
from pyomo.common.collections import ComponentSet

from bilevel_lang.oracle.curvature import curvature
from bilevel_lang.oracle.row_convexity import RowSet, row_set
from bilevel_lang.problem import Row


@pytest.mark.parametrize(
    ("build", "expected"),
    [
        (lambda m: m.y + m.z >= m.x, RowSet.LINEAR),
        (lambda m: m.y**2 <= m.x, RowSet.CONVEX),
        (lambda m: m.y**2 >= m.x, RowSet.CONVEX),  # y >= sqrt(x)
        (lambda m: m.free**2 >= m.x, RowSet.UNPROVEN),
        (lambda m: m.y * m.z >= 1, RowSet.CONVEX),
        (lambda m: 2 * (m.y * m.z) >= 1, RowSet.CONVEX),
        (lambda m: -(m.y * m.z) <= -1, RowSet.CONVEX),
        (lambda m: m.y * m.z >= m.x, RowSet.CONVEX),  # x >= 1
        (lambda m: m.y * m.z >= m.w, RowSet.CONVEX_AT_ZERO),  # w >= 0
        (lambda m: m.y * m.z >= 0, RowSet.CONVEX_AT_ZERO),
        (lambda m: m.y * m.z <= 1, RowSet.UNPROVEN),
        (lambda m: m.y * m.free >= 1, RowSet.UNPROVEN),
        (lambda m: m.y * m.z * (m.y + 1) >= 1, RowSet.CONVEX),
        (lambda m: m.y * m.z + m.y >= 1, RowSet.UNPROVEN),  # two terms
        (lambda m: pyo.inequality(1, m.y * m.z, 2), RowSet.UNPROVEN),
        (lambda m: m.y * m.z == 1, RowSet.UNPROVEN),
        (lambda m: pyo.sqrt(m.y**2 + m.z**2) ** 0.5 <= 1, RowSet.CONVEX),  # quasiconvex: its square is a norm
    ],
)
def test_sets_of_rows(build: Any, expected: RowSet) -> None:
    m = pyo.ConcreteModel()
    m.x, m.w = pyo.Var(bounds=(1, 5)), pyo.Var(bounds=(0, 5))
    m.y, m.z, m.free = pyo.Var(bounds=(0, 5)), pyo.Var(bounds=(0, 5)), pyo.Var()
    m.c = pyo.Constraint(expr=build(m))
    owned = ComponentSet([m.y, m.z, m.free])
    row = Row("c", m.c.body, m.c.lb, m.c.ub, m.c)
    assert row_set(row, curvature(row.body, owned), owned) is expected
