"""Bounds on basic multipliers of rows that push each of their variables one way only (packing and covering rows).

Let kappa_i be the multiplier of a row with column a_i of A', and let every row that holds a variable j of row i have entries of
one sign in j (rows of a single variable apart, bounds among them). Minus a_i is a sum of columns of bounds: if kappa_i > 0 and
each j in row i had a bound opposing the row with a multiplier > 0, these columns would be dependent, and the multipliers not
basic. So there is a j in the row without such a force, and there ``r_j = sum_i a_ij kappa_i + forces of the same sign``. Hence

    kappa_i <= max over j in row i of  max(0, sign_j r_j) / |a_ij|.

Reference: the argument is that of :mod:`bilevel_lang.reformulation.linear.bounds.vertices`, for one dependency that can be seen.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from bilevel_lang.solvers.matrix import Flags
from bilevel_lang.solvers.program import Floats


def monotone_bounds(matrix: sp.csr_matrix, low: Floats, up: Floats, signed: Flags) -> Floats:
    """Upper bounds (m,) of the multipliers of ``matrix`` (k, m) kappa = r with r between ``low`` and ``up``.

    Infinite where the rows do not have this shape; ``signed`` (m,): which multipliers are >= 0.
    """
    k, m = matrix.shape
    part = matrix.tocoo()
    entries = part.data != 0
    row, column, data = part.row[entries], part.col[entries], part.data[entries]
    several = np.bincount(column, minlength=m) > 1
    # A free multiplier pushes both ways, even that of an equality of one variable: it may oppose a row and is no bound's force.
    pushes = several[column] | ~signed[column]
    upwards = np.bincount(row[pushes & (data > 0)], minlength=k) > 0
    downwards = np.bincount(row[pushes & (data < 0)], minlength=k) > 0
    both_ways = np.zeros(k, dtype=bool)
    both_ways[row[~signed[column]]] = True
    uniform = ~(upwards & downwards) & ~both_ways
    own = several[column] & signed[column]
    force = np.where(data > 0, up[row], -low[row])
    limit = np.where(uniform[row], np.maximum(0.0, force) / np.abs(data), np.inf)
    found = np.full(m, -np.inf)
    np.maximum.at(found, column[own], limit[own])
    return np.where(np.isneginf(found), np.inf, found)
