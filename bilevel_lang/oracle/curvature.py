"""Convexity by structure, as disciplined convex programming does it: composition rules over the expression tree.

What the agent does not own is a constant of unknown value within its bounds. The answer may be UNKNOWN for a convex
expression, but CONVEX, CONCAVE and AFFINE are proofs. Rules: Boyd and Vandenberghe, Convex Optimization, section 3.2.
"""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyomo.environ as pyo
from pyomo.common.collections import ComponentSet
from pyomo.core.expr import numeric_expr as ne
from pyomo.core.expr.visitor import StreamBasedExpressionVisitor
from pyomo.repn import generate_standard_repn

PSD_TOLERANCE = 1e-9
"""An eigenvalue above ``-PSD_TOLERANCE * (largest absolute eigenvalue)`` counts as non-negative."""


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


@dataclass(frozen=True, slots=True)
class Shape:
    """Curvature and range of a subexpression."""

    curvature: Curvature
    lower: float = -math.inf
    upper: float = math.inf

    @property
    def nonnegative(self) -> bool:
        """Whether it is >= 0 everywhere within the bounds."""
        return self.lower >= 0

    @property
    def nonpositive(self) -> bool:
        """Whether it is <= 0 everywhere within the bounds."""
        return self.upper <= 0


def curvature(expression: Any, owned: ComponentSet) -> Curvature:
    """The curvature of ``expression`` in the variables ``owned``; UNKNOWN where the rules do not decide.

    A quadratic with constant Hessian is decided by its eigenvalues, everything else by composition.
    """
    quadratic = _quadratic_curvature(expression, owned)
    if quadratic is not None:
        return quadratic
    return _ShapeVisitor(owned).walk_expression(expression).curvature


def _quadratic_curvature(expression: Any, owned: ComponentSet) -> Curvature | None:
    """By the eigenvalues of the constant Hessian; None where the expression is not quadratic in the owned variables."""
    repn = generate_standard_repn(expression, quadratic=True)
    if repn.nonlinear_expr is not None and any(v in owned for v in repn.nonlinear_vars):
        return None
    pairs = [(a, b, c) for (a, b), c in zip(repn.quadratic_vars, repn.quadratic_coefs, strict=True) if a in owned and b in owned]
    if not pairs:
        touched = any(v in owned for v in repn.linear_vars) or any(a in owned or b in owned for a, b in repn.quadratic_vars)
        return Curvature.AFFINE if touched else Curvature.CONSTANT
    index: dict[int, int] = {}
    for a, b, _ in pairs:
        index.setdefault(id(a), len(index))
        index.setdefault(id(b), len(index))
    hessian = np.zeros((len(index), len(index)))
    for a, b, c in pairs:
        hessian[index[id(a)], index[id(b)]] += c
        hessian[index[id(b)], index[id(a)]] += c
    eigenvalues = np.linalg.eigvalsh(hessian)
    floor = PSD_TOLERANCE * float(np.abs(eigenvalues).max())
    if eigenvalues[0] >= -floor:
        return Curvature.CONVEX
    return Curvature.CONCAVE if eigenvalues[-1] <= floor else Curvature.UNKNOWN


class _ShapeVisitor(StreamBasedExpressionVisitor):
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
        if child.__class__ in (int, float) or not hasattr(child, "is_expression_type"):
            return Shape(Curvature.CONSTANT, float(child), float(child))
        if child.is_expression_type():
            return None
        if child.is_variable_type() and not child.fixed:
            lower, upper = (-math.inf if child.lb is None else child.lb), (math.inf if child.ub is None else child.ub)
            return Shape(Curvature.AFFINE if child in self._owned else Curvature.CONSTANT, lower, upper)
        value = float(pyo.value(child))
        return Shape(Curvature.CONSTANT, value, value)

    def exitNode(self, node: Any, data: list[Shape]) -> Shape:  # noqa: N802 - pyomo's name
        if isinstance(node, (ne.SumExpression, ne.LinearExpression)):
            return _sum(data)
        if isinstance(node, ne.NegationExpression):
            return _negation(data[0])
        if isinstance(node, ne.ProductExpression):
            return _product(data[0], data[1])
        if isinstance(node, ne.DivisionExpression):
            return _product(data[0], _reciprocal(data[1]))
        if isinstance(node, ne.PowExpression):
            return _power(data[0], data[1])
        if isinstance(node, ne.AbsExpression):
            return _convex_even(data[0])
        if isinstance(node, ne.UnaryFunctionExpression):
            return _function(node.getname(), data[0])
        if node.is_named_expression_type():
            return data[0]
        constant = all(d.curvature is Curvature.CONSTANT for d in data)
        return Shape(Curvature.CONSTANT if constant else Curvature.UNKNOWN)


def _sum(terms: list[Shape]) -> Shape:
    lower, upper = math.fsum(t.lower for t in terms), math.fsum(t.upper for t in terms)
    kinds = [t.curvature for t in terms]
    if all(k is Curvature.CONSTANT for k in kinds):
        kind = Curvature.CONSTANT
    elif all(k.is_affine for k in kinds):
        kind = Curvature.AFFINE
    elif all(k.is_convex for k in kinds):
        kind = Curvature.CONVEX
    elif all(k.is_concave for k in kinds):
        kind = Curvature.CONCAVE
    else:
        kind = Curvature.UNKNOWN
    return Shape(kind, lower, upper)


def _negation(shape: Shape) -> Shape:
    return Shape(shape.curvature.negated(), -shape.upper, -shape.lower)


def _product(a: Shape, b: Shape) -> Shape:
    corners = [_times(x, y) for x in (a.lower, a.upper) for y in (b.lower, b.upper)]
    lower, upper = min(corners), max(corners)
    if a.curvature is not Curvature.CONSTANT:
        a, b = b, a
    if a.curvature is not Curvature.CONSTANT:
        return Shape(Curvature.UNKNOWN, lower, upper)
    if b.curvature.is_affine or a.nonnegative:
        return Shape(b.curvature, lower, upper)
    return Shape(b.curvature.negated() if a.nonpositive else Curvature.UNKNOWN, lower, upper)


def _times(x: float, y: float) -> float:
    return 0.0 if x == 0 or y == 0 else x * y


def _reciprocal(shape: Shape) -> Shape:
    if shape.lower > 0:
        lower, upper = (0.0 if math.isinf(shape.upper) else 1 / shape.upper), 1 / shape.lower
        kind = Curvature.CONVEX if shape.curvature.is_concave else Curvature.UNKNOWN
    elif shape.upper < 0:
        lower, upper = 1 / shape.upper, (0.0 if math.isinf(shape.lower) else 1 / shape.lower)
        kind = Curvature.CONCAVE if shape.curvature.is_convex else Curvature.UNKNOWN
    else:
        lower, upper, kind = -math.inf, math.inf, Curvature.UNKNOWN
    return Shape(Curvature.CONSTANT if shape.curvature is Curvature.CONSTANT else kind, lower, upper)


def _power(base: Shape, exponent: Shape) -> Shape:
    if base.curvature is Curvature.CONSTANT and exponent.curvature is Curvature.CONSTANT:
        return Shape(Curvature.CONSTANT, 0.0 if base.nonnegative else -math.inf)
    if exponent.curvature is not Curvature.CONSTANT or exponent.lower != exponent.upper:
        return Shape(Curvature.UNKNOWN)
    p = exponent.lower
    if p == 1:
        return base
    if p > 1 and p % 2 == 0:
        return _convex_even(base)
    if p < 0:
        return _negative_power(base)
    if base.nonnegative:
        if p > 1:
            return Shape(Curvature.CONVEX if base.curvature.is_convex else Curvature.UNKNOWN, 0.0)
        return Shape(Curvature.CONCAVE if base.curvature.is_concave else Curvature.UNKNOWN, 0.0)
    # A fractional power is only defined where its base is >= 0, whatever the bounds say.
    if p % 1 != 0 and p < 1 and base.curvature.is_concave:
        return Shape(Curvature.CONCAVE, 0.0)
    if p % 1 != 0 and p > 1 and base.curvature.is_affine:
        return Shape(Curvature.CONVEX, 0.0)
    return Shape(Curvature.UNKNOWN)


def _negative_power(base: Shape) -> Shape:
    if base.lower >= 0 and base.curvature.is_concave:
        return Shape(Curvature.CONVEX, 0.0)
    return Shape(Curvature.UNKNOWN)


def _convex_even(shape: Shape) -> Shape:
    """``|s|`` or an even power: convex of affine, and monotone on either side of zero."""
    kind = shape.curvature
    if kind is Curvature.CONSTANT:
        return Shape(Curvature.CONSTANT, 0.0)
    fits = kind.is_affine or (shape.nonnegative and kind.is_convex) or (shape.nonpositive and kind.is_concave)
    return Shape(Curvature.CONVEX if fits else Curvature.UNKNOWN, 0.0)


def _function(name: str, argument: Shape) -> Shape:
    if argument.curvature is Curvature.CONSTANT:
        lower = 0.0 if name in ("exp", "sqrt") else -math.inf
        return Shape(Curvature.CONSTANT, lower)
    if name == "exp":
        return Shape(Curvature.CONVEX if argument.curvature.is_convex else Curvature.UNKNOWN, 0.0)
    if name in ("log", "log10", "sqrt"):
        kind = Curvature.CONCAVE if argument.curvature.is_concave else Curvature.UNKNOWN
        return Shape(kind, 0.0 if name == "sqrt" else -math.inf)
    if name == "cosh":
        return Shape(Curvature.CONVEX if argument.curvature.is_affine else Curvature.UNKNOWN, 1.0)
    return Shape(Curvature.UNKNOWN)
