"""What a clone carries over: everything that a record refers to is in the clone."""

from __future__ import annotations

import pyomo.environ as pyo
from pyomo.core.expr.visitor import identify_variables

import bilevel_lang as bl
from bilevel_lang.problem import BilevelProblem
from bilevel_lang.reformulation.problem_clone import clone, own_model


def problem() -> BilevelProblem:
    m = pyo.ConcreteModel()
    m.x, m.price = pyo.Var(bounds=(0, 5)), pyo.Var(bounds=(0, 9))
    m.y = pyo.Var(range(3), bounds=(0, None))
    m.o = pyo.Objective(expr=m.x - m.price)
    m.f = pyo.Expression(expr=m.y[0] + 2 * m.y[1] + m.x * m.y[2])
    m.c = pyo.Constraint([1, 2], rule=lambda m, i: m.y[0] + i * m.y[1] + m.y[2] - m.x >= i)
    m.curved = pyo.Constraint(expr=m.y[0] ** 2 + m.y[1] ** 2 <= 50)
    return bl.resolve(m, "bilevel x\nmin f y c curved\ndualvar price c[1]")


def test_everything_is_in_the_clone() -> None:
    mine = problem()
    twin = clone(mine)
    (agent,), (theirs,) = twin.agents, mine.agents
    assert [v.model() for v in agent.variables] == [twin.model] * 3
    assert [v.name for v in agent.variables] == [v.name for v in theirs.variables]
    assert [row.component.model() for row in agent.rows] == [twin.model] * 3
    assert [(r.name, r.lower, r.upper, str(r.body)) for r in agent.rows] == [
        (r.name, r.lower, r.upper, str(r.body)) for r in theirs.rows
    ]
    assert agent.objective is not None and theirs.objective is not None
    assert str(agent.objective.expression) == str(theirs.objective.expression)
    inside = {id(v) for v in twin.model.component_data_objects(pyo.Var)}
    for expression in (*(row.body for row in agent.rows), agent.objective.expression):
        assert {id(v) for v in identify_variables(expression)} <= inside


def test_a_map_refers_to_the_agent_and_the_row_of_the_clone() -> None:
    twin = clone(problem())
    (agent,), (found,) = twin.agents, twin.dual_maps
    assert found.agent is agent and found.row is agent.rows[0] and found.variable is twin.model.price


def test_variables_lead_to_their_twins() -> None:
    mine = problem()
    twin = clone(mine)
    assert {v.name: t.name for v, t in twin.variables.items()} == {v.name: v.name for v in twin.variables}
    assert all(t.model() is twin.model for t in twin.variables.values())


def test_the_own_model_is_its_own_twin() -> None:
    mine = problem()
    twin = own_model(mine)
    assert twin.model is mine.model and twin.agents is mine.agents
    assert all(v is t for v, t in twin.variables.items())
