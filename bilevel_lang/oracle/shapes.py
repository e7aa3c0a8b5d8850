"""Composition rules over an expression tree: curvature, range and smoothness of every node from those of its children.

Rules: Boyd and Vandenberghe, Convex Optimization, section 3.2; Grant, Boyd and Ye, Disciplined Convex Programming (2006).
Ranges come from variable bounds by interval arithmetic without outward rounding: they are right up to rounding.
"""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass
from typing import Any

import pyomo.environ as pyo
from pyomo.common.collections import ComponentSet
from pyomo.core.expr import numeric_expr as ne
from pyomo.core.expr.visitor import StreamBasedExpressionVisitor


class Curvature(enum.Enum):
    """Of an expression in the owned variables, for every value of the others."""

    CONSTANT = "constant"
    AFFINE = "linear"
    CONVEX = "convex"
    CONCAVE = "concave"
    UNKNOWN = "unknown"

    def negated(self) -> Curvature:
        """The curvature of the negative."""
        return _NEGATED[self]

    @property
    def is_affine(self) -> bool:
        """Whether it is constant or linear."""
        return self in (Curvature.CONSTANT, Curvature.AFFINE)

    @property
    def is_convex(self) -> bool:
        """Whether it is proven convex."""
        return self.is_affine or self is Curvature.CONVEX

    @property
    def is_concave(self) -> bool:
        """Whether it is proven concave."""
        return self.is_affine or self is Curvature.CONCAVE


_NEGATED = {
    Curvature.CONSTANT: Curvature.CONSTANT,
    Curvature.AFFINE: Curvature.AFFINE,
    Curvature.CONVEX: Curvature.CONCAVE,
    Curvature.CONCAVE: Curvature.CONVEX,
    Curvature.UNKNOWN: Curvature.UNKNOWN,
}

SMOOTH = frozenset({"exp", "log", "log10", "sin", "cos", "tan", "sinh", "cosh", "tanh", "asinh", "atan", "atanh"})
"""Functions with a derivative wherever they are defined. ``asin``, ``acos``, ``acosh`` and ``sqrt`` have none at an end of
their domain, ``ceil`` and ``floor`` none at whole numbers."""


@dataclass(frozen=True, slots=True)
class Shape:
    """Curvature and range of a subexpression, and whether it has a derivative in the owned variables wherever it is defined."""

    curvature: Curvature
    lower: float = -math.inf
    upper: float = math.inf
    smooth: bool = True

    @property
    def constant(self) -> bool:
        """Whether no owned variable is in it."""
        return self.curvature is Curvature.CONSTANT

    @property
    def nonnegative(self) -> bool:
        """Whether it is >= 0 everywhere within the bounds."""
        return self.lower >= 0

    @property
    def nonpositive(self) -> bool:
        """Whether it is <= 0 everywhere within the bounds."""
        return self.upper <= 0


def shape_of(expression: Any, owned: ComponentSet) -> Shape:
    """The shape of ``expression`` in the variables ``owned``; all others are constants of unknown value within their bounds."""
    shape: Shape = _ShapeVisitor(owned).walk_expression(expression)
    return shape


def sum_curvature(kinds: list[Curvature]) -> Curvature:
    """The curvature of a sum of such terms."""
    if all(k is Curvature.CONSTANT for k in kinds):
        return Curvature.CONSTANT
    if all(k.is_affine for k in kinds):
        return Curvature.AFFINE
    if all(k.is_convex for k in kinds):
        return Curvature.CONVEX
    return Curvature.CONCAVE if all(k.is_concave for k in kinds) else Curvature.UNKNOWN


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
        if isinstance(child, complex):
            return Shape(Curvature.UNKNOWN)  # such as (-2.0)**0.5: defined nowhere
        if not hasattr(child, "is_expression_type"):
            return _number(float(child))
        if child.is_expression_type():
            return None
        if child.is_variable_type() and not child.fixed:
            lower, upper = (-math.inf if child.lb is None else child.lb), (math.inf if child.ub is None else child.ub)
            return Shape(Curvature.AFFINE if child in self._owned else Curvature.CONSTANT, lower, upper)
        return _number(float(pyo.value(child)))

    def exitNode(self, node: Any, data: list[Shape]) -> Shape:  # noqa: N802 - pyomo's name
        shape = _compose(node, data)
        if shape.constant or all(d.smooth for d in data):
            return shape
        return Shape(shape.curvature, shape.lower, shape.upper, False)


def _number(value: float) -> Shape:
    return Shape(Curvature.CONSTANT, value, value)


def _compose(node: Any, data: list[Shape]) -> Shape:
    if isinstance(node, (ne.SumExpression, ne.LinearExpression)):
        return _sum(data)
    if isinstance(node, ne.NegationExpression):
        return Shape(data[0].curvature.negated(), -data[0].upper, -data[0].lower)
    if isinstance(node, ne.ProductExpression):
        return _product(data[0], data[1])
    if isinstance(node, ne.DivisionExpression):
        return _product(data[0], _reciprocal(data[1]))
    if isinstance(node, ne.PowExpression):
        return _power(data[0], data[1])
    if isinstance(node, ne.AbsExpression):
        return _even(data[0], smooth=data[0].nonnegative or data[0].nonpositive)
    if isinstance(node, ne.UnaryFunctionExpression):
        return _function(node.getname(), data[0])
    if node.is_named_expression_type():
        return data[0]
    constant = all(d.constant for d in data)
    return Shape(Curvature.CONSTANT if constant else Curvature.UNKNOWN, smooth=constant)


def _sum(terms: list[Shape]) -> Shape:
    lowers, uppers = [t.lower for t in terms], [t.upper for t in terms]
    lower = -math.inf if -math.inf in lowers else sum(lowers)
    upper = math.inf if math.inf in uppers else sum(uppers)
    return Shape(sum_curvature([t.curvature for t in terms]), lower, upper)


def _product(a: Shape, b: Shape) -> Shape:
    corners = [_times(x, y) for x in (a.lower, a.upper) for y in (b.lower, b.upper)]
    lower, upper = min(corners), max(corners)
    if not a.constant:
        a, b = b, a
    if not a.constant:
        return Shape(Curvature.UNKNOWN, lower, upper)
    if b.curvature.is_affine or a.nonnegative:
        return Shape(b.curvature, lower, upper)
    return Shape(b.curvature.negated() if a.nonpositive else Curvature.UNKNOWN, lower, upper)


def _times(x: float, y: float) -> float:
    return 0.0 if x == 0 or y == 0 else x * y


def _reciprocal(shape: Shape) -> Shape:
    if shape.lower > 0:
        lower, upper = 1 / shape.upper, 1 / shape.lower
        kind = Curvature.CONVEX if shape.curvature.is_concave else Curvature.UNKNOWN
    elif shape.upper < 0:
        lower, upper = 1 / shape.upper, 1 / shape.lower
        kind = Curvature.CONCAVE if shape.curvature.is_convex else Curvature.UNKNOWN
    else:
        lower, upper, kind = -math.inf, math.inf, Curvature.UNKNOWN
    return Shape(Curvature.CONSTANT if shape.constant else kind, lower, upper)


def _power(base: Shape, exponent: Shape) -> Shape:
    if not exponent.constant or exponent.lower != exponent.upper:
        constant = base.constant and exponent.constant
        smooth = constant or base.lower > 0 or (base.nonnegative and exponent.constant and exponent.lower >= 1)
        kind = Curvature.CONSTANT if constant else Curvature.UNKNOWN
        return Shape(kind, 0.0 if base.nonnegative else -math.inf, smooth=smooth)
    p = exponent.lower
    if p == 0:
        return _number(1.0)
    if p == 1:
        return base
    shape = _even(base) if p > 1 and p % 2 == 0 else _negative_power(base, p) if p < 0 else _positive_power(base, p)
    # Between 0 and 1 the slope at 0 is infinite; from 1 on it is 0.
    smooth = not (0 < p < 1) or base.lower > 0
    return Shape(Curvature.CONSTANT if base.constant else shape.curvature, shape.lower, shape.upper, smooth)


def _positive_power(base: Shape, p: float) -> Shape:
    """``base**p`` for p > 0 that is neither 1 nor even."""
    kind = base.curvature
    if p % 1 != 0:
        # A fractional power is only defined where its base is >= 0, whatever the bounds say.
        fits = kind.is_concave if p < 1 else kind.is_affine or (base.nonnegative and kind.is_convex)
        found = Curvature.CONCAVE if p < 1 else Curvature.CONVEX
        return Shape(found if fits else Curvature.UNKNOWN, 0.0)
    if base.nonnegative:
        return Shape(Curvature.CONVEX if kind.is_convex else Curvature.UNKNOWN, 0.0)
    if base.nonpositive:
        return Shape(Curvature.CONCAVE if kind.is_concave else Curvature.UNKNOWN, -math.inf, 0.0)
    return Shape(Curvature.UNKNOWN)


def _negative_power(base: Shape, p: float) -> Shape:
    if base.nonnegative:
        return Shape(Curvature.CONVEX if base.curvature.is_concave else Curvature.UNKNOWN, 0.0)
    return Shape(Curvature.UNKNOWN, 0.0 if p % 2 == 0 else -math.inf)


def _even(shape: Shape, smooth: bool = True) -> Shape:
    """``|s|`` or an even power: convex of affine, and monotone on either side of zero."""
    kind = shape.curvature
    if kind is Curvature.CONSTANT:
        return Shape(Curvature.CONSTANT, 0.0)
    fits = kind.is_affine or (shape.nonnegative and kind.is_convex) or (shape.nonpositive and kind.is_concave)
    return Shape(Curvature.CONVEX if fits else Curvature.UNKNOWN, 0.0, smooth=smooth)


def _function(name: str, argument: Shape) -> Shape:
    kind = argument.curvature
    lower = {"exp": 0.0, "sqrt": 0.0, "cosh": 1.0}.get(name, -math.inf)
    if kind is Curvature.CONSTANT:
        return Shape(Curvature.CONSTANT, lower)
    smooth = name in SMOOTH or (name == "sqrt" and argument.lower > 0)
    found = Curvature.UNKNOWN
    if (name == "exp" and kind.is_convex) or (name == "cosh" and kind.is_affine):
        found = Curvature.CONVEX
    elif name in ("log", "log10", "sqrt") and kind.is_concave:
        found = Curvature.CONCAVE
    return Shape(found, lower, smooth=smooth)
