"""A clone of the modeller's model, and what the records of the problem become in it."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pyomo.environ as pyo

from bilevel_lang.components.cloning import clone_model
from bilevel_lang.components.twins import Twins
from bilevel_lang.problem import Agent, BilevelProblem, Disjunction, DualMap, Row


@dataclass(frozen=True, eq=False)
class Twin:
    """The clone and what the records of the problem became in it."""

    model: Any
    agents: tuple[Agent, ...]
    dual_maps: tuple[DualMap, ...]
    consumed: tuple[Any, ...]
    leader_objective: Any
    variables: Mapping[Any, Any]
    """Variable of the modeller's model -> its twin."""
    disjunctions: tuple[Disjunction, ...] = ()


def clone(problem: BilevelProblem) -> Twin:
    """Clone the model and carry the problem's references over to the clone."""
    memo: dict[int, Any] = {}
    model = clone_model(problem.model, memo)
    for agent in problem.agents:
        memo[id(agent)] = _agent(agent, memo)
    originals = list(problem.model.component_data_objects(pyo.Var))
    variables = Twins(originals, _twins(originals, memo))
    carried = (problem.agents, problem.dual_maps, problem.consumed, problem.leader.objective, problem.disjunctions)
    agents, maps, consumed, objective, choices = copy.deepcopy(carried, memo)
    return Twin(model, agents, maps, consumed, objective, variables, choices)


def _agent(agent: Agent, memo: dict[int, Any]) -> Agent:
    """What ``deepcopy`` makes of an agent, whose rows and variables are too many for it."""
    known = memo.get
    rows = []
    for row in agent.rows:
        body, component = row.body, row.component
        found = known(id(body))
        if found is None:
            found = copy.deepcopy(body, memo)
        twin = memo[id(row)] = Row(row.name, found, row.lower, row.upper, memo[id(component)], row.span)
        rows.append(twin)
    variables = tuple(_twins(agent.variables, memo))
    objective, functions = copy.deepcopy((agent.objective, agent.functions), memo)
    return replace(agent, variables=variables, rows=tuple(rows), objective=objective, functions=functions)


def _twins(components: Iterable[Any], memo: dict[int, Any]) -> list[Any]:
    known = memo.get
    return [copy.deepcopy(c, memo) if (twin := known(id(c))) is None else twin for c in components]


def own_model(problem: BilevelProblem) -> Twin:
    """The modeller's own model in the place of a clone: what is built on it is built in place."""
    originals = list(problem.model.component_data_objects(pyo.Var))
    same = Twins(originals, originals)
    return Twin(
        problem.model, problem.agents, problem.dual_maps, problem.consumed, problem.leader.objective, same, problem.disjunctions
    )
