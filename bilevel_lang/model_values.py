"""The answer as the modeller's model takes it: values of its variables, and its suffixes ``dual`` and ``rc``."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pyomo.environ as pyo
from pyomo.common.collections import ComponentMap, ComponentSet

from bilevel_lang.oracle.multipliers import reduced_costs
from bilevel_lang.problem import BilevelProblem
from bilevel_lang.solution import BilevelSolution, Point
from bilevel_lang.verification import complete_values


def tidy(variable: Any, value: float) -> float:
    """Integers as integers (they were checked to be near one), and no -0.0."""
    if not variable.is_continuous() and abs(value - round(value)) < 1e-5:
        value = float(round(value))
    return value + 0.0


def write_back(problem: BilevelProblem, solution: BilevelSolution) -> None:
    """Write the answer into the modeller's variables, and into ``dual`` and ``rc`` suffixes that can take it.

    ``dual`` gets the reported multipliers of the agents' rows, ``rc`` the reduced costs of the agents' variables. What the
    suffixes held before belongs to another solve and is dropped.
    """
    if solution.point is None:
        return
    for variable, value in solution.point.values.items():
        if not variable.fixed:
            variable.set_value(tidy(variable, float(value)), skip_validation=True)
    for suffix in problem.model.component_objects(pyo.Suffix, active=True):
        if suffix.local_name == "dual" and suffix.import_enabled():
            _fill(suffix, row_multipliers(solution.point))
        elif suffix.local_name == "rc" and suffix.import_enabled():
            _fill(suffix, reduced_costs_at(problem, solution.point))


def _fill(suffix: Any, values: list[tuple[Any, float]]) -> None:
    suffix.clear_all_values()
    for component, value in values:
        suffix[component] = value + 0.0


def row_multipliers(point: Point) -> list[tuple[Any, float]]:
    """Row and multiplier; a row of which several agents have each their own has no one number and is left out."""
    counted = Counter(id(c) for _, _, c in point.multipliers)
    return [(c, value) for _, value, c in point.multipliers if c.ctype is pyo.Constraint and counted[id(c)] == 1]


def reduced_costs_at(problem: BilevelProblem, point: Point) -> list[tuple[Any, float]]:
    """Reduced costs of every agent's variables; of an objective variable the multiplier of its own bounds.

    State variables have one for each agent and are left out, and so are agents whose multiplier of a state row was substituted.
    """
    named = {name: value for name, value, _ in point.multipliers}
    values = complete_values(problem, point)
    states = ComponentSet(s.variable for s in problem.state_variables)
    state_rows = {id(s.row) for s in problem.state_variables}
    found = []
    for agent in problem.agents:
        rows = [(row, problem.multiplier_name(agent, row)) for row in agent.rows]
        if any(id(row.component) in state_rows and name not in named for row, name in rows):
            continue
        multipliers = ComponentMap((row.component, named[name]) for row, name in rows if name in named)
        found += [(v, cost) for v, cost in reduced_costs(agent, multipliers, values) if v not in states]
    return found + [(c, value) for _, value, c in point.multipliers if c.ctype is pyo.Var]
