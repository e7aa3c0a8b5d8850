"""One program kept in HiGHS to be solved again and again: only the bounds and costs that differ are passed on.

The base of :class:`~bilevel_lang.solvers.warm_lp.WarmLp` and :class:`~bilevel_lang.solvers.hot_milp.HotMilp`.
"""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from bilevel_lang.errors import SolverFailedError
from bilevel_lang.solvers.highs_instance import load, whole_bounds
from bilevel_lang.solvers.matrix import MatrixProgram
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.solver import SolverOptions


class KeptHighs:
    """``program`` must be linear with ``sense`` +1. ``deadline`` is a reading of ``time.perf_counter``.

    One thread, no log, and no limit but the deadline, whatever ``options`` say; ``settings`` are HiGHS's own, over those of
    ``options``. Raises SolverMissingError, and UsageError for a setting that HiGHS lacks.
    """

    def __init__(
        self, program: MatrixProgram, options: SolverOptions, deadline: float | None, settings: dict[str, object] | None = None
    ) -> None:
        assert program.sense == 1 and program.quadratic is None
        self.deadline = deadline
        self.solves = 0
        self._integer = program.integer
        self._lower, self._upper, self._cost = program.lower.copy(), program.upper.copy(), program.cost.copy()
        self._row_lower, self._row_upper = program.row_lower.copy(), program.row_upper.copy()
        extra = {key: setting for key, setting in options.extra.items() if key != "start"} | (settings or {})
        quiet = replace(options, time_limit=None, gap=None, threads=1, verbose=False, extra=extra)
        self._highs = load(program, quiet)

    def set_bounds(self, lower: Floats, upper: Floats) -> None:
        """New bounds (n,) for the next solves."""
        moved = np.flatnonzero((lower != self._lower) | (upper != self._upper)).astype(np.int32)
        if moved.size:
            self._highs.changeColsBounds(len(moved), moved, *whole_bounds(lower[moved], upper[moved], self._integer[moved]))
            self._lower[moved], self._upper[moved] = lower[moved], upper[moved]

    def set_sides(self, lower: Floats, upper: Floats) -> None:
        """New sides (m,) of the rows for the next solves."""
        moved = np.flatnonzero((lower != self._row_lower) | (upper != self._row_upper)).astype(np.int32)
        if moved.size:
            self._highs.changeRowsBounds(len(moved), moved, lower[moved], upper[moved])
            self._row_lower[moved], self._row_upper[moved] = lower[moved], upper[moved]

    def set_cost(self, cost: Floats) -> None:
        """New costs (n,) for the next solves."""
        moved = np.flatnonzero(cost != self._cost).astype(np.int32)
        if moved.size:
            self._highs.changeColsCost(len(moved), moved, cost[moved])
            self._cost[moved] = cost[moved]

    def forget(self) -> None:
        """Drop basis, point and whatever else the solves so far have left; bounds, sides and costs stay."""
        self._highs.clearSolver()

    def out_of_time(self) -> bool:
        """Whether the deadline has passed."""
        return self.deadline is not None and time.perf_counter() >= self.deadline

    def _time_is_left(self) -> bool:
        """Tell HiGHS how long it may take; False where the deadline has passed."""
        if self.deadline is None:
            return True
        left = self.deadline - time.perf_counter()
        if left > 0:
            # HiGHS's clock runs on from solve to solve.
            self._highs.setOptionValue("time_limit", self._highs.getRunTime() + left)
        return left > 0

    def _gave_up(self, what: str) -> SolverFailedError:
        """The error for a ``what`` that HiGHS could not solve, with its own words."""
        said = self._highs.modelStatusToString(self._highs.getModelStatus())
        return SolverFailedError(f"HiGHS could not solve {what}: {said}", help="rescale the model")
