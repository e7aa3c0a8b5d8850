from __future__ import annotations

from typing import Any

import pyomo.environ as pyo

from tests.resolver.models import families, gams_style, mistakes, resolved


def expansion(model: Any, text: str) -> dict[str, tuple[str, ...]]:
    return dict(resolved(model, text).wildcards)


def test_a_star_alone_takes_the_rows_variables_and_those_in_no_row() -> None:
    model = gams_style()
    model.idle = pyo.Var()
    model.c = pyo.Constraint(expr=model.w >= 1)  # w is in a row of the leader: it stays the leader's
    assert expansion(model, "bilevel x min z * defz low high") == {"min z": ("y[1]", "y[2]", "p", "idle")}


def test_a_star_does_not_take_what_is_listed_elsewhere() -> None:
    text = "bilevel x min z y(1) * defz low dualvar p low"
    assert expansion(gams_style(), text) == {"min z": ("y[2]",)}


def test_two_stars_take_only_what_is_in_their_own_rows() -> None:
    model = families()
    model.idle = pyo.Var()
    text = "bilevel x min f(a) * need(a) min f(b) * need(b)"
    assert expansion(model, text) == {
        "min f[a]": ("q[a,1]", "q[a,2]", "q[a,3]"),
        "min f[b]": ("q[b,1]", "q[b,2]", "q[b,3]"),
    }


def test_two_stars_that_meet() -> None:
    model = families()
    model.joint = pyo.Constraint(expr=model.q["a", 1] + model.q["b", 1] <= 1)
    assert mistakes(model, "bilevel x min f(a) * joint min f(b) * need(b)") == ["E5"]


def test_a_star_leaves_the_variables_of_another_agents_expressions_alone() -> None:
    model = gams_style()
    model.v = pyo.Var()
    model.u = pyo.Var()
    model.F = pyo.Expression(expr=model.v - model.u)
    assert expansion(model, "bilevel x p min z * defz low vi F v")["min z"] == ("y[1]", "y[2]")


def test_a_star_leaves_the_leaders_objective_variable_alone() -> None:
    model = gams_style()
    model.obj.deactivate()
    model.total = pyo.Var()
    model.deft = pyo.Constraint(expr=model.total == model.x)
    model.cost = pyo.Objective(expr=model.total)
    model.tied = pyo.Constraint(expr=model.y[1] <= model.total)
    assert "total" not in expansion(model, "bilevel x min z * defz tied")["min z"]


def test_a_star_in_a_vi_gives_zero_functions() -> None:
    model = gams_style()
    model.F = pyo.Expression(expr=model.y[1] - model.y[2])
    (agent,) = resolved(model, "bilevel x p vi * F y(1) low").agents
    assert {f.variable.name: f.expression is None for f in agent.functions} == {"y[1]": False, "y[2]": True}


def test_a_star_takes_no_fixed_variable() -> None:
    model = gams_style()
    model.y[2].fix(0)
    assert expansion(model, "bilevel x p min z * defz low") == {"min z": ("y[1]",)}
