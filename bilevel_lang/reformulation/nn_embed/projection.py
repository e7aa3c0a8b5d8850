"""The nearest decision of the leader that some answer allows: for boxes of which the rows leave little."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from bilevel_lang.solvers.hot_milp import HotMilp
from bilevel_lang.solvers.matrix import Ints, MatrixProgram
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.solver import SolverOptions
from bilevel_lang.surrogate.bounds.input_set import InputSet


class Projection:
    """Onto the columns ``inputs`` of points of ``base`` (its bounds and rows), by distances relative to the width of ``domain``.

    min sum d_j / width_j  over all rows, ``d_j >= x_j - p_j``, ``d_j >= p_j - x_j``: one program in HiGHS, whose sides change.
    """

    def __init__(self, base: MatrixProgram, inputs: Ints, domain: InputSet, options: SolverOptions, deadline: float | None):
        self.inputs = inputs
        n, k = base.columns, len(inputs)
        pick = sp.csr_matrix((np.ones(k), inputs, np.arange(k + 1)), shape=(k, n))
        eye = sp.identity(k, format="csr")
        matrix = sp.bmat([[base.matrix, None], [pick, -eye], [pick, eye]], format="csr")
        width = np.where(domain.upper > domain.lower, domain.upper - domain.lower, 1.0)
        self._sides = base.row_lower, base.row_upper
        self._milp = HotMilp(
            MatrixProgram(
                lower=np.concatenate([base.lower, np.zeros(k)]),
                upper=np.concatenate([base.upper, np.full(k, np.inf)]),
                integer=np.concatenate([base.integer, np.zeros(k, dtype=bool)]),
                cost=np.concatenate([np.zeros(n), 1.0 / width]),
                matrix=sp.csr_matrix(matrix),
                row_lower=np.concatenate([base.row_lower, np.full(2 * k, -np.inf)]),
                row_upper=np.concatenate([base.row_upper, np.full(2 * k, np.inf)]),
            ),
            options,
            deadline,
        )

    def cut_off(self, side: float) -> None:
        """``side`` is the upper one of the last row of ``base`` from now on."""
        low, up = self._sides
        self._sides = low, np.append(up[:-1], side)

    def __call__(self, x: Floats) -> Floats | None:
        """The nearest (n,) to ``x`` (n,); None where time is over or there is none."""
        low, up = self._sides
        k = len(x)
        free = np.full(k, np.inf)
        self._milp.set_sides(np.concatenate([low, -free, x]), np.concatenate([up, x, free]))
        found = self._milp.solve()
        return None if found.x is None else np.asarray(found.x[self.inputs])
