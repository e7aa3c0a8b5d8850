"""Bounds of variables and sides of rows: what Pyomo's own properties give, in a fraction of the time where they are numbers."""

from __future__ import annotations

from math import inf
from typing import Any

import pyomo.environ as pyo
from pyomo.core.base.constraint import ConstraintData
from pyomo.core.base.var import ScalarVar, VarData
from pyomo.core.expr.numeric_expr import LinearExpression, MonomialTermExpression, SumExpression
from pyomo.core.expr.relational_expr import EqualityExpression, InequalityExpression

_REALS = pyo.Reals
_NUMBERS = frozenset[Any]({int, float})
_BODIES = frozenset[Any]({SumExpression, LinearExpression, MonomialTermExpression, VarData, ScalarVar})
"""What has variables in it, whatever they are."""


def bounds_of(variable: Any) -> tuple[float | None, float | None]:
    """(lower, upper), None where there is none; those of the domain count. Raises what ``variable.bounds`` raises."""
    found: tuple[float | None, float | None] | None = plain_bounds(variable)
    return variable.bounds if found is None else found


def plain_bounds(variable: Any) -> tuple[float | None, float | None] | None:
    """The bounds of a real variable that are numbers as they are stored; None for any other variable."""
    if variable.__class__ is not VarData or variable._domain is not _REALS:
        return None
    lower, upper = variable._lb, variable._ub
    if lower is not None and not (lower.__class__ in _NUMBERS and -inf < lower < inf):
        return None
    if upper is not None and not (upper.__class__ in _NUMBERS and -inf < upper < inf):
        return None
    return lower, upper


def sides_of(row: Any) -> tuple[float | None, Any, float | None]:
    """(lower, body, upper) with numbers for sides, None where there is none.

    Raises what ``row.to_bounded_expression(evaluate_bounds=True)`` raises.
    """
    found: tuple[float | None, Any, float | None] | None = plain_sides(row)
    return row.to_bounded_expression(evaluate_bounds=True) if found is None else found


def plain_sides(row: Any) -> tuple[float | None, Any, float | None] | None:
    """The sides of a row that is stored as an expression and one number; None for any other row."""
    if row.__class__ is not ConstraintData:
        return None
    relation = row._expr
    kind = relation.__class__
    if kind is not InequalityExpression and kind is not EqualityExpression:
        return None
    first, second = relation._args_
    if second.__class__ in _NUMBERS and -inf < second < inf and first.__class__ in _BODIES:
        return second if kind is EqualityExpression else None, first, second
    if first.__class__ in _NUMBERS and -inf < first < inf and second.__class__ in _BODIES:
        return first, second, first if kind is EqualityExpression else None
    return None
