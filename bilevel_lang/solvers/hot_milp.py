"""One MILP again and again with other bounds, sides or costs: one HiGHS instance, and only what differs is passed on.

Meant for followers inside a search, which are solved thousands of times for different decisions of the leader.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from bilevel_lang.errors import SolverFailedError
from bilevel_lang.solvers.highs_instance import load
from bilevel_lang.solvers.matrix import MatrixProgram
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.solver import SolverOptions, Termination

_STATUS = {
    "kOptimal": Termination.OPTIMAL,
    "kInfeasible": Termination.INFEASIBLE,
    "kUnbounded": Termination.UNBOUNDED,
    "kUnboundedOrInfeasible": Termination.INFEASIBLE_OR_UNBOUNDED,
    "kTimeLimit": Termination.LIMIT,
    "kSolutionLimit": Termination.LIMIT,
    "kIterationLimit": Termination.LIMIT,
    "kInterrupt": Termination.INTERRUPTED,
}


@dataclass(frozen=True, slots=True)
class MilpAnswer:
    """What one solve said. ``x`` (n,) is OPTIMAL's point, or the best one known at LIMIT; integer columns are rounded.

    ``objective`` is computed from ``x``; ``bound`` is the proven bound; both of the minimisation.
    """

    termination: Termination
    x: Floats | None = None
    objective: float = np.inf
    bound: float = -np.inf


class HotMilp:
    """A MILP (or LP) kept in HiGHS. ``program`` must be linear with ``sense`` +1.

    ``deadline`` is a reading of ``time.perf_counter``, after which every solve answers LIMIT.
    """

    def __init__(self, program: MatrixProgram, options: SolverOptions, deadline: float | None = None) -> None:
        assert program.sense == 1 and program.quadratic is None
        self.program = program
        self._lower, self._upper, self._cost = program.lower.copy(), program.upper.copy(), program.cost.copy()
        self._row_lower, self._row_upper = program.row_lower.copy(), program.row_upper.copy()
        self.deadline = deadline
        self._highs = load(program, _quiet(options))
        self.solves = 0

    def set_bounds(self, lower: Floats, upper: Floats) -> None:
        """New bounds (n,) for the next solves."""
        moved = np.flatnonzero((lower != self._lower) | (upper != self._upper)).astype(np.int32)
        if moved.size:
            self._highs.changeColsBounds(len(moved), moved, lower[moved], upper[moved])
            self._lower[moved], self._upper[moved] = lower[moved], upper[moved]

    def set_sides(self, lower: Floats, upper: Floats) -> None:
        """New sides (m,) of the rows for the next solves."""
        moved = np.flatnonzero((lower != self._row_lower) | (upper != self._row_upper)).astype(np.int32)
        if moved.size:
            for i in moved.tolist():
                self._highs.changeRowBounds(i, float(lower[i]), float(upper[i]))
            self._row_lower[moved], self._row_upper[moved] = lower[moved], upper[moved]

    def set_cost(self, cost: Floats) -> None:
        """New costs (n,) for the next solves."""
        moved = np.flatnonzero(cost != self._cost).astype(np.int32)
        if moved.size:
            self._highs.changeColsCost(len(moved), moved, cost[moved])
            self._cost[moved] = cost[moved]

    def solve(self) -> MilpAnswer:
        """Minimise. Raises SolverFailedError where HiGHS gives up."""
        if self.deadline is not None:
            left = self.deadline - time.perf_counter()
            if left <= 0:
                return MilpAnswer(Termination.LIMIT)
            # HiGHS's clock runs on from solve to solve.
            self._highs.setOptionValue("time_limit", self._highs.getRunTime() + left)
        self._highs.run()
        self.solves += 1
        status = self._highs.getModelStatus()
        termination = _STATUS.get(status.name)
        if termination is None:
            said = self._highs.modelStatusToString(status)
            raise SolverFailedError(f"HiGHS could not solve a follower's problem: {said}", help="rescale the model")
        return self._answer(termination)

    def out_of_time(self) -> bool:
        """Whether the deadline has passed."""
        return self.deadline is not None and time.perf_counter() >= self.deadline

    def _answer(self, termination: Termination) -> MilpAnswer:
        info: Any = self._highs.getInfo()
        x = None
        # 2 is kSolutionStatusFeasible.
        if termination in (Termination.OPTIMAL, Termination.LIMIT) and info.primal_solution_status == 2:
            x = np.array(self._highs.getSolution().col_value)
            whole = self.program.integer
            x[whole] = np.rint(x[whole])
        if termination is Termination.OPTIMAL and x is None:
            raise SolverFailedError("HiGHS calls a follower's problem solved and has no point", help="rescale the model")
        objective = np.inf if x is None else float(self._cost @ x)
        bound = float(info.mip_dual_bound) if self.program.integer.any() else objective
        return MilpAnswer(termination, x, objective, bound)


def _quiet(options: SolverOptions) -> SolverOptions:
    extra = {key: setting for key, setting in options.extra.items() if key != "start"}
    return replace(options, time_limit=None, gap=None, threads=1, verbose=False, extra=extra)
