"""An answer of the follower that few of its rows can make infeasible, whatever the leader does: its disjunction has few branches.

The idea is SEP-2 of Fischetti, Ljubic, Monaci and Sinnl 2017, Oper. Res. 65:1615: among the answers that are good enough and
feasible at a decision, the one that the fewest rows can block.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import scipy.sparse as sp

from bilevel_lang.solvers.hot_milp import HotMilp, MilpAnswer
from bilevel_lang.solvers.matrix import MatrixProgram
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.solver import SolverOptions


class Stubborn:
    """``program`` is the follower's, ``leader`` (m, n) the leader's part of its rows, ``most`` the largest value of such."""

    def __init__(
        self,
        program: MatrixProgram,
        leader: sp.csr_matrix,
        most: Callable[[Floats], float],
        options: SolverOptions,
        deadline: float | None,
    ) -> None:
        signs, rows, needed, reach = [], [], [], []
        for i in np.flatnonzero(np.diff(leader.indptr)).tolist():
            row = leader[[i]].toarray().ravel()
            ends = most(row), most(-row)
            for sign, side, end in ((1.0, program.row_upper[i], ends[0]), (-1.0, program.row_lower[i], ends[1])):
                if np.isfinite(side) and np.isfinite(ends).all() and sum(ends) > 0:
                    signs.append(sign)
                    rows.append(i)
                    needed.append(sign * side - end)
                    reach.append(sum(ends))
        count, m = len(rows), program.rows
        blocks = sp.diags(signs) @ program.matrix[rows] if count else sp.csr_matrix((0, program.columns))
        matrix = sp.bmat(
            [[program.matrix, None], [sp.csr_matrix(program.cost), None], [blocks, -sp.diags(reach)]]
            if count
            else [[program.matrix], [sp.csr_matrix(program.cost)]],
            format="csr",
        )
        self._sides = np.append(np.full(m + 1, 0.0), needed)
        self._m, self._own = m, program.columns
        self._milp = HotMilp(
            replace(
                program,
                lower=np.append(program.lower, np.zeros(count)),
                upper=np.append(program.upper, np.ones(count)),
                integer=np.append(program.integer, np.ones(count, dtype=bool)),
                cost=np.append(np.zeros(program.columns), np.ones(count)),
                matrix=sp.csr_matrix(matrix),
                row_lower=np.append(program.row_lower, np.full(count + 1, -np.inf)),
                row_upper=np.concatenate([program.row_upper, [np.inf], needed]),
            ),
            options,
            deadline,
        )

    @property
    def solves(self) -> int:
        """How many problems were solved."""
        return self._milp.solves

    def answer(self, low: Floats, up: Floats, at_most: float) -> MilpAnswer:
        """The answer (own columns first) for these sides (m,) of the rows, its objective at most ``at_most``."""
        lower = np.append(low, np.full(len(self._sides) - self._m, -np.inf))
        upper = self._sides.copy()
        upper[: self._m], upper[self._m] = up, at_most
        self._milp.set_sides(lower, upper)
        return self._milp.solve()
