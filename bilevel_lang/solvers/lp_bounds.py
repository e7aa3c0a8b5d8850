"""Largest values of linear forms over one LP, as a plain function: what the bounds of networks ask for."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import scipy.sparse as sp

from bilevel_lang.solvers.matrix import Ints, MatrixProgram
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.solver import SolverOptions, Termination
from bilevel_lang.solvers.warm_lp import WarmLp


def largest_over(
    lower: Floats, upper: Floats, matrix: sp.csr_matrix, row_lower: Floats, row_upper: Floats
) -> Callable[[Ints, Floats], float | None]:
    """A function of (columns, coefficients): the largest value of that form over ``row_lower <= matrix z <= row_upper`` and the
    bounds of z, None where HiGHS proves none (infeasible, unbounded, no answer). Every call goes on from the last basis.

    Raises SolverMissingError.
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
    lp = WarmLp(program, SolverOptions(), primal=True)

    def largest(columns: Ints, coefficients: Floats) -> float | None:
        found = lp.largest(columns, coefficients)
        return found.value if found.termination is Termination.OPTIMAL else None

    return largest
