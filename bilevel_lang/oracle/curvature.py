"""Convexity of an expression in the variables an agent owns: the quadratic part by eigenvalues, the rest by composition.

What the agent does not own is a constant of unknown value within its bounds. The answer may be UNKNOWN for a convex
expression, but CONVEX, CONCAVE and AFFINE are proofs on the box of the bounds, up to rounding (``PSD_TOLERANCE`` of
:mod:`bilevel_lang.oracle.quadratic_forms`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pyomo.common.collections import ComponentSet
from pyomo.common.log import LoggingIntercept
from pyomo.repn import generate_standard_repn

from bilevel_lang.oracle.quadratic_forms import Definiteness, definiteness
from bilevel_lang.oracle.shapes import Curvature, quadratic_curvature, shape_of, sum_curvature


@dataclass(frozen=True, slots=True)
class Finding:
    """What is known of an expression in the owned variables.

    ``smooth``: it is known to have a derivative wherever it is defined within the bounds. Without one (a kink of ``abs``, the
    infinite slope of ``sqrt`` at 0) an optimum need not be a KKT point even with linear rows. ``hessian`` is None where it is
    not constant, or zero.
    """

    curvature: Curvature
    smooth: bool = True
    quadratic: bool = True
    hessian: Definiteness | None = None


def examine(expression: Any, owned: ComponentSet) -> Finding:
    """Curvature, smoothness and a constant Hessian of ``expression``, from one standard representation."""
    repn = _standard(expression)
    if repn is None:
        shape = shape_of(expression, owned)
        return Finding(shape.curvature, shape.smooth, shape.curvature.is_affine)
    kind, hessian = _quadratic_part(repn, owned)
    if repn.nonlinear_expr is None:
        return Finding(kind, True, True, hessian)
    shape = shape_of(repn.nonlinear_expr, owned)
    found = sum_curvature([kind, shape.curvature])
    if found is Curvature.UNKNOWN:
        # Taken apart, a square loses to what it was written with: (x - t)**2 * t has a cubic part. So the whole is tried too.
        found = shape_of(expression, owned).curvature
    quadratic = not any(v in owned for v in repn.nonlinear_vars)
    return Finding(found, shape.smooth, quadratic, hessian if quadratic else None)


def curvature(expression: Any, owned: ComponentSet) -> Curvature:
    """The curvature of ``expression`` in the variables ``owned``; UNKNOWN where the rules do not decide."""
    return examine(expression, owned).curvature


def _standard(expression: Any) -> Any:
    """Pyomo's standard form; None where it stumbles (it evaluates ``y**0``, for which ``y`` need not have a value)."""
    with LoggingIntercept(module="pyomo"):
        try:
            return generate_standard_repn(expression, quadratic=True)
        except (ValueError, ArithmeticError, TypeError):
            return None


def _quadratic_part(repn: Any, owned: ComponentSet) -> tuple[Curvature, Definiteness | None]:
    """Of the linear and quadratic part, by the eigenvalues of its constant Hessian."""
    terms = zip(repn.quadratic_vars, repn.quadratic_coefs, strict=True)
    pairs = [(a, b, c) for (a, b), c in terms if a in owned and b in owned and c != 0]
    if pairs:
        found = definiteness(pairs)
        return quadratic_curvature(found), found
    touched = any(v in owned for v in repn.linear_vars) or any(a in owned or b in owned for a, b in repn.quadratic_vars)
    return (Curvature.AFFINE if touched else Curvature.CONSTANT), None


__all__ = ["Curvature", "Finding", "curvature", "examine"]
