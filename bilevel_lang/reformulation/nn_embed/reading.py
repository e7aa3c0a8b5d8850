"""What nn-embed takes of a problem: arrays, and what can only be evaluated at given decisions: functions of the leader that are
not linear, and products of leader and follower in the follower's objective."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyomo.environ as pyo
from pyomo.common.collections import ComponentMap
from pyomo.core.expr.visitor import identify_variables

from bilevel_lang.components.forms import Columns, NotQuadraticError
from bilevel_lang.oracle.agent_model import number_at
from bilevel_lang.oracle.magnitude import row_violation
from bilevel_lang.problem import Agent, BilevelProblem
from bilevel_lang.reformulation.nn_embed.domain import seen_inputs
from bilevel_lang.reformulation.nn_embed.further_columns import with_columns
from bilevel_lang.reformulation.rewrite import Refusal
from bilevel_lang.reformulation.value_function.integer.reading import ReadProblem, read_linear
from bilevel_lang.solvers.matrix import Ints
from bilevel_lang.solvers.program import Floats


@dataclass(frozen=True, eq=False)
class Products:
    """``coefficients[k] * z[given[k]] * z[own[k]]`` in the follower's objective, as a minimisation; all (k,)."""

    given: Ints
    own: Ints
    coefficients: Floats

    def costs(self, z: Floats) -> Floats:
        """(columns,): what they add to the follower's costs at the leader's columns of ``z``."""
        found = np.zeros(len(z))
        np.add.at(found, self.own, self.coefficients * z[self.given])
        return found


@dataclass(frozen=True, eq=False)
class Evaluated:
    """What is evaluated: the leader's ``objective`` (an expression or None; ``sense`` +1 min, -1 max), those of its ``rows`` that
    are not linear, and ``products`` of the follower (None: there are none)."""

    variables: tuple[Any, ...]
    objective: Any
    sense: int
    rows: tuple[Any, ...]
    products: Products | None = None

    def evaluate(self, z: Floats) -> tuple[float, float]:
        """(objective as a minimisation, largest violation of the rows relative to max(1, |side|)) at columns ``z``."""
        values = ComponentMap(zip(self.variables, z.tolist(), strict=True))
        off = max((row_violation(r.body, r.lb, r.ub, values) for r in self.rows), default=0.0)
        return (0.0 if self.objective is None else self.sense * number_at(self.objective, values)), off


@dataclass(frozen=True, eq=False)
class SampledProblem:
    """``read`` holds all that is linear, ``evaluated`` (None: nothing) the rest; ``inputs`` are the columns that are drawn."""

    read: ReadProblem
    evaluated: Evaluated | None
    inputs: Ints


def read_sampled(problem: BilevelProblem) -> SampledProblem | Refusal:
    """The problem as it can be sampled, or why it cannot. Raises ModelFileError where it cannot be evaluated."""
    found = read_linear(problem)
    if not isinstance(found, Refusal):
        return SampledProblem(found, None, seen_inputs(found.arrays))
    objective = problem.leader.objective
    curved_rows = tuple(r for r in problem.leader.rows if not _linear(r.body))
    straightened = _straightened(problem.agents)
    if isinstance(straightened, Refusal):
        return straightened
    agents, factors = straightened
    if not factors and not curved_rows and (objective is None or _linear(objective.expr)):
        return found
    straight = tuple(r for r in problem.leader.rows if _linear(r.body))
    leader = replace(problem.leader, objective=None, rows=straight)
    linear = read_linear(replace(problem, agents=agents, leader=leader))
    if isinstance(linear, Refusal):
        return linear
    met = [v for e in (objective, *curved_rows) if e is not None for v in identify_variables(_expression(e), include_fixed=False)]
    known, owned = {id(v) for v in linear.variables}, {id(v) for agent in problem.agents for v in agent.variables}
    missing = {id(v): v for v in (*met, *(given for _, given, _ in factors)) if id(v) not in known}
    for key, variable in missing.items():
        if key in owned:
            return Refusal(f"`{variable.name}` of the follower stands in no row or objective of it", "give it one")
    linear = with_columns(linear, tuple(missing.values()), curved_rows)
    place = {id(v): k for k, v in enumerate(linear.variables)}
    products = None
    if factors:
        coefficients, given, own = zip(*factors, strict=True)
        numbers = [np.array([place[id(v)] for v in part], dtype=np.int64) for part in (given, own)]
        products = Products(numbers[0], numbers[1], np.array(coefficients, dtype=float))
    sense = -1 if objective is not None and objective.sense == pyo.maximize else 1
    rest = Evaluated(linear.variables, None if objective is None else objective.expr, sense, curved_rows, products)
    inputs: Ints = np.flatnonzero(~linear.arrays.follower)
    return SampledProblem(linear, rest, inputs)


Factors = list[tuple[float, Any, Any]]
"""(coefficient as a minimisation, variable of the leader, variable of the follower)."""


def _straightened(agents: tuple[Agent, ...]) -> tuple[tuple[Agent, ...], Factors] | Refusal:
    """The agents without the products in their objectives, and these; a Refusal for other terms that are not linear."""
    made, factors = [], []
    for agent in agents:
        if agent.objective is None or _linear(agent.objective.expression):
            made.append(agent)
            continue
        columns, own = Columns(), {id(v) for v in agent.variables}
        try:
            form = columns.quadratic(agent.objective.expression, f"the objective of {agent.name}")
        except NotQuadraticError as error:
            return Refusal(f"{error} is not linear in the follower's variables", "use `--method value-function`")
        for (a, b), c in zip(form.pairs, form.products, strict=True):
            one, other = columns.variables[a], columns.variables[b]
            if (id(one) in own) == (id(other) in own):
                return Refusal(f"the objective of {agent.name} is not linear in its variables", "use `--method value-function`")
            given, mine = (other, one) if id(one) in own else (one, other)
            factors.append((agent.sign * c, given, mine))
        terms = zip(form.affine.coefficients, form.affine.columns, strict=True)
        expression = form.affine.constant + sum(c * columns.variables[j] for c, j in terms)
        made.append(replace(agent, objective=replace(agent.objective, expression=expression)))
    return tuple(made), factors


def _expression(component: Any) -> Any:
    return component.body if hasattr(component, "body") else component.expr


def _linear(expression: Any) -> bool:
    return bool(not hasattr(expression, "polynomial_degree") or expression.polynomial_degree() in (0, 1))
