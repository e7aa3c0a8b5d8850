"""Whether a mixed-integer linear program can improve without end."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bilevel_lang.solvers.hot_milp import HotMilp
from bilevel_lang.solvers.matrix import MatrixProgram
from bilevel_lang.solvers.solver import SolverOptions


def improves_without_end(program: MatrixProgram, options: SolverOptions, deadline: float | None = None) -> bool:
    """Whether ``program`` (a minimisation) is unbounded wherever it has a point at all, whatever finite sides its rows have.

    The directions in which its rows never end do not depend on the sides; for integer columns and rational data a direction of
    the linear relaxation is one of the integer problem (Meyer 1974, Math. Program. 7:223).
    """
    low, up = np.isfinite(program.lower), np.isfinite(program.upper)
    row_low, row_up = np.isfinite(program.row_lower), np.isfinite(program.row_upper)
    cone = replace(
        program,
        lower=np.where(low, 0.0, -1.0),
        upper=np.where(up, 0.0, 1.0),
        integer=np.zeros(program.columns, dtype=bool),
        row_lower=np.where(row_low, 0.0, -np.inf),
        row_upper=np.where(row_up, 0.0, np.inf),
    )
    answer = HotMilp(cone, options, deadline).solve()
    return answer.objective < -1e-6 * max(1.0, float(np.abs(program.cost).max(initial=0.0)))
