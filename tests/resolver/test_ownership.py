"""One owner for everything; wildcards; what is left."""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo
import pytest

from bilevel_lang.components.walking import variables_in
from bilevel_lang.resolver.ownership import names_of, shortened
from tests.resolver.models import families, gams_style, mistakes, names, resolved, said


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


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("bilevel x y(1) min z y defz", ["E3"]),
        ("bilevel x min z y y(1) defz", ["E3"]),
        ("bilevel x min z y defz low low", ["E3"]),
        ("bilevel x min z y defz low min w p low", ["E15"]),
        ("bilevel x min z y defz min z p low", ["E3", "E15"]),
        ("bilevel x min z y(1) defz min w y low", ["E3"]),
    ],
)
def test_two_owners(text: str, codes: list[str]) -> None:
    assert set(mistakes(gams_style(), text)) <= set(codes)


def test_the_objective_variable_may_be_listed_too() -> None:
    assert names(resolved(gams_style(), "bilevel x min z z y defz low").agents[0].variables) == ["y[1]", "y[2]"]


def test_without_a_leader_everything_needs_an_owner() -> None:
    model = gams_style()
    model.obj.deactivate()
    assert mistakes(model, "equilibrium min z y defz low") == ["E4", "E4"]  # the row high, the variable x
    model.x.fix(1)
    assert mistakes(model, "equilibrium min z y defz low") == ["E4"]
    assert mistakes(gams_style(), "equilibrium min z y x defz low high") == ["E4"]  # the active objective


def test_a_lone_vi_takes_what_is_left_with_a_warning() -> None:
    # simplevi in its old form: `vi F x` without the constraint.
    model = pyo.ConcreteModel()
    model.x = pyo.Var([1, 2, 3], bounds=(0, None))
    model.v = pyo.Var()
    model.F = pyo.Expression([1, 2, 3], rule=lambda m, i: 2 * m.x[i])
    model.g = pyo.Constraint([1, 2], rule=lambda m, i: m.x[i] + m.x[i + 1] >= m.v)
    problem = resolved(model, "vi F x")
    (agent,) = problem.agents
    assert names(agent.rows) == ["g[1]", "g[2]"]
    assert [f.variable.name for f in agent.functions if f.expression is None] == ["v"]
    assert len(said(problem, "warning", "E4")) == 2
    assert mistakes(model, "vi F x", strict=True) == ["E4", "E4"]


def test_variables_of_an_expression_come_in_the_order_of_the_text() -> None:
    model = gams_style()
    model.e = pyo.Expression(expr=model.p * model.x)
    model.w.fix(1)
    found = variables_in(model.y[2] ** 2 + model.w + model.e - 3 * model.y[2] + pyo.exp(model.z))
    assert names(found) == ["y[2]", "p", "x", "z"]
    assert names(variables_in(model.x)) == ["x"]
    assert names(variables_in(3.0)) == []


def test_texts_are_kept_short() -> None:
    model = families()
    assert names_of(model.q.values()).endswith("`q[b,3]`")
    assert names_of([*model.q.values(), model.x]).endswith(" and 1 more")
    assert len(shortened(sum(model.q[k] for k in model.q) ** 2 + sum(model.q.values()))) == 60
