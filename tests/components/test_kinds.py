from __future__ import annotations

import pyomo.environ as pyo
import pytest
from pyomo.gdp import Disjunction
from pyomo.mpec import Complementarity, complements
from pyomo.network import Arc, Port

from bilevel_lang.components.kinds import unknown_components


def plain() -> pyo.ConcreteModel:
    m = pyo.ConcreteModel()
    m.i = pyo.Set(initialize=[1, 2])
    m.p = pyo.Param(m.i, initialize=1.0)
    m.x = pyo.Var(m.i)
    m.b = pyo.Block()
    m.b.e = pyo.Constraint(expr=m.x[1] + m.x[2] >= m.p[1])
    m.o = pyo.Objective(expr=m.x[1])
    m.dual = pyo.Suffix(direction=pyo.Suffix.IMPORT)
    m.port = Port(initialize={"x": m.x[1]})
    m.bool = pyo.BooleanVar()
    return m


def test_plain_models_are_known() -> None:
    assert unknown_components(plain()) is None


def add_sos(m: pyo.ConcreteModel) -> None:
    m.s = pyo.SOSConstraint(var=m.x, sos=1)


def add_complementarity(m: pyo.ConcreteModel) -> None:
    m.s = Complementarity(expr=complements(m.x[1] >= 0, m.x[2] >= 0))


def add_logical(m: pyo.ConcreteModel) -> None:
    m.s = pyo.LogicalConstraint(expr=~m.bool)


def add_disjunction(m: pyo.ConcreteModel) -> None:
    m.s = Disjunction(expr=[[m.x[1] == 0], [m.x[2] == 0]])


def add_arc(m: pyo.ConcreteModel) -> None:
    m.other = Port(initialize={"x": m.x[2]})
    m.s = Arc(source=m.port, destination=m.other)


ADDED = [
    (add_sos, "SOSConstraint"),
    (add_complementarity, "Complementarity"),
    (add_logical, "LogicalConstraint"),
    (add_disjunction, "Disjunct"),
    (add_arc, "Arc"),
]


@pytest.mark.parametrize(("add", "kind"), ADDED)
def test_whatever_else_is_active_is_named(add, kind) -> None:
    m = plain()
    add(m)
    said = unknown_components(m)
    assert said is not None and said.startswith(f"active components of type {kind}")
    assert kind == "Disjunct" or said.endswith(": 's'")


def test_a_reader_may_know_more_and_what_is_deactivated_does_not_count() -> None:
    m = plain()
    add_sos(m)
    assert unknown_components(m, pyo.SOSConstraint) is None
    m.s.deactivate()
    assert unknown_components(m) is None


def test_many_of_a_kind_are_not_all_listed() -> None:
    m = plain()
    m.s = pyo.SOSConstraint(range(5), var=m.x, index={k: [1, 2] for k in range(5)}, sos=1)
    assert unknown_components(m) == "active components of type SOSConstraint: 's[0]', 's[1]', 's[2]' ..."
