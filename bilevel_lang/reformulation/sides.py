"""The sides of a complementarity condition: relations, taken from the model where it has them, or expressions that are >= 0."""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo
from pyomo.core.base.constraint import ConstraintData
from pyomo.core.expr.numeric_expr import MonomialTermExpression
from pyomo.core.expr.relational_expr import InequalityExpression

from bilevel_lang.components.new_data import at_least, at_most
from bilevel_lang.problem import Row


def row_relation(row: Row) -> Any:
    """What a row with one side states: the relation that its component holds where it is just this, else a new one."""
    component = row.component
    if component.__class__ is ConstraintData:
        relation = component._expr
    else:
        relation = component.expr if component.ctype is pyo.Constraint else None
    if relation.__class__ is InequalityExpression:
        first, second = relation._args_
        if row.lower is not None and second is row.body and _is_number(first, row.lower):
            return relation
        if row.upper is not None and first is row.body and _is_number(second, row.upper) and _is_sum(row.body):
            return relation
    return at_least(row.lower, row.body) if row.lower is not None else below(row.body, row.upper)


def _is_number(side: Any, value: float) -> bool:
    return side.__class__ in (int, float) and side == value


def below(body: Any, side: float | None) -> Any:
    """``body <= side``; as ``side - body >= 0`` for a single variable, which ``mpec.nl`` would take for the other side."""
    return at_most(body, side) if _is_sum(body) else side - body


def _is_sum(body: Any) -> bool:
    return not body.is_variable_type()


def signed(factor: float, variable: Any) -> Any:
    """``factor * variable``, where the factor is +1 or -1."""
    return variable if factor == 1 else MonomialTermExpression((-1, variable))
