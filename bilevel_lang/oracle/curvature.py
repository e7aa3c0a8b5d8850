"""Convexity of an expression in the variables an agent owns: the quadratic part by eigenvalues, the rest by composition.

What the agent does not own is a constant of unknown value within its bounds. The answer may be UNKNOWN for a convex
expression, but CONVEX, CONCAVE and AFFINE are proofs (up to rounding: see :data:`PSD_TOLERANCE`), on the box of the bounds.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp
from pyomo.common.collections import ComponentSet
from pyomo.common.log import LoggingIntercept
from pyomo.repn import generate_standard_repn
from scipy.sparse.csgraph import connected_components

from bilevel_lang.oracle.shapes import Curvature, shape_of, sum_curvature

PSD_TOLERANCE = 1e-12
"""An eigenvalue above ``-PSD_TOLERANCE * (the largest one)`` of a Hessian scaled to unit diagonal counts as non-negative.

That is what rounding does to squares that were multiplied out. The scaling matters: without it, ``1e9 x**2 - 0.1 y**2`` would
pass for any tolerance that the sum of a few squares needs.
"""

LARGEST_BLOCK = 3000
"""Coupled variables in one block of a Hessian: beyond that the dense eigenvalues would take gigabytes and minutes."""


def curvature(expression: Any, owned: ComponentSet) -> Curvature:
    """The curvature of ``expression`` in the variables ``owned``; UNKNOWN where the rules do not decide."""
    repn = _standard(expression)
    if repn is None:
        return shape_of(expression, owned).curvature
    quadratic = _quadratic_curvature(repn, owned)
    if repn.nonlinear_expr is None:
        return quadratic
    found = sum_curvature([quadratic, shape_of(repn.nonlinear_expr, owned).curvature])
    # Taken apart, a square loses to what it was written with: (x - t)**2 * t has a cubic part. So the whole is tried as well.
    return found if found is not Curvature.UNKNOWN else shape_of(expression, owned).curvature


def is_smooth(expression: Any, owned: ComponentSet) -> bool:
    """Whether ``expression`` is known to have a derivative in ``owned`` wherever it is defined within the bounds.

    Without one (a kink of ``abs``, the infinite slope of ``sqrt`` at 0) an optimum need not be a KKT point even with linear rows.
    """
    repn = _standard(expression)
    if repn is None:
        return shape_of(expression, owned).smooth
    return repn.nonlinear_expr is None or shape_of(repn.nonlinear_expr, owned).smooth


def _standard(expression: Any) -> Any:
    """Pyomo's standard form; None where it stumbles (it evaluates ``y**0``, for which ``y`` need not have a value)."""
    with LoggingIntercept(module="pyomo"):
        try:
            return generate_standard_repn(expression, quadratic=True)
        except (ValueError, ArithmeticError, TypeError):
            return None


def _quadratic_curvature(repn: Any, owned: ComponentSet) -> Curvature:
    """Of the linear and quadratic part, by the eigenvalues of its constant Hessian."""
    terms = zip(repn.quadratic_vars, repn.quadratic_coefs, strict=True)
    pairs = [(a, b, c) for (a, b), c in terms if a in owned and b in owned and c != 0]
    if pairs:
        return _hessian_curvature(pairs)
    touched = any(v in owned for v in repn.linear_vars) or any(a in owned or b in owned for a, b in repn.quadratic_vars)
    return Curvature.AFFINE if touched else Curvature.CONSTANT


def _hessian_curvature(pairs: list[tuple[Any, Any, float]]) -> Curvature:
    index: dict[int, int] = {}
    for a, b, _ in pairs:
        index.setdefault(id(a), len(index))
        index.setdefault(id(b), len(index))
    places = [(index[id(a)], index[id(b)], c) for a, b, c in pairs]
    rows, columns, data = ([p[k] for p in places] for k in range(3))
    half = sp.coo_matrix((data, (rows, columns)), shape=(len(index), len(index))).tocsr()
    hessian = half + half.T
    if _semidefinite(hessian):
        return Curvature.CONVEX
    return Curvature.CONCAVE if _semidefinite(-hessian) else Curvature.UNKNOWN


def _semidefinite(matrix: Any) -> bool:
    """Whether a symmetric matrix is positive semidefinite, block by block; False where a block is too large to tell."""
    diagonal = matrix.diagonal()
    if np.any(diagonal < 0) or not np.all(np.isfinite(matrix.data)):
        return False
    scale = 1.0 / np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
    scaled = sp.diags(scale) @ matrix @ sp.diags(scale)
    _, label = connected_components(scaled, directed=False)
    order = np.argsort(label, kind="stable")
    for block in np.split(order, np.flatnonzero(np.diff(label[order])) + 1):
        if len(block) == 1:
            continue  # its diagonal entry, which is not negative
        # A zero on the diagonal next to other entries makes the determinant of a 2 x 2 minor negative.
        if len(block) > LARGEST_BLOCK or np.any(diagonal[block] == 0):
            return False
        eigenvalues = np.linalg.eigvalsh(scaled[block][:, block].toarray())
        if eigenvalues[0] < -PSD_TOLERANCE * eigenvalues[-1]:
            return False
    return True


__all__ = ["Curvature", "curvature", "is_smooth"]
