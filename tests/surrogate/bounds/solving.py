"""An LP solver for bounds that is not ours: scipy's."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from scipy.optimize import Bounds, LinearConstraint, milp

from bilevel_lang.surrogate.bounds.tightening import Ints, Largest
from bilevel_lang.surrogate.network import Floats


def with_scipy(lower: Floats, upper: Floats, matrix: sp.csr_matrix, row_lower: Floats, row_upper: Floats) -> Largest:
    rows = [LinearConstraint(matrix, row_lower, row_upper)] if matrix.shape[0] else []

    def largest(columns: Ints, coefficients: Floats) -> float | None:
        cost = np.zeros(len(lower))
        cost[columns] = -coefficients
        done = milp(cost, constraints=rows, bounds=Bounds(lower, upper))
        return -float(done.fun) if done.status == 0 else None

    return largest
