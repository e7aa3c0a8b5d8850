"""Objective variables in the GAMS style and the rows that define them; the leader's objective."""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo
import pytest

from tests.resolver.models import gams_style, mistakes, names, resolved, said


def test_a_defining_row_is_substituted() -> None:
    problem = resolved(gams_style(), "bilevel x min z y defz low")
    (agent,) = problem.agents
    assert agent.objective is not None
    assert str(agent.objective.expression) == "y[1] + 2*y[2] + x"
    assert names(problem.definitions) == ["defz"]
    assert names(agent.rows) == ["low"]
    assert names(agent.variables) == ["y[1]", "y[2]"]


@pytest.mark.parametrize(
    "row",
    [
        lambda m: m.z == m.y[1] - m.y[2] ** 2,
        lambda m: m.y[1] - m.y[2] ** 2 == m.z,
        lambda m: m.y[1] - m.y[2] ** 2 - m.z == 0,
        lambda m: 2 * m.z - 2 * m.y[1] + 2 * m.y[2] ** 2 == 0,
        lambda m: 7 + m.z == m.y[1] - m.y[2] ** 2 + 7,
        lambda m: 3 * (m.z + m.y[2] ** 2) == 3 * m.y[1],
    ],
)
def test_however_it_is_written(row: Any) -> None:
    model = gams_style()
    model.d = pyo.Constraint(expr=row(model))
    (agent,) = resolved(model, "bilevel x min z y d").agents
    assert agent.objective is not None
    model.y[1].value, model.y[2].value = 5, 2
    assert pyo.value(agent.objective.expression) == pytest.approx(1)


def test_its_other_occurrences_and_its_own_bounds_are_rows_with_multipliers() -> None:
    model = gams_style()
    model.z.domain = pyo.NonNegativeReals
    model.z.setub(9)
    model.other = pyo.Constraint(expr=model.z + model.y[1] <= 7)
    (agent,) = resolved(model, "bilevel x min z y defz other").agents
    model.x.value = model.y[1].value = model.y[2].value = 1
    found = {row.name: (pyo.value(row.body), row.lower, row.upper) for row in agent.rows}
    assert found == {"other": (5, None, 7), "z.bounds": (4, 0, 9)}


def keeps_its_row(model: Any, text: str) -> str:
    """The rows of an agent whose objective variable was not substituted, and what was said."""
    problem = resolved(model, text)
    (agent,) = problem.agents
    assert agent.objective is not None and agent.objective.expression is model.z
    assert problem.definitions == ()
    assert "z" in names(agent.variables)
    return " ".join([*names(agent.rows), *said(problem, "notice", "E16")])


def test_two_candidates() -> None:
    model = gams_style()
    model.again = pyo.Constraint(expr=model.z == model.y[1])
    assert "`defz`, `again`" in keeps_its_row(model, "bilevel x min z y defz again")


def test_a_dualvar_names_it() -> None:
    assert "dualvar" in keeps_its_row(gams_style(), "bilevel x min z y defz low dualvar w defz")


def test_a_discrete_objective_variable() -> None:
    model = gams_style()
    model.z.domain = pyo.Integers
    assert "discrete" in keeps_its_row(model, "bilevel x min z y defz low")


@pytest.mark.parametrize(
    "row",
    [
        lambda m: m.z**2 == m.y[1],
        lambda m: m.x * m.z == m.y[1],
        lambda m: m.z >= m.y[1],
        lambda m: pyo.exp(m.z) + m.z == m.y[1],
        lambda m: m.y[1] == 1,
    ],
)
def test_a_row_that_defines_nothing(row: Any) -> None:
    model = gams_style()
    model.d = pyo.Constraint(expr=row(model))
    assert keeps_its_row(model, "bilevel x min z y d") == "d"


def test_a_row_that_the_agent_does_not_list_defines_nothing() -> None:
    assert keeps_its_row(gams_style(), "bilevel x min z y low") == "low"


def test_a_fixed_coefficient_is_a_constant() -> None:
    model = gams_style()
    model.x.fix(2)
    model.d = pyo.Constraint(expr=model.x * model.z == model.y[1])
    (agent,) = resolved(model, "bilevel min z y d").agents
    model.y[1].value = 3
    assert agent.objective is not None and pyo.value(agent.objective.expression) == pytest.approx(1.5)


def test_flips() -> None:
    assert mistakes(gams_style(), "bilevel x min -z y defz low") == ["E16"]
    assert mistakes(gams_style(), "bilevel x min z y -defz low") == ["E16"]
    model = gams_style()
    model.eq = pyo.Constraint(expr=model.y[1] == model.y[2])
    assert names(resolved(model, "bilevel x min z y defz -low -eq").agents[0].rows) == ["low", "eq"]


# --- The leader's objective.


def test_it_is_the_one_that_nobody_claims() -> None:
    model = gams_style()
    model.second = pyo.Objective(expr=model.y[1])
    assert resolved(model, "bilevel x min second y low").leader.objective is model.obj


def test_none_and_two() -> None:
    model = gams_style()
    model.second = pyo.Objective(expr=model.y[1])
    assert mistakes(model, "bilevel x min z y defz low") == ["E10"]
    assert mistakes(model, "") == ["E10"]
    model.second.deactivate()
    model.obj.deactivate()
    assert mistakes(model, "bilevel x min z y defz low") == ["E10"]
    assert resolved(model, "").leader.objective is None
    model.second.activate()
    assert mistakes(model, "bilevel x min second y low") == ["E10"]


def test_a_constant_objective_is_no_objective() -> None:
    model = pyo.ConcreteModel()
    model.x = pyo.Var(bounds=(0, None))
    model.F = pyo.Expression(expr=model.x - 1)
    model.dummy = pyo.Objective(expr=0)
    assert resolved(model, "vi F x").leader.objective is None


def with_leaders_variable() -> Any:
    model = gams_style()
    model.obj.deactivate()
    model.total = pyo.Var()
    model.cost = pyo.Objective(expr=model.total)
    return model


def test_a_follower_cannot_have_the_leaders_objective_variable() -> None:
    model = with_leaders_variable()
    model.deft = pyo.Constraint(expr=model.total == model.x)
    assert mistakes(model, "bilevel x min total y low") == ["E10"]
    assert mistakes(model, "bilevel x min z y total defz low") == ["E10"]


def test_a_variable_that_no_row_of_the_leader_defines_is_an_ordinary_one() -> None:
    # The leader minimises what the follower maximises, as in interdiction.
    model = with_leaders_variable()
    model.flow = pyo.Constraint(expr=model.total <= model.y[1] - model.x)
    (agent,) = resolved(model, "bilevel x max total y flow").agents
    assert names(agent.variables) == ["y[1]", "y[2]", "total"]
