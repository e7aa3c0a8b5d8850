"""An agent's own problem as a Pyomo model of its own: its variables free, everything else a number."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import pyomo.environ as pyo
from pyomo.common.collections import ComponentMap
from pyomo.core.expr.numeric_expr import MonomialTermExpression
from pyomo.core.expr.visitor import identify_variables, replace_expressions

from bilevel_lang.components.bounds import bounds_of
from bilevel_lang.components.new_data import NewRows, NewVariables
from bilevel_lang.components.plain_sums import plain_terms, total
from bilevel_lang.problem import Agent, Row

UNDEFINED = (ValueError, ArithmeticError, TypeError)
"""What Python raises where a function is not defined. TypeError: a fractional power of a negative number is complex to it."""


@dataclass(frozen=True, eq=False)
class AgentModel:
    """``model`` with the twins of the agent's variables; ``constant_violation`` is that of rows without any of them.

    ``rows``: the agent's rows behind ``model.row``, in its order.
    """

    model: Any
    twins: ComponentMap
    constant_violation: float
    rows: tuple[Row, ...] = ()


def expression_at(expression: Any, values: ComponentMap, twins: ComponentMap | None = None) -> Any:
    """``expression`` with every variable replaced by its twin, or else by its value (``values``, or its own where absent)."""
    if expression.__class__ in (int, float):
        return expression
    plain = plain_terms(expression)
    if plain is not None:
        return _plain_at(*plain, values, twins)
    mapping = {}
    for variable in identify_variables(expression, include_fixed=True):
        if twins is not None and variable in twins:
            mapping[id(variable)] = twins[variable]
        else:
            mapping[id(variable)] = value_of(variable, values)
    if id(expression) in mapping:
        return mapping[id(expression)]
    if not expression.is_expression_type():
        return pyo.value(expression)
    return replace_expressions(expression, mapping)


def _plain_at(constant: float, terms: list[tuple[float, Any]], values: ComponentMap, twins: ComponentMap | None) -> Any:
    """The same for ``constant + sum(factor * variable)``, without a walk through the expression."""
    kept: list[Any] = []
    for factor, variable in terms:
        twin = twins.get(variable) if twins is not None else None
        if twin is None:
            constant += factor * value_of(variable, values)
        else:
            kept.append(twin if factor == 1 else MonomialTermExpression((factor, twin)))
    return total([constant, *kept]) if kept else constant


def value_of(variable: Any, values: ComponentMap) -> float:
    """The value of a variable at a point. Raises ValueError where neither the point nor the model has one."""
    if variable in values:
        return float(values[variable])
    if variable.value is None:
        raise ValueError(f"variable {variable.name} has no value")
    return float(variable.value)


def number_at(expression: Any, values: ComponentMap) -> float:
    """The value of ``expression`` at a point; nan where it is not defined there."""
    try:
        return float(pyo.value(expression_at(expression, values)))
    except UNDEFINED:
        return math.nan


def constraints_model(agent: Agent, values: ComponentMap, relax: float = 0.0) -> AgentModel:
    """The agent's feasible set as a model without objective; sides are moved outwards by ``relax * max(1, |side|)``.

    Raises one of :data:`UNDEFINED` where a row is not defined at ``values``.
    """
    model = pyo.ConcreteModel()
    twins: ComponentMap = ComponentMap()
    model.y = pyo.Var(pyo.Any, dense=False)
    variables = NewVariables(model.y)
    for variable in agent.variables:
        lower, upper = bounds_of(variable)
        if lower is not None and lower == upper:
            continue  # pinned: data
        twin = variables.add(len(twins) + 1, lower, upper)
        twin.domain = variable.domain
        start = values.get(variable, variable.value)
        twin.set_value(start, skip_validation=True)
        twins[variable] = twin
    model.row = pyo.Constraint(pyo.Any)
    kept = NewRows(model.row)
    violation = 0.0
    rows: list[Row] = []
    for row in agent.rows:
        body = expression_at(row.body, values, twins)
        if not _is_variable(body):
            violation = max(violation, violation_of(float(pyo.value(body)), row.lower, row.upper))
            continue
        rows.append(row)
        kept.add(len(rows), _moved(row.lower, -relax), body, _moved(row.upper, relax))
    return AgentModel(model, twins, violation, tuple(rows))


def _is_variable(body: Any) -> bool:
    return hasattr(body, "is_potentially_variable") and bool(body.is_potentially_variable())


def response_model(agent: Agent, values: ComponentMap, relax: float = 0.0, factor: float = 1.0) -> AgentModel:
    """The agent's whole problem, its objective times ``factor`` > 0; a ``max`` agent keeps its own sense.

    Raises one of :data:`UNDEFINED` where a row or the objective is not defined at ``values``.
    """
    assert agent.objective is not None, "a vi has no response model"
    built = constraints_model(agent, values, relax)
    expression = expression_at(agent.objective.expression, values, built.twins)
    sense = pyo.maximize if agent.kind == "max" else pyo.minimize
    built.model.objective = pyo.Objective(expr=expression if factor == 1.0 else factor * expression, sense=sense)
    return built


def violation_of(value: float, lower: float | None, upper: float | None) -> float:
    """How far ``value`` lies outside ``[lower, upper]``, relative to max(1, |side|); inf for nan."""
    if math.isnan(value):
        return math.inf
    below = (lower - value) / max(1.0, abs(lower)) if lower is not None else 0.0
    above = (value - upper) / max(1.0, abs(upper)) if upper is not None else 0.0
    return max(0.0, below, above)


def _moved(side: float | None, by: float) -> float | None:
    return None if side is None else side + by * max(1.0, abs(side))
