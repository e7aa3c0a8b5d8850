"""Answers that few rows can block: the follower's problem with a binary for each such row, and its objective as a row.

The idea is SEP-2 of Fischetti, Ljubic, Monaci and Sinnl 2017, Oper. Res. 65:1615.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import scipy.sparse as sp

from bilevel_lang.reformulation.value_function.integer.extended import Extended
from bilevel_lang.solvers.hot_milp import HotMilp, MilpAnswer
from bilevel_lang.solvers.matrix import Ints, MatrixProgram
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.solver import SolverOptions

NODES = 100
"""Nodes for an answer: any that is good enough may be learned from, and the one hardest to block is not worth a long search."""


class Blocking:
    """The follower's rows, its objective as a row, and a binary for every linked row that could block the answer."""

    def __init__(
        self, extended: Extended, own: Ints, program: MatrixProgram, options: SolverOptions, deadline: float | None
    ) -> None:
        rows, activities = extended.rows, extended.activity_columns
        self._rows = rows
        low, up = rows.sigma_range(extended.program.lower[activities], extended.program.upper[activities])
        self._finite = np.flatnonzero(np.isfinite(low) & np.isfinite(up) & (up > low))
        spread = rows.scale[self._finite] * (up - low)[self._finite]
        count = len(self._finite)
        blocks = sp.bmat(
            [
                [program.matrix, None],
                [sp.csr_matrix(extended.value_cost[own]), None],
                [rows.B[self._finite][:, own], -sp.diags(spread)],
            ]
            if count
            else [[program.matrix], [sp.csr_matrix(extended.value_cost[own])]],
            format="csr",
        )
        self._count = count
        nothing = np.full(count, -np.inf)
        self.milp = HotMilp(
            replace(
                program,
                lower=np.append(program.lower, np.zeros(count)),
                upper=np.append(program.upper, np.ones(count)),
                integer=np.append(program.integer, np.ones(count, dtype=bool)),
                cost=np.append(program.cost, np.ones(count)),
                matrix=sp.csr_matrix(blocks),
                row_lower=np.concatenate([program.row_lower, [-np.inf], nothing]),
                row_upper=np.concatenate([program.row_upper, [np.inf], -nothing]),
            ),
            replace(options, extra={**options.extra, "mip_max_nodes": NODES}),
            deadline,
        )

    def solve(self, low: Floats, up: Floats, at_most: float, lower: Floats, upper: Floats) -> MilpAnswer:
        """An answer no worse than ``at_most`` that few rows can block, activities in [lower, upper] (K,); ``low``, ``up``: the
        sides of the follower's rows. LIMIT with or without a point after :data:`NODES` nodes, or at the deadline.
        """
        rows, finite = self._rows, self._finite
        _, local_up = rows.sigma_range(lower, upper)
        never = rows.side[finite] - rows.scale[finite] * local_up[finite]
        nothing = np.full(self._count, -np.inf)
        self.milp.set_sides(np.concatenate([low, [-np.inf], nothing]), np.concatenate([up, [at_most], never]))
        return self.milp.solve()
