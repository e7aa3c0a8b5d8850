"""The lines about an agent, word for word."""

from __future__ import annotations

import pyomo.environ as pyo

from bilevel_lang import resolve
from bilevel_lang.display import check_text
from bilevel_lang.oracle.description import describe
from bilevel_lang.oracle.traits import traits_of
from tests.oracle.agents import follower


def model() -> pyo.ConcreteModel:
    m = pyo.ConcreteModel()
    m.x, m.w, m.u = pyo.Var(bounds=(0, 1)), pyo.Var(domain=pyo.Binary), pyo.Var()
    m.y, m.z = pyo.Var(bounds=(0, 5)), pyo.Var(bounds=(0, 5))
    m.f = pyo.Expression(expr=m.y**2 + 2 * m.z**2 + m.w * m.y)
    m.c = pyo.Constraint(expr=m.y + m.z >= m.x + m.u)
    m.d = pyo.Constraint(expr=m.x + m.w <= 1)
    m.lead = pyo.Objective(expr=m.x)
    return m


def test_a_convex_qp() -> None:
    assert describe(traits_of(follower(model(), "bilevel x w u\nmin f y z c d"))) == [
        ("class", "convex QP (least eigenvalue of the Hessian 2)"),
        ("linked by", "x u w in objective, right-hand side"),
        ("", "integer: w"),
        ("", "without one or both bounds: u"),
        ("foreign", "rows without variables of its own: d"),
    ]


def test_what_is_not_proved_is_said() -> None:
    m = model()
    m.g = pyo.Expression(expr=m.y * m.z)
    lines = describe(traits_of(follower(m, "bilevel x w u\nmin g y z c")))
    assert lines[0] == ("class", "nonconvex (least eigenvalue of the Hessian -1)")
    assert "Hessian eigenvalue -1 at y=" in lines[1][1]
    m.e = pyo.Constraint(expr=m.y**2 <= m.x)
    assert ("", "an optimum need not be a KKT point (no constraint qualification, or no derivative)") in describe(
        traits_of(follower(m, "bilevel x w u\nmin f y z e"))
    )


def test_many_names_are_cut() -> None:
    m = pyo.ConcreteModel()
    m.x, m.y = pyo.Var(range(9), bounds=(0, 1)), pyo.Var(bounds=(0, 9))
    m.f, m.c = pyo.Expression(expr=m.y), pyo.Constraint(expr=m.y >= sum(m.x.values()))
    assert describe(traits_of(follower(m, "bilevel x\nmin f y c")))[1][1].startswith(
        "x[0] x[1] x[2] x[3] x[4] x[5] ... (9 in all)"
    )


def test_check_prints_them() -> None:
    text = check_text(resolve(model(), "bilevel x w u\nmin f y z c d"))
    assert "  class      convex QP (least eigenvalue of the Hessian 2)" in text
    assert "  linked by  x u w in objective, right-hand side\n             integer: w" in text
