"""Composition rules: curvature, range and smoothness of a function of expressions from those of the expressions.

Rules: Boyd and Vandenberghe, Convex Optimization, section 3.2; Grant, Boyd and Ye, Disciplined Convex Programming (2006); powers
and products: :mod:`bilevel_lang.oracle.power_convexity`. Ranges come from variable bounds by interval arithmetic without outward
rounding: they are right up to rounding, and hold wherever the expression is defined.
"""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass, replace
from typing import Any

from pyomo.core.expr import numeric_expr as ne

from bilevel_lang.oracle.power_convexity import Power, concave_of_product, convex_of_product, convex_of_sum, of_power


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
    """Curvature and range of a subexpression, and whether it has a derivative in the owned variables wherever it is defined.

    ``convex_power`` and ``concave_power``: see :mod:`bilevel_lang.oracle.power_convexity`; None also where it may be negative.
    ``degree``: of the polynomial in all variables, 3 for everything beyond a quadratic.
    """

    curvature: Curvature
    lower: float = -math.inf
    upper: float = math.inf
    smooth: bool = True
    convex_power: Power = None
    concave_power: Power = None
    degree: int = 3

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


def sum_curvature(kinds: list[Curvature]) -> Curvature:
    """The curvature of a sum of such terms."""
    if all(k is Curvature.CONSTANT for k in kinds):
        return Curvature.CONSTANT
    if all(k.is_affine for k in kinds):
        return Curvature.AFFINE
    if all(k.is_convex for k in kinds):
        return Curvature.CONVEX
    return Curvature.CONCAVE if all(k.is_concave for k in kinds) else Curvature.UNKNOWN


def number_shape(value: float) -> Shape:
    """The shape of a number."""
    return settled(Shape(Curvature.CONSTANT, value, value, degree=0))


def settled(shape: Shape) -> Shape:
    """Curvature from powers and powers from curvature, as far as the one says more than the other."""
    kind, convex, concave = shape.curvature, shape.convex_power, shape.concave_power
    if not shape.nonnegative:
        return shape if convex is None and concave is None else replace(shape, convex_power=None, concave_power=None)
    if kind is Curvature.CONSTANT:
        return replace(shape, convex_power=-math.inf, concave_power=math.inf)
    if kind is Curvature.UNKNOWN and convex is not None and convex <= 1:
        kind = Curvature.CONVEX
    elif kind is Curvature.UNKNOWN and concave is not None and concave >= 1:
        kind = Curvature.CONCAVE
    if kind.is_convex:
        convex = 1.0 if convex is None else min(1.0, convex)
    if kind.is_concave:
        concave = 1.0 if concave is None else max(1.0, concave)
    return replace(shape, curvature=kind, convex_power=convex, concave_power=concave)


def compose(node: Any, data: list[Shape]) -> Shape:
    """The shape of an expression node from those of its arguments, smoothness as if every argument were smooth."""
    if isinstance(node, (ne.SumExpression, ne.LinearExpression)):
        return _sum(data)
    if isinstance(node, ne.NegationExpression):
        return Shape(data[0].curvature.negated(), -data[0].upper, -data[0].lower, degree=data[0].degree)
    if isinstance(node, ne.ProductExpression):
        return _product(data[0], data[1])
    if isinstance(node, ne.DivisionExpression):
        return _product(data[0], _reciprocal(data[1]))
    if isinstance(node, ne.PowExpression):
        return _power(data[0], data[1])
    if isinstance(node, ne.AbsExpression):
        return replace(_absolute(data[0]), smooth=data[0].constant or data[0].nonnegative or data[0].nonpositive)
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
    degree = max((t.degree for t in terms), default=0)
    power = convex_of_sum([t.convex_power for t in terms])
    return Shape(sum_curvature([t.curvature for t in terms]), lower, upper, convex_power=power, degree=degree)


def _product(a: Shape, b: Shape) -> Shape:
    corners = [_times(x, y) for x in (a.lower, a.upper) for y in (b.lower, b.upper)]
    lower, upper, degree = min(corners), max(corners), min(3, a.degree + b.degree)
    convex = convex_of_product(a.convex_power, b.convex_power)
    concave = concave_of_product(a.concave_power, b.concave_power)
    if not a.constant:
        a, b = b, a
    kind = Curvature.UNKNOWN
    if a.constant and (b.curvature.is_affine or a.nonnegative):
        kind = b.curvature
    elif a.constant and a.nonpositive:
        kind = b.curvature.negated()
    return Shape(kind, lower, upper, convex_power=convex, concave_power=concave, degree=degree)


def _times(x: float, y: float) -> float:
    return 0.0 if x == 0 or y == 0 else x * y


def _reciprocal(shape: Shape) -> Shape:
    degree = 0 if shape.degree == 0 else 3
    kind, lower, upper = Curvature.UNKNOWN, -math.inf, math.inf
    if shape.nonnegative and shape.upper > 0:
        lower, upper = 1 / shape.upper, _raised(shape.lower, -1)
        kind = Curvature.CONVEX if shape.curvature.is_concave else kind
    elif shape.nonpositive and shape.lower < 0:
        lower, upper = -_raised(-shape.upper, -1), 1 / shape.lower
        kind = Curvature.CONCAVE if shape.curvature.is_convex else kind
    convex, concave = of_power(shape.convex_power, shape.concave_power, -1)
    kind = Curvature.CONSTANT if shape.constant else kind
    return settled(Shape(kind, lower, upper, convex_power=convex, concave_power=concave, degree=degree))


def _power(base: Shape, exponent: Shape) -> Shape:
    if not exponent.constant or exponent.lower != exponent.upper:
        constant = base.constant and exponent.constant
        smooth = constant or base.lower > 0 or (base.nonnegative and exponent.constant and exponent.lower >= 1)
        kind = Curvature.CONSTANT if constant else Curvature.UNKNOWN
        return Shape(kind, 0.0 if base.nonnegative else -math.inf, smooth=smooth)
    p = exponent.lower
    if p == 0:
        return number_shape(1.0)
    if p == 1:
        return base
    shape = _even_power(base, p) if p > 1 and p % 2 == 0 else _negative_power(base, p) if p < 0 else _positive_power(base, p)
    # Between 0 and 1 the slope at 0 is infinite; from 1 on it is 0.
    smooth = base.constant or not (0 < p < 1) or base.lower > 0
    degree = min(3, base.degree * int(p)) if p > 0 and p % 1 == 0 else 0 if base.degree == 0 else 3
    return replace(shape, curvature=Curvature.CONSTANT if base.constant else shape.curvature, smooth=smooth, degree=degree)


def _raised(value: float, exponent: float) -> float:
    """``value**exponent`` for value >= 0, inf where that is too large or a pole."""
    try:
        return float(value**exponent)
    except (OverflowError, ZeroDivisionError):
        return math.inf


def _on_positives(base: Shape, kind: Curvature, p: float) -> Shape:
    """``base**p`` of this curvature where the base is >= 0, be it by its bounds or because it is not defined elsewhere."""
    lower, upper = sorted((_raised(max(0.0, base.lower), p), _raised(max(0.0, base.upper), p)))
    convex, concave = of_power(base.convex_power, base.concave_power, p)
    return Shape(kind, lower, upper, convex_power=convex, concave_power=concave)


def _positive_power(base: Shape, p: float) -> Shape:
    """``base**p`` for p > 0 that is neither 1 nor even."""
    kind = base.curvature
    if p % 1 != 0:
        # A fractional power is only defined where its base is >= 0, whatever the bounds say.
        fits = kind.is_concave if p < 1 else kind.is_affine or (base.nonnegative and kind.is_convex)
        found = Curvature.CONCAVE if p < 1 else Curvature.CONVEX
        return _on_positives(base, found if fits else Curvature.UNKNOWN, p)
    if base.nonnegative:
        return _on_positives(base, Curvature.CONVEX if kind.is_convex else Curvature.UNKNOWN, p)
    if base.nonpositive:
        found = Curvature.CONCAVE if kind.is_concave else Curvature.UNKNOWN
        return Shape(found, -_raised(-base.lower, p), -_raised(-base.upper, p))
    return Shape(Curvature.UNKNOWN, -_raised(-base.lower, p), _raised(base.upper, p))


def _negative_power(base: Shape, p: float) -> Shape:
    if base.nonnegative:
        return _on_positives(base, Curvature.CONVEX if base.curvature.is_concave else Curvature.UNKNOWN, p)
    return Shape(Curvature.UNKNOWN, 0.0 if p % 2 == 0 else -math.inf)


def _even_power(base: Shape, p: float) -> Shape:
    size = settled(_absolute(base))
    return _on_positives(size, Curvature.CONVEX if size.curvature.is_convex else Curvature.UNKNOWN, p)


def _absolute(shape: Shape) -> Shape:
    """``|s|``: convex of affine, and monotone on either side of zero."""
    kind = shape.curvature
    lower, upper = max(0.0, shape.lower, -shape.upper), max(-shape.lower, shape.upper)
    fits = kind.is_affine or (shape.nonnegative and kind.is_convex) or (shape.nonpositive and kind.is_concave)
    found = Curvature.CONSTANT if shape.constant else Curvature.CONVEX if fits else Curvature.UNKNOWN
    return Shape(found, lower, upper, convex_power=shape.convex_power, concave_power=shape.concave_power)


def _function(name: str, argument: Shape) -> Shape:
    kind = argument.curvature
    lower, upper = _range(name, argument)
    constant = Shape(Curvature.CONSTANT, lower, upper, degree=0 if argument.degree == 0 else 3)
    if kind is Curvature.CONSTANT:
        return constant
    if name == "sqrt":
        return replace(_positive_power(argument, 0.5), smooth=argument.lower > 0)
    shape = replace(constant, curvature=Curvature.UNKNOWN, smooth=name in SMOOTH)
    if name == "exp":
        return replace(shape, convex_power=0.0 if kind.is_convex else None, concave_power=0.0 if kind.is_concave else None)
    if name == "cosh" and kind.is_affine:
        return replace(shape, curvature=Curvature.CONVEX)
    if name in ("log", "log10"):
        if kind.is_concave or argument.concave_power is not None:
            return replace(shape, curvature=Curvature.CONCAVE)
        if argument.convex_power is not None and argument.convex_power <= 0:
            return replace(shape, curvature=Curvature.CONVEX)
    return shape


def _range(name: str, argument: Shape) -> tuple[float, float]:
    """Where the values of an increasing function lie; of others their known limits."""
    low, up = max(0.0, argument.lower), max(0.0, argument.upper)
    if name == "exp":
        return _raised(math.e, argument.lower), _raised(math.e, argument.upper)
    if name == "sqrt":
        return _raised(low, 0.5), _raised(up, 0.5)
    if name in ("log", "log10"):
        base = math.e if name == "log" else 10.0
        return tuple(-math.inf if end == 0 else math.inf if end == math.inf else math.log(end, base) for end in (low, up))  # type: ignore[return-value]
    if name in ("sin", "cos", "tanh"):
        return -1.0, 1.0
    return {"cosh": 1.0}.get(name, -math.inf), math.inf
