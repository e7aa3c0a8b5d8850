"""The shape of an expression: curvature, range and smoothness, node by node from the leaves up.

Rules of composition (:mod:`bilevel_lang.oracle.composition`) come first; what they cannot read and is a quadratic is settled by
the eigenvalues of its Hessian.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pyomo.environ as pyo
from pyomo.common.collections import ComponentSet
from pyomo.common.log import LoggingIntercept
from pyomo.core.expr.visitor import StreamBasedExpressionVisitor
from pyomo.repn import generate_standard_repn

from bilevel_lang.oracle.composition import Curvature, Shape, compose, number_shape, settled, sum_curvature
from bilevel_lang.oracle.quadratic_forms import Definiteness, definiteness, is_sum_of_squares

LARGEST_FORM = 200
"""Variables of a quadratic inside another function that is tested for being convex, or a sum of squares."""


def shape_of(expression: Any, owned: ComponentSet) -> Shape:
    """The shape of ``expression`` in the variables ``owned``; all others are constants of unknown value within their bounds."""
    shape: Shape = _ShapeVisitor(owned).walk_expression(expression)
    return shape


class _ShapeVisitor(StreamBasedExpressionVisitor):  # type: ignore[misc]
    """Bottom-up composition; every node becomes a Shape."""

    def __init__(self, owned: ComponentSet) -> None:
        super().__init__()
        self._owned = owned

    def initializeWalker(self, expr: Any) -> tuple[bool, Any]:  # noqa: N802 - pyomo's name
        leaf = self._leaf(expr)
        return (True, expr) if leaf is None else (False, leaf)

    def beforeChild(self, node: Any, child: Any, child_idx: int) -> tuple[bool, Any]:  # noqa: N802 - pyomo's name
        leaf = self._leaf(child)
        return (True, None) if leaf is None else (False, leaf)

    def _leaf(self, child: Any) -> Shape | None:
        if isinstance(child, str):
            return Shape(Curvature.CONSTANT)  # an argument of an external function
        if isinstance(child, complex) or child is NotImplemented:
            return Shape(Curvature.UNKNOWN)  # such as (-2.0)**0.5, and what Pyomo makes of its exp: defined nowhere
        if not hasattr(child, "is_expression_type"):
            return number_shape(float(child))
        if child.is_expression_type():
            return None
        if child.is_variable_type() and not child.fixed:
            lower, upper = (-math.inf if child.lb is None else child.lb), (math.inf if child.ub is None else child.ub)
            kind = Curvature.AFFINE if child in self._owned else Curvature.CONSTANT
            return settled(Shape(kind, lower, upper, degree=1))
        return number_shape(float(pyo.value(child)))

    def exitNode(self, node: Any, data: list[Shape]) -> Shape:  # noqa: N802 - pyomo's name
        shape = settled(compose(node, data))
        if shape.degree == 2 and shape.convex_power is None and not shape.curvature.is_affine:
            shape = settled(_as_quadratic(node, shape, self._owned))
        if shape.constant or all(d.smooth for d in data):
            return shape
        return replace(shape, smooth=False)


def _as_quadratic(node: Any, shape: Shape, owned: ComponentSet) -> Shape:
    """What the eigenvalues say of a quadratic that composition could not read, or may be a sum of squares."""
    with LoggingIntercept(module="pyomo"):
        try:
            repn = generate_standard_repn(node, quadratic=True)
        except (ValueError, ArithmeticError, TypeError):
            return shape
    if repn.nonlinear_expr is not None or len(repn.linear_vars) + len(repn.quadratic_vars) > LARGEST_FORM:
        return shape
    terms = [(a, b, c) for (a, b), c in zip(repn.quadratic_vars, repn.quadratic_coefs, strict=True)]
    linear = list(zip(repn.linear_vars, repn.linear_coefs, strict=True))
    kind = shape.curvature
    if kind is Curvature.UNKNOWN:
        pairs = [(a, b, c) for a, b, c in terms if a in owned and b in owned and c != 0]
        kind = quadratic_curvature(definiteness(pairs)) if pairs else Curvature.AFFINE
    if is_sum_of_squares(terms, linear, float(repn.constant)):
        return replace(shape, curvature=kind, lower=max(0.0, shape.lower), convex_power=0.5)
    return replace(shape, curvature=kind)


def quadratic_curvature(hessian: Definiteness) -> Curvature:
    """Of a quadratic with this Hessian."""
    return Curvature.CONVEX if hessian.positive else Curvature.CONCAVE if hessian.negative else Curvature.UNKNOWN


__all__ = ["Curvature", "Shape", "quadratic_curvature", "shape_of", "sum_curvature"]
