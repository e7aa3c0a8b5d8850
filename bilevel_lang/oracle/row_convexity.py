"""Whether a row describes a convex set in the owned variables: by the curvature of its body, or because it is quasiconvex.

``y1 * y2 >= 1`` with y >= 0 is convex although ``y1 * y2`` is not concave. For such rows KKT conditions are sufficient all the
same: along the way from a KKT point to any feasible one the gradient of an active quasiconcave row is not negative, and that is
all the proof needs where the objective is convex.

Reference: Arrow and Enthoven, Quasi-concave programming, Econometrica 29 (1961); Boyd and Vandenberghe, section 3.4.
"""

from __future__ import annotations

import enum
from typing import Any

from pyomo.common.collections import ComponentSet
from pyomo.core.expr import numeric_expr as ne
from pyomo.core.expr.visitor import identify_variables

from bilevel_lang.oracle.shapes import Curvature, Shape, shape_of
from bilevel_lang.problem import Row


class RowSet(enum.Enum):
    """What is proven of the set that a row describes in the owned variables, for all values of the others."""

    LINEAR = "linear"
    CONVEX = "convex"
    """By a convex function <= 0, or one whose power or logarithm is convex and has the same gradient up to a positive factor."""
    CONVEX_AT_ZERO = "convex, but perhaps without a gradient"
    """By a function whose gradient may vanish at the boundary, such as ``y1 * y2 >= 0``: no Slater point helps there."""
    UNPROVEN = "unproven"


def row_set(row: Row, kind: Curvature, owned: ComponentSet) -> RowSet:
    """The set of ``row``, whose body has curvature ``kind``."""
    if kind.is_affine:
        return RowSet.LINEAR
    if row.lower is not None and row.upper is not None:
        return RowSet.UNPROVEN
    if kind.is_convex if row.lower is None else kind.is_concave:
        return RowSet.CONVEX
    return _quasiconvex(row, owned)


def _quasiconvex(row: Row, owned: ComponentSet) -> RowSet:
    """Of a row in which one term alone holds all owned variables: ``term >= level`` or ``term <= level``."""
    body = _unnamed(row.body)
    terms = list(body.args) if isinstance(body, ne.SumExpression) else [body]
    mine = [t for t in terms if _touches(t, owned)]
    if len(mine) != 1:
        return RowSet.UNPROVEN
    sign, core = _without_sign(mine[0])
    rest = [shape_of(t, owned) for t in terms if t is not mine[0]]
    shape = shape_of(core, owned)
    at_least = (row.lower is not None) == (sign > 0)
    if (shape.concave_power if at_least else shape.convex_power) is None:
        return RowSet.UNPROVEN
    return RowSet.CONVEX if _least_level(row, rest, sign) > 0 else RowSet.CONVEX_AT_ZERO


def _least_level(row: Row, rest: list[Shape], sign: float) -> float:
    """The least value that the other side can have, up to a positive factor."""
    side = row.lower if row.lower is not None else row.upper
    assert side is not None
    return side - sum(r.upper for r in rest) if sign > 0 else sum(r.lower for r in rest) - side


def _unnamed(expression: Any) -> Any:
    while hasattr(expression, "is_named_expression_type") and expression.is_named_expression_type():
        expression = expression.args[0]
    return expression


def _without_sign(term: Any) -> tuple[float, Any]:
    """(sign, positive multiple of the term) with negations and constant factors taken off."""
    sign = 1.0
    while True:
        term = _unnamed(term)
        if isinstance(term, ne.NegationExpression):
            sign, term = -sign, term.args[0]
        elif isinstance(term, ne.ProductExpression) and term.args[0].__class__ in (int, float) and term.args[0] != 0:
            sign, term = (sign if term.args[0] > 0 else -sign), term.args[1]
        else:
            return sign, term


def _touches(term: Any, owned: ComponentSet) -> bool:
    if not hasattr(term, "is_expression_type"):
        return False
    return any(v in owned for v in identify_variables(term, include_fixed=False))
