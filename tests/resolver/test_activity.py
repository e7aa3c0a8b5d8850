from __future__ import annotations

import pyomo.environ as pyo

from bilevel_lang.resolver.activity import active_members, bounds_known, is_active
from bilevel_lang.resolver.elements import Element


def test_bounds_that_are_not_known() -> None:
    m = pyo.ConcreteModel()
    m.p = pyo.Param(mutable=True)
    m.known = pyo.Param(initialize=1, mutable=True)
    m.x = pyo.Var(bounds=(m.p, None))
    m.y = pyo.Var(bounds=(m.known, 3))
    m.c = pyo.Constraint(expr=m.y >= m.p)
    assert [bounds_known(data) for data in (m.x, m.y, m.c)] == [False, True, False]


def test_active_members_are_those_that_are_active_one_by_one() -> None:
    m = pyo.ConcreteModel()
    m.x = pyo.Var()
    m.b = pyo.Block([1, 2], rule=lambda b, i: b.add_component("c", pyo.Constraint([1, 2, 3], rule=lambda b, k: m.x >= k)))
    m.lone = pyo.Constraint(expr=m.x <= 9)
    m.off = pyo.Constraint(expr=m.x <= 9)
    m.b[1].deactivate()
    m.b[2].c[2].deactivate()
    m.off.deactivate()
    elements = [Element((), row) for row in (*m.b[1].c.values(), *m.b[2].c.values(), m.lone, m.off)]
    kept = active_members(elements)
    assert [e.data.name for e in kept] == ["b[2].c[1]", "b[2].c[3]", "lone"]
    assert kept == [e for e in elements if is_active(e.data)]
