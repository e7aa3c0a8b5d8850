"""What a model needs of a solver, and what a solver lacks for it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

from bilevel_lang.errors import RefusedError
from bilevel_lang.solvers.program import Form, Program
from bilevel_lang.solvers.program_reading import read_program
from bilevel_lang.solvers.solver import Feature, Solver

CONVEXITY_TOLERANCE = 1e-9
"""The smallest eigenvalue may be this far below zero, relative to the largest by magnitude, and count as rounding."""

DENSE_LIMIT = 1500
"""Up to this many coupled variables the eigenvalues are computed; above, the signs of a sparse factorisation decide."""


def features_of(model: Any) -> frozenset[Feature]:
    """What ``model`` needs, from its active components, with fixed variables as constants.

    A quadratic objective counts as convex if every eigenvalue of its Hessian, in the sense of the objective (negated for a
    maximisation), is at least ``-CONVEXITY_TOLERANCE`` times the largest magnitude among the Hessian's eigenvalues (per group of
    coupled variables). Only variables with a quadratic term take part. Groups of more than ``DENSE_LIMIT`` variables are
    judged by a sparse LDL' factorisation of the Hessian shifted by the same tolerance.

    Raises what :func:`bilevel_lang.solvers.program_reading.read_program` raises, so a model is never solved with a part ignored.
    """
    return features_of_program(read_program(model))


def features_of_program(program: Program) -> frozenset[Feature]:
    """:func:`features_of` for a model already read."""
    found: set[Feature] = set()
    if program.integer.any():
        found.add(Feature.INTEGER)
    if program.sos1:
        found.add(Feature.SOS1)
    if any(row.form.quadratic for row in program.rows):
        found.add(Feature.QUADRATIC_ROWS)
    if program.cost.nonlinear is not None or any(row.form.nonlinear is not None for row in program.rows):
        found.add(Feature.NONLINEAR)
    if program.cost.quadratic:
        convex = is_convex(program.cost, program.sense)
        found.add(Feature.QUADRATIC_OBJECTIVE if convex else Feature.NONCONVEX_OBJECTIVE)
    return frozenset(found)


def hessian(pairs: Sequence[tuple[int, int]], products: Sequence[float], columns: int) -> sp.csc_matrix:
    """The Hessian of the sum of ``products[k] * x_i * x_j``, (i, j) = ``pairs[k]``: both triangles, (columns, columns)."""
    i, j = (np.array([pair[k] for pair in pairs], dtype=np.int64) for k in (0, 1))
    data = np.array(products, dtype=float)
    # On the diagonal the two entries add up to 2c, which is the second derivative of c x^2.
    return sp.csc_matrix((np.r_[data, data], (np.r_[i, j], np.r_[j, i])), shape=(columns, columns))


def is_convex(form: Form, sense: int) -> bool:
    """Whether ``sense`` times the quadratic part is convex, to the tolerance stated in :func:`features_of`."""
    used = sorted({k for pair in form.quadratic for k in pair})
    position = {k: n for n, k in enumerate(used)}
    local = [(position[i], position[j]) for i, j in form.quadratic]
    return is_semidefinite(sense * hessian(local, list(form.quadratic.values()), len(used)))


def is_semidefinite(matrix: sp.csc_matrix) -> bool:
    """Whether the symmetric ``matrix`` has no negative eigenvalue, to the tolerance stated in :func:`features_of`."""
    matrix = sp.csc_matrix(matrix)
    used = np.flatnonzero(np.diff(matrix.indptr))
    matrix = matrix[used][:, used]
    count, label = connected_components(matrix, directed=False)
    if count == len(used):
        return bool(matrix.diagonal().min(initial=0.0) >= 0)
    order = np.argsort(label, kind="stable")
    groups = np.split(order, np.cumsum(np.bincount(label))[:-1])
    return all(_is_semidefinite(matrix[group][:, group]) for group in groups)


def _is_semidefinite(matrix: sp.csc_matrix) -> bool:
    if matrix.shape[0] <= DENSE_LIMIT:
        eigenvalues = np.linalg.eigvalsh(matrix.toarray())
        return bool(eigenvalues[0] >= -CONVEXITY_TOLERANCE * np.abs(eigenvalues).max())
    # The row sum bounds the largest eigenvalue, so this shift is at least the tolerance asked for.
    scale = float(abs(matrix).sum(axis=0).max())
    shifted = (matrix + CONVEXITY_TOLERANCE * scale * sp.identity(matrix.shape[0], format="csc")).tocsc()
    factors = sp.linalg.splu(shifted, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True})
    if np.array_equal(factors.perm_r, factors.perm_c):
        # Same permutation on both sides: U's diagonal is the D of LDL', and Sylvester's law counts its signs.
        return bool(factors.U.diagonal().min() > 0)
    eigenvalues = np.linalg.eigvalsh(matrix.toarray())
    return bool(eigenvalues[0] >= -CONVEXITY_TOLERANCE * np.abs(eigenvalues).max())


def describe(features: Iterable[Feature]) -> str:
    """``integer variables and SOS1 constraints``; ``a linear model`` for none."""
    names = [f.value for f in Feature if f in set(features)]
    if not names:
        return "a linear model"
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]


def why_not(solver: Solver, features: frozenset[Feature]) -> str | None:
    """Why ``solver`` does not take a model with ``features``; None where it does."""
    lacking = features - solver.features
    if lacking:
        return f"{solver.name} does not take {describe(lacking)}"
    for together in solver.excludes:
        if together <= features:
            return f"{solver.name} does not take {describe(together)} together"
    return None


def require(solver: Solver, features: frozenset[Feature]) -> None:
    """RefusedError with a remedy if ``solver`` does not take ``features``."""
    reason = why_not(solver, features)
    if reason:
        raise RefusedError(reason, help=remedy(features))


def remedy(features: frozenset[Feature]) -> str:
    """What to do about a model with ``features`` that a solver refused."""
    if features & {Feature.SOS1, Feature.INTEGER, Feature.INDICATOR}:
        return "use --solver scip, which takes integers, SOS1 and nonlinear functions"
    return "use --solver scip (global optimum) or --solver ipopt (local optimum, continuous models only)"
