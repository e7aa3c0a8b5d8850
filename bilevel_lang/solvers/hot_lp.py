"""One LP again and again with other sides and entries as well: the second stage of a stochastic program, scenario by scenario."""

from __future__ import annotations

import numpy as np

from bilevel_lang.solvers.matrix import Ints, MatrixProgram
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.solver import SolverOptions
from bilevel_lang.solvers.warm_lp import WarmLp


class HotLp(WarmLp):
    """A :class:`~bilevel_lang.solvers.warm_lp.WarmLp` by dual simplex whose rows' sides and matrix entries may change too.

    ``matrix`` must be in canonical form (rows sorted, no entry twice): places of entries count its stored ones, row by row.
    """

    def __init__(self, program: MatrixProgram, options: SolverOptions, deadline: float | None = None) -> None:
        super().__init__(program, options, primal=False, deadline=deadline)
        matrix = program.matrix
        self._row_of = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
        self._column_of = matrix.indices
        self._entries = np.array(matrix.data, dtype=float)

    def set_entries(self, places: Ints, values: Floats) -> None:
        """New ``values`` (r,) of the stored entries at ``places`` (r,) for the next solves."""
        moved = np.flatnonzero(values != self._entries[places])
        for k in moved.tolist():
            place = int(places[k])
            self._highs.changeCoeff(int(self._row_of[place]), int(self._column_of[place]), float(values[k]))
        self._entries[places] = values
