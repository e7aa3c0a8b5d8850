"""An agent's LP as arrays against the Pyomo model of the same problem."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyomo.environ as pyo
import pytest
from pyomo.common.collections import ComponentMap

from bilevel_lang.oracle.agent_model import response_model
from bilevel_lang.oracle.linear_agent import linear_agent
from bilevel_lang.problem import Agent
from bilevel_lang.solvers.matrix import arrays_of
from bilevel_lang.solvers.program_reading import read_program
from tests.oracle.agents import follower


def case(sense: str = "min", row: Any = None, objective: Any = None) -> tuple[Agent, ComponentMap]:
    m = pyo.ConcreteModel()
    m.x, m.w = pyo.Var(bounds=(0, 5)), pyo.Var()
    m.y = pyo.Var(range(4), bounds=(0, 8))
    m.y[2].setub(None)
    m.y[3].setlb(2)
    m.y[3].setub(2)
    m.f = pyo.Expression(expr=objective(m) if objective else 2 * m.y[0] - m.y[1] + m.x + 3 + 0 * m.y[2])
    m.c = pyo.ConstraintList()
    m.c.add(m.y[0] + 2 * m.y[1] - m.x >= 1)
    m.c.add((-3, m.y[0] - m.y[2] + 4 * m.y[3] + m.w, 7))
    m.c.add(m.y[1] + m.y[2] + m.y[1] == 2 * m.x)
    m.c.add(m.y[0] <= 6)
    m.c.add(m.x + m.w <= 1.5)
    if row:
        m.c.add(row(m))
    agent = follower(m, f"bilevel x w\n{sense} f y c")
    return agent, ComponentMap([(m.x, 1.25), (m.w, 2.0), *((m.y[k], 2.0) for k in range(4))])


@pytest.mark.parametrize("sense", ["min", "max"])
@pytest.mark.parametrize("relax", [0.0, 1e-3])
@pytest.mark.parametrize("factor", [1.0, 0.25])
def test_the_same_problem_as_the_model(sense: str, relax: float, factor: float) -> None:
    agent, values = case(sense)
    found = linear_agent(agent, values, relax, factor)
    assert found is not None
    built = response_model(agent, values, relax, factor)
    theirs = arrays_of(read_program(built.model))
    mine = found.program
    # The model numbers its columns as they come up in it.
    order = _order(built, found.variables)
    assert mine.sense == theirs.sense and mine.constant == pytest.approx(theirs.constant)
    assert mine.cost == pytest.approx(theirs.cost[order])
    assert mine.matrix.toarray() == pytest.approx(theirs.matrix.toarray()[:, order])
    for one, other in ((mine.lower, theirs.lower[order]), (mine.upper, theirs.upper[order])):
        assert one.tolist() == other.tolist()
    assert np.allclose(mine.row_lower, theirs.row_lower) and np.allclose(mine.row_upper, theirs.row_upper)
    assert found.constant_violation == pytest.approx(built.constant_violation) and found.constant_violation > 0.5


@pytest.mark.parametrize(("domain", "whole"), [(pyo.Binary, True), (pyo.NonNegativeIntegers, True), (pyo.Reals, False)])
def test_integers_stay_integers(domain: Any, whole: bool) -> None:
    agent, values = case()
    next(v for v in agent.variables if v.name == "y[1]").domain = domain
    found, built = linear_agent(agent, values), response_model(agent, values)
    assert found is not None
    theirs = arrays_of(read_program(built.model))
    order = _order(built, found.variables)
    assert found.program.integer.tolist() == [False, whole, False]
    for name in ("integer", "lower", "upper"):
        assert getattr(found.program, name).tolist() == getattr(theirs, name)[order].tolist()


def test_a_domain_with_holes_is_left_to_others() -> None:
    m = pyo.ConcreteModel()
    m.holes = pyo.Set(initialize=[0, 2, 5])
    m.x, m.y = pyo.Var(), pyo.Var(domain=m.holes)
    m.f = pyo.Expression(expr=m.y)
    m.c = pyo.Constraint(expr=m.y >= m.x)
    agent = follower(m, "bilevel x\nmin f y c")
    values = ComponentMap([(m.x, 1.0)])
    assert linear_agent(agent, values) is None
    m.y.domain = pyo.Integers
    assert linear_agent(agent, values) is not None


def _order(built: Any, variables: Any) -> list[int]:
    place = {id(v): k for k, v in enumerate(read_program(built.model).variables)}
    return [place[id(built.twins[v])] for v in variables]


def test_pinned_variables_are_data() -> None:
    agent, values = case()
    found = linear_agent(agent, values)
    assert found is not None and [v.name for v in found.variables] == ["y[0]", "y[1]", "y[2]"]


@pytest.mark.parametrize("row", [lambda m: m.y[0] ** 2 <= 4, lambda m: m.x * m.y[0] <= 4, lambda m: pyo.exp(m.y[1]) <= 9])
def test_what_is_no_plain_sum_is_left_to_others(row: Any) -> None:
    assert linear_agent(*case(row=row)) is None
    assert linear_agent(*case(objective=lambda m: m.y[0] * m.x)) is None


def test_a_variable_without_value_is_an_error() -> None:
    agent, values = case()
    del values[next(v for v in values if v.name == "w")]
    with pytest.raises(ValueError, match="w has no value"):
        linear_agent(agent, values)
