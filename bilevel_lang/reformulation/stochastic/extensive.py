"""The extensive form as one matrix program: the first stage's columns, then a block for each scenario.

Columns: n1, then n2 for each scenario. Rows: m1, then m2 for each scenario, then those over all scenarios. Everything is laid
out by numpy: nothing here goes through the scenarios one by one.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from bilevel_lang.reformulation.stochastic.arrays import TwoStageArrays
from bilevel_lang.solvers.matrix import MatrixProgram
from bilevel_lang.solvers.program import Floats


def extensive_form(arrays: TwoStageArrays) -> MatrixProgram:
    """The program whose optimum is that of the stochastic program; see the module's docstring for its columns and rows."""
    first, weights = arrays.first, arrays.probabilities
    costs = weights[:, None] * arrays.everywhere("cost")
    coupled = arrays.couplings
    return MatrixProgram(
        lower=np.concatenate([first.lower, arrays.everywhere("lower").ravel()]),
        upper=np.concatenate([first.upper, arrays.everywhere("upper").ravel()]),
        integer=np.concatenate([first.integer, np.tile(arrays.integer, arrays.scenarios)]),
        cost=np.concatenate([first.cost + arrays.mean("first_cost"), costs.ravel()]),
        matrix=_matrix(arrays),
        row_lower=np.concatenate([first.row_lower, arrays.everywhere("row_lower").ravel(), [c.lower for c in coupled]]),
        row_upper=np.concatenate([first.row_upper, arrays.everywhere("row_upper").ravel(), [c.upper for c in coupled]]),
        constant=first.constant + float(arrays.mean("constant")[0]),
        sense=first.sense,
    )


def parted(arrays: TwoStageArrays, z: Floats) -> tuple[Floats, Floats]:
    """A point of the extensive form as the first stage (n1,) and the second (S, n2)."""
    n1 = len(arrays.first.lower)
    return z[:n1], z[n1:].reshape(arrays.scenarios, len(arrays.lower))


def _matrix(arrays: TwoStageArrays) -> sp.csr_matrix:
    first = arrays.first.matrix.tocoo()
    (n1, n2), (m1, m2) = (len(arrays.first.lower), len(arrays.lower)), (first.shape[0], len(arrays.row_lower))
    technology, recourse = arrays.technology.tocoo(), arrays.recourse.tocoo()
    blocks = np.arange(arrays.scenarios)[:, None]
    rows = [first.row, (m1 + m2 * blocks + technology.row).ravel(), (m1 + m2 * blocks + recourse.row).ravel()]
    columns = [
        first.col,
        np.tile(technology.col, arrays.scenarios),
        (n1 + n2 * blocks + recourse.col).ravel(),
    ]
    data = [first.data, arrays.everywhere("technology").ravel(), arrays.everywhere("recourse").ravel()]
    bottom = m1 + m2 * arrays.scenarios
    for k, coupling in enumerate(arrays.couplings):
        here, there = np.flatnonzero(coupling.first), np.flatnonzero(coupling.second)
        rows.append(np.full(len(here) + len(there) * arrays.scenarios, bottom + k))
        columns += [here, (n1 + n2 * blocks + there).ravel()]
        data += [coupling.first[here], (arrays.probabilities[:, None] * coupling.second[there]).ravel()]
    shape = (bottom + len(arrays.couplings), n1 + n2 * arrays.scenarios)
    placed = (np.concatenate(data), (np.concatenate(rows), np.concatenate(columns)))
    return sp.csr_matrix(placed, shape=shape)
