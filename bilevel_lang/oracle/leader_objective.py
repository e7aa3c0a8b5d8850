"""The leader's objective as a function of what everybody decides, its GAMS-style definition looked through."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pyomo.environ as pyo
from pyomo.common.collections import ComponentSet
from pyomo.core.expr.visitor import identify_variables, replace_expressions
from pyomo.repn import generate_standard_repn

from bilevel_lang.problem import BilevelProblem


@dataclass(frozen=True, eq=False)
class LeaderObjective:
    """``expression`` holds neither the leader's objective variable nor an agent's, where one row defines it.

    ``variable`` and ``row`` are the leader's own objective variable and its definition, None where there is none; ``sense`` is
    +1 for min and -1 for max.
    """

    expression: Any
    sense: int
    variable: Any = None
    row: Any = None


def leader_objective(problem: BilevelProblem) -> LeaderObjective | None:
    """What the leader optimises; None without a leader's objective.

    Where the objective is one variable that only one row of the leader holds, an equality in which it is linear, and that has no
    bounds, it is what that row makes it. Objective variables of agents are replaced by what defines them.
    """
    objective = problem.leader.objective
    if objective is None:
        return None
    expression, variable, row = objective.expr, None, None
    if getattr(expression, "ctype", None) is pyo.Var:
        found = _definition(expression, problem)
        if found is not None:
            variable, (expression, row) = expression, found
    sense = 1 if objective.sense == pyo.minimize else -1
    return LeaderObjective(without_objective_variables(expression, problem), sense, variable, row)


def without_objective_variables(expression: Any, problem: BilevelProblem) -> Any:
    """``expression`` with the agents' defined objective variables replaced by their definitions."""
    if expression.__class__ in (int, float):
        return expression
    defined = {
        id(o.variable): o.expression for a in problem.agents if (o := a.objective) is not None and o.definition is not None
    }
    found = {id(v) for v in identify_variables(expression, include_fixed=False)} & set(defined)
    if not found:
        return expression
    if id(expression) in found:
        return defined[id(expression)]
    return replace_expressions(expression, {key: defined[key] for key in found})


def holds_any(expression: Any, variables: ComponentSet) -> bool:
    """Whether ``expression`` contains one of ``variables``."""
    if expression.__class__ in (int, float):
        return False
    return any(v in variables for v in identify_variables(expression, include_fixed=False))


def _definition(variable: Any, problem: BilevelProblem) -> tuple[Any, Any] | None:
    """What the leader's objective variable stands for, and the row that says so; None where it has a life of its own."""
    mine = ComponentSet([variable])
    if (
        variable.fixed
        or variable.lb is not None
        or variable.ub is not None
        or variable not in ComponentSet(problem.leader.variables)
    ):
        return None
    theirs = [row.body for agent in problem.agents for row in agent.rows]
    theirs += [f.expression for agent in problem.agents for f in agent.functions if f.expression is not None]
    theirs += [agent.objective.expression for agent in problem.agents if agent.objective is not None]
    if any(holds_any(body, mine) for body in theirs):
        return None
    rows = [row for row in problem.leader.rows if holds_any(row.body, mine)]
    if len(rows) != 1 or not rows[0].equality:
        return None
    coefficient = _coefficient(rows[0].body, variable)
    if not coefficient:
        return None
    rest = replace_expressions(rows[0].body, {id(variable): 0.0})
    return (pyo.value(rows[0].upper) - rest) / coefficient, rows[0]


def _coefficient(body: Any, variable: Any) -> float:
    """The constant factor of ``variable`` in ``body``, 0 where it has none."""
    repn = generate_standard_repn(body, quadratic=True)
    curved = [v for pair in repn.quadratic_vars for v in pair] + list(repn.nonlinear_vars)
    if any(v is variable for v in curved):
        return 0.0
    return next((float(c) for v, c in zip(repn.linear_vars, repn.linear_coefs, strict=True) if v is variable), 0.0)
