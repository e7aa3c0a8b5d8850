"""Bounds of a program's columns that are proven: by propagation over the rows, then by linear programs."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import scipy.sparse as sp

from bilevel_lang.solvers.matrix import Ints, MatrixProgram
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.solver import Termination
from bilevel_lang.solvers.warm_lp import warm_relaxation

ROUNDS = 20
"""Rounds of propagation; each narrows further only where the one before did."""

SAFETY = 1e-6
"""What a bound from floating-point sums is widened by, relative to max(1, |bound|), before it is rounded or used."""

LP_ITERATIONS = 1500
"""Simplex iterations for all bounds from linear programs together."""


def tightened(program: MatrixProgram, wanted: Ints, iterations: int = LP_ITERATIONS) -> tuple[MatrixProgram, bool]:
    """``program`` with bounds that propagation and linear programs prove, and whether they prove that it has no point.

    Linear programs are solved for the ``wanted`` columns, and for those that have an infinite bound otherwise; ``iterations`` of
    the simplex for all of them.
    """
    program, crossed = propagated(program)
    if crossed:
        return program, True
    lower, upper = program.lower.copy(), program.upper.copy()
    hot = warm_relaxation(program, iterations)
    one = np.ones(1)
    # The columns with the widest ranges are those that gain most; whole columns of one unit could only be fixed, and rarely are.
    least = np.where(program.integer, 1.0, 1e-9)
    asked = ~np.isfinite(upper - lower)
    asked[wanted] = True
    order = np.argsort(-(upper - lower), kind="stable")
    for j in order[asked[order]]:
        if upper[j] - lower[j] <= least[j]:
            continue
        for sign in (1.0, -1.0):
            found = hot.largest(np.array([j]), sign * one)
            if found.termination is Termination.INFEASIBLE:
                return program, True
            if found.termination is Termination.OPTIMAL and found.value is not None:
                bound = sign * found.value
                if sign > 0:
                    upper[j] = min(upper[j], _rounded(bound, 1, bool(program.integer[j])))
                else:
                    lower[j] = max(lower[j], _rounded(bound, -1, bool(program.integer[j])))
    return propagated(replace(program, lower=lower, upper=upper))


def _rounded(bound: float, direction: int, whole: bool) -> float:
    wide = bound + direction * SAFETY * max(1.0, abs(bound))
    if not whole:
        return wide
    return math.floor(wide) if direction > 0 else math.ceil(wide)


def propagated(program: MatrixProgram) -> tuple[MatrixProgram, bool]:
    """Bounds that follow from each row and the other columns' bounds alone, and whether two of them cross."""
    lower, upper = program.lower.copy(), program.upper.copy()
    matrix = sp.csr_matrix(program.matrix)
    for _ in range(ROUNDS):
        new_lower, new_upper = _one_round(matrix, program, lower, upper)
        if (new_lower > new_upper + 1e-6 * np.maximum(1.0, np.abs(new_upper))).any():
            return program, True
        new_upper = np.maximum(new_upper, new_lower)
        gain = (new_lower > lower + 1e-3).any() or (new_upper < upper - 1e-3).any()
        lower, upper = new_lower, new_upper
        if not gain:
            break
    return replace(program, lower=lower, upper=upper), False


def _one_round(matrix: sp.csr_matrix, program: MatrixProgram, lower: Floats, upper: Floats) -> tuple[Floats, Floats]:
    m = matrix.shape[0]
    row = np.repeat(np.arange(m), np.diff(matrix.indptr))
    column, a = matrix.indices, matrix.data
    # The least contribution of each entry to its row's body, and the sums without the entry itself.
    least = np.where(a > 0, a * lower[column], a * upper[column])
    most = np.where(a > 0, a * upper[column], a * lower[column])
    rest_least, rest_most = _sums_without(row, least, m), _sums_without(row, most, m)
    with np.errstate(invalid="ignore", divide="ignore"):
        most_allowed = (program.row_upper[row] - rest_least) / a
        least_allowed = (program.row_lower[row] - rest_most) / a
    upper_bound = np.where(a > 0, most_allowed, least_allowed)
    lower_bound = np.where(a > 0, least_allowed, most_allowed)
    upper_bound, lower_bound = _safe(upper_bound, 1, program, column), _safe(lower_bound, -1, program, column)
    new_lower, new_upper = lower.copy(), upper.copy()
    np.maximum.at(new_lower, column, lower_bound)
    np.minimum.at(new_upper, column, upper_bound)
    return new_lower, new_upper


def _safe(bound: Floats, direction: int, program: MatrixProgram, column: Ints) -> Floats:
    nothing = direction * math.inf
    bound = np.where(np.isfinite(bound) & (np.abs(bound) < 1e12), bound, nothing)
    wide = bound + direction * SAFETY * np.maximum(1.0, np.abs(bound))
    wide = np.where(np.isfinite(bound), wide, nothing)
    whole = np.floor(wide) if direction > 0 else np.ceil(wide)
    return np.where(program.integer[column], whole, wide)


def _sums_without(row: Ints, terms: Floats, m: int) -> Floats:
    """For each entry the sum of the other entries' terms in its row; infinite where one of them is."""
    infinite = ~np.isfinite(terms)
    finite_terms = np.where(infinite, 0.0, terms)
    total = np.bincount(row, finite_terms, minlength=m)
    count = np.bincount(row, infinite.astype(float), minlength=m)
    others = count[row] - infinite
    sign = np.bincount(row, np.where(infinite, np.sign(terms), 0.0), minlength=m)[row]
    return np.where(others > 0, np.where(sign >= 0, math.inf, -math.inf), total[row] - finite_terms)
