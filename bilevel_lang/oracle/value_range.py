"""Where the values of an expression lie, for all values of its variables within their bounds: an enclosure, up to rounding."""

from __future__ import annotations

import itertools
import math
from typing import Any

import pyomo.environ as pyo
from pyomo.common.collections import ComponentSet
from pyomo.core.expr import numeric_expr as ne
from pyomo.core.expr.visitor import identify_variables
from pyomo.repn import generate_standard_repn

from bilevel_lang.oracle.curvature import curvature
from bilevel_lang.oracle.shapes import Shape, shape_of

CORNERS = 10
"""Variables of a convex or concave expression whose values at all corners of the box are computed: 2**10 of them."""

TOTAL = frozenset({"exp", "sin", "cos", "sinh", "cosh", "tanh", "asinh", "atan"})
"""Functions defined for every number."""

EVERYTHING = (-math.inf, math.inf)


def value_range(expression: Any) -> tuple[float, float]:
    """(least, largest) value, or an enclosure of them; (-inf, inf) also where it may not be defined everywhere in the box."""
    if not hasattr(expression, "is_expression_type"):
        value = _number(expression)
        return (value, value) if math.isfinite(value) else EVERYTHING
    variables = list(identify_variables(expression, include_fixed=False))
    if not variables:
        value = _number(expression)
        return (value, value) if math.isfinite(value) else EVERYTHING
    mine = ComponentSet(variables)
    kind = curvature(expression, mine)
    low, up = _by_intervals(expression, mine)
    corners = _corners(expression, variables) if kind.is_convex or kind.is_concave else None
    if corners:
        # A convex function is largest, a concave one smallest, at a corner. That the corners are in its domain, which is
        # convex, puts the whole box there.
        up = min(up, max(corners)) if kind.is_convex else up
        low = max(low, min(corners)) if kind.is_concave else low
    return low, up


def _number(expression: Any) -> float:
    try:
        return float(pyo.value(expression))
    except (ValueError, ArithmeticError, TypeError):
        return math.nan


def _by_intervals(expression: Any, variables: ComponentSet) -> tuple[float, float]:
    if not defined_everywhere(expression, variables):
        return EVERYTHING
    shape = shape_of(expression, variables)
    low, up = shape.lower, shape.upper
    repn = generate_standard_repn(expression, quadratic=False)
    if repn.nonlinear_expr is None:  # collected terms: x - x is 0, and not [-1, 1]
        ends = [sorted((_times(c, v.lb), _times(c, v.ub, 1))) for v, c in zip(repn.linear_vars, repn.linear_coefs, strict=True)]
        low, up = repn.constant + sum(e[0] for e in ends), repn.constant + sum(e[1] for e in ends)
    return (low, up) if not math.isnan(low) and not math.isnan(up) else EVERYTHING


def _times(coefficient: float, bound: float | None, side: int = -1) -> float:
    if coefficient == 0:
        return 0.0
    return coefficient * (side * math.inf if bound is None else bound)


def _corners(expression: Any, variables: list[Any]) -> list[float] | None:
    """The values at the corners of the box; None where one is missing, or not finite."""
    if len(variables) > CORNERS or any(v.lb is None or v.ub is None for v in variables):
        return None
    found = []
    kept = [v.value for v in variables]
    try:
        for corner in itertools.product(*((v.lb, v.ub) for v in variables)):
            for variable, value in zip(variables, corner, strict=True):
                variable.set_value(value, skip_validation=True)
            found.append(_number(expression))
    finally:
        for variable, value in zip(variables, kept, strict=True):
            variable.set_value(value, skip_validation=True)
    return found if all(math.isfinite(v) for v in found) else None


def defined_everywhere(expression: Any, variables: ComponentSet) -> bool:
    """Whether ``expression`` is sure to be defined for all values of its variables within their bounds."""
    waiting = [expression]
    while waiting:
        node = waiting.pop()
        if not hasattr(node, "is_expression_type") or not node.is_expression_type():
            continue
        if not _defined(node, variables):
            return False
        waiting += node.args
    return True


def _defined(node: Any, variables: ComponentSet) -> bool:
    """Whether a node is defined wherever its arguments are."""
    if isinstance(node, ne.DivisionExpression):
        return _without_zero(shape_of(node.args[1], variables))
    if isinstance(node, ne.PowExpression):
        base, exponent = (shape_of(a, variables) for a in node.args)
        if base.lower > 0:
            return True
        if exponent.lower != exponent.upper:
            return False
        p = exponent.lower
        return (p >= 0 and (p % 1 == 0 or base.nonnegative)) or (p % 1 == 0 and _without_zero(base))
    if isinstance(node, ne.UnaryFunctionExpression):
        name, argument = node.getname(), shape_of(node.args[0], variables)
        if name in ("log", "log10"):
            return argument.lower > 0
        return name in TOTAL or isinstance(node, ne.AbsExpression) or (name == "sqrt" and argument.nonnegative)
    known = (ne.SumExpression, ne.LinearExpression, ne.ProductExpression, ne.NegationExpression)
    return isinstance(node, known) or node.is_named_expression_type()


def _without_zero(shape: Shape) -> bool:
    return shape.lower > 0 or shape.upper < 0
