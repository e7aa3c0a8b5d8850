"""Against Pyomo's own names."""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo

from bilevel_lang.components.naming import Naming


def test_names_are_those_of_pyomo() -> None:
    m = pyo.ConcreteModel(name="plant")
    labels: list[Any] = [1, -2, 2.5, "a", "1", "a b", "it's", "x.y", ("a", 1), ("b,c", "2"), (1, (2, 3)), "[z]", "|", ""]
    m.x = pyo.Var(pyo.Any, dense=False)
    for label in labels:
        m.x[label].setlb(0)
    m.s = pyo.Var()
    m.b = pyo.Block(["n", 3], rule=lambda b, i: _fill(b))
    naming = Naming()
    members = [*m.x.values(), m.s, m.x, m.b, m.b["n"], m.b["n"].c[2], m.b[3].v, *m.b[3].c.values(), m]
    assert naming.names(members) == [each.name for each in members]
    assert [naming.name(each) for each in members] == [each.name for each in members]


def _fill(block: Any) -> None:
    block.v = pyo.Var()
    block.c = pyo.Constraint([1, 2], rule=lambda b, i: b.v <= i)


def test_what_is_in_no_model_is_called_as_pyomo_calls_it() -> None:
    m = pyo.ConcreteModel()
    m.x = pyo.Var([1, 2])
    gone = m.x[1]
    del m.x[1]
    assert Naming().name(gone) == gone.name
