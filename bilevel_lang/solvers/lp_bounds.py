"""Proven upper bounds of linear forms over one LP, as a plain function: what the bounds of networks ask for.

A simplex answer is feasible to 1e-7 only, and its objective may be off by the multipliers times that. What is returned is
computed from the multipliers alone and holds for any of them (Neumaier and Shcherbina 2004, "Safe bounds in linear and
mixed-integer linear programming", section 3): with r = c - A'y,

    max c'z <= sum_i max(y_i rl_i, y_i ru_i) + sum_j max(r_j l_j, r_j u_j)
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import scipy.sparse as sp

from bilevel_lang.errors import SolverFailedError
from bilevel_lang.solvers.matrix import Ints, MatrixProgram
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.solver import SolverOptions
from bilevel_lang.solvers.warm_lp import WarmLp

ROUNDING = 1e-12
"""What a sum is moved outwards by, relative to the sum of its terms' magnitudes."""


def largest_over(
    lower: Floats, upper: Floats, matrix: sp.csr_matrix, row_lower: Floats, row_upper: Floats
) -> Callable[[Ints, Floats], float | None]:
    """A function of (columns, coefficients): an upper bound of that form over ``row_lower <= matrix z <= row_upper`` and the
    bounds of z, as tight as HiGHS's multipliers make it; None where there is none (infeasible, unbounded, HiGHS gave up).

    Every call goes on from the last basis. Raises SolverMissingError.
    """
    n = len(lower)
    program = MatrixProgram(
        lower=lower,
        upper=upper,
        integer=np.zeros(n, dtype=bool),
        cost=np.zeros(n),
        matrix=matrix,
        row_lower=row_lower,
        row_upper=row_upper,
    )
    lp, transposed = WarmLp(program, SolverOptions(), primal=True), matrix.T.tocsr()

    def largest(columns: Ints, coefficients: Floats) -> float | None:
        form = np.zeros(n)
        form[columns] = coefficients
        lp.set_cost(-form)
        try:
            multipliers = lp.solve().row_duals
        except SolverFailedError:
            return None  # no bound is known, and the caller has others
        return None if multipliers is None else _proven(form, -multipliers, transposed, program)

    return largest


def _proven(form: Floats, multipliers: Floats, transposed: sp.csr_matrix, program: MatrixProgram) -> float | None:
    """The formula of the module; a multiplier at an infinite side counts as 0."""
    sides = np.where(multipliers > 0, program.row_upper, program.row_lower)
    used = np.isfinite(sides) & (multipliers != 0)
    kept = np.where(used, multipliers, 0.0)
    reduced = form - np.asarray(transposed @ kept)
    ends = np.where(reduced > 0, program.upper, program.lower)
    terms = np.concatenate([kept[used] * sides[used], (reduced * ends)[reduced != 0]])
    bound = float(terms.sum() + ROUNDING * abs(terms).sum())
    return bound if np.isfinite(bound) else None
