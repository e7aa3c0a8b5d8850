"""The data between resolve and rewrite: cones, signs, and the invariants that are checked."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pyomo.environ as pyo
import pytest

from bilevel_lang.grammar.parser import parse
from bilevel_lang.problem import Agent, BilevelProblem, Leader, Row
from bilevel_lang.resolver import resolve


@pytest.fixture
def model() -> Any:
    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=(0, 1))
    m.y = pyo.Var(bounds=(0, 1))
    m.p = pyo.Var(bounds=(0, None))
    m.f = pyo.Expression(expr=m.y**2)
    m.c = pyo.Constraint(expr=m.y - m.x >= 0)
    m.obj = pyo.Objective(expr=m.x)
    return m


@pytest.mark.parametrize(
    ("lower", "upper", "cone"), [(0.0, None, ">= 0"), (None, 1.0, "<= 0"), (2.0, 2.0, "free"), (0.0, 1.0, "free")]
)
def test_the_cone_of_a_multiplier(lower: float | None, upper: float | None, cone: str) -> None:
    row = Row("r", None, lower, upper, None)
    assert row.cone == cone
    assert row.is_equality == (lower == upper)


@pytest.mark.parametrize(("kind", "sign"), [("min", 1), ("max", -1), ("vi", 1)])
def test_a_max_agent_is_solved_as_min_of_the_negative(kind: Any, sign: int) -> None:
    assert Agent("a", kind, (), ()).sign == sign


def test_maps_are_found_by_their_agent(model: Any) -> None:
    problem = resolve(model, parse("bilevel x min f y c dualvar p c"))
    (agent,) = problem.agents
    assert next(d.variable for d in problem.dual_maps_of(agent)) is model.p
    assert list(problem.dual_maps_of(replace(agent, name="another"))) == []


def test_a_variable_with_two_owners_is_our_bug(model: Any) -> None:
    problem = resolve(model, parse("bilevel x min f y c"))
    broken: BilevelProblem = replace(problem, leader=Leader(model.obj, (model.x, model.y), ()))
    with pytest.raises(AssertionError, match="two owners"):
        broken.check()


def test_two_agents_of_one_name_are_our_bug(model: Any) -> None:
    problem = resolve(model, parse("bilevel x min f y c"))
    twin = replace(problem.agents[0], variables=())
    with pytest.raises(AssertionError, match="one name"):
        replace(problem, agents=(*problem.agents, twin)).check()


def test_multipliers_are_named_by_agent_where_agents_report_different_ones() -> None:
    m = pyo.ConcreteModel()
    m.x = pyo.Var([1, 2], bounds=(0, 1))
    m.f = pyo.Expression([1, 2], rule=lambda m, i: m.x[i] ** 2)
    m.own = pyo.Constraint(expr=m.x[1] >= 0.1)
    m.both = pyo.Constraint(expr=m.x[1] + m.x[2] >= 1)

    def names(text: str) -> list[str]:
        problem = resolve(m, parse(text))
        return [problem.multiplier_name(agent, row) for agent in problem.agents for row in agent.rows]

    agents = "equilibrium min f(1) x(1) own both min f(2) x(2) both"
    assert names(f"{agents} visol both") == ["own", "both", "both"]
    assert names(f"{agents} sharedequ both") == ["own", "min f[1].both", "min f[2].both"]
    mixed = agents.replace("min f(2)", "max f(2)")
    assert names(f"{mixed} visol both") == ["own", "min f[1].both", "max f[2].both"]


def test_a_row_in_two_agents_that_is_not_shared_is_our_bug(model: Any) -> None:
    problem = resolve(model, parse("bilevel x min f y c"))
    (agent,) = problem.agents
    with pytest.raises(AssertionError, match="not declared as shared"):
        replace(problem, agents=(agent, replace(agent, name="another", variables=()))).check()
