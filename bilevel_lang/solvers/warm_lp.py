"""One LP again and again with other bounds or other costs: HiGHS's simplex goes on from its last basis.

Meant for trees, cuts and bounds of our own, where a solve takes a few pivots; a whole run of an adapter costs many times that.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from bilevel_lang.errors import SolverFailedError
from bilevel_lang.solvers.highs_instance import load
from bilevel_lang.solvers.matrix import Ints, MatrixProgram
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.solver import SolverOptions, Termination

_STATUS = {
    "kOptimal": Termination.OPTIMAL,
    "kInfeasible": Termination.INFEASIBLE,
    "kUnbounded": Termination.UNBOUNDED,
    "kUnboundedOrInfeasible": Termination.INFEASIBLE_OR_UNBOUNDED,
    "kTimeLimit": Termination.LIMIT,
    "kIterationLimit": Termination.LIMIT,
    "kInterrupt": Termination.INTERRUPTED,
}

_DUAL_SIMPLEX, _PRIMAL_SIMPLEX = 1, 4
"""HiGHS's numbers for ``simplex_strategy``."""


@dataclass(frozen=True, slots=True)
class LpAnswer:
    """What one solve said. ``x`` (n,) and ``row_duals`` (m,) only where it is OPTIMAL.

    ``objective`` is that of the minimisation; ``row_duals[i]`` is d(objective)/d(side of row i), so that
    ``cost - matrix' row_duals`` are the reduced costs: >= 0 at lower bounds, <= 0 at upper ones.
    """

    termination: Termination
    objective: float = np.inf
    x: Floats | None = None
    row_duals: Floats | None = None


@dataclass(frozen=True, slots=True)
class Extreme:
    """The largest value of an objective: OPTIMAL with a ``value``, otherwise why there is none."""

    termination: Termination
    value: float | None = None


class WarmLp:
    """An LP that remembers its basis. ``primal``: the costs will change and the bounds will not, so go on by primal simplex.

    ``program`` must be linear and continuous with ``sense`` +1. ``deadline`` is a reading of ``time.perf_counter``; ``budget``
    are simplex iterations for all solves together: the same on every machine, unlike seconds. What is over either is LIMIT.
    """

    def __init__(
        self,
        program: MatrixProgram,
        options: SolverOptions,
        primal: bool,
        deadline: float | None = None,
        budget: int | None = None,
    ) -> None:
        assert program.sense == 1 and program.quadratic is None and not program.integer.any()
        self._lower, self._upper, self._cost = program.lower.copy(), program.upper.copy(), program.cost.copy()
        self._deadline = deadline
        self._budget = budget
        self._primal = primal
        self._highs = load(program, _quiet(options, primal))
        self.solves = 0
        self.iterations = 0

    def set_bounds(self, lower: Floats, upper: Floats) -> None:
        """New bounds (n,) for the next solves."""
        moved = np.flatnonzero((lower != self._lower) | (upper != self._upper)).astype(np.int32)
        if moved.size:
            self._highs.changeColsBounds(len(moved), moved, lower[moved], upper[moved])
            self._lower[moved], self._upper[moved] = lower[moved], upper[moved]

    def set_cost(self, cost: Floats) -> None:
        """New costs (n,) for the next solves."""
        moved = np.flatnonzero(cost != self._cost).astype(np.int32)
        if moved.size:
            self._highs.changeColsCost(len(moved), moved, cost[moved])
            self._cost[moved] = cost[moved]

    def largest(self, columns: Ints, coefficients: Floats) -> Extreme:
        """max sum coefficients[k] z[columns[k]]; LIMIT also where HiGHS does not know. The cost is another one afterwards."""
        cost = np.zeros(len(self._cost))
        cost[columns] = -coefficients
        self.set_cost(cost)
        if not self._may_go_on():
            return Extreme(Termination.LIMIT)
        termination = self._go() or Termination.LIMIT
        return Extreme(termination, -self._objective() if termination is Termination.OPTIMAL else None)

    def solve(self) -> LpAnswer:
        """Minimise. Raises SolverFailedError where HiGHS gives up even from scratch."""
        if not self._may_go_on():
            return LpAnswer(Termination.LIMIT)
        answer = self._run() or self._from_nothing()
        if answer is None:
            status = self._highs.modelStatusToString(self._highs.getModelStatus())
            raise SolverFailedError(f"HiGHS could not solve a linear relaxation: {status}", help="rescale the model")
        return answer

    def _from_nothing(self) -> LpAnswer | None:
        """Another chance where HiGHS does not know: infeasible LPs are seen that one simplex refutes and the other does not."""
        own = _PRIMAL_SIMPLEX if self._primal else _DUAL_SIMPLEX
        answer = None
        for strategy in (_DUAL_SIMPLEX + _PRIMAL_SIMPLEX - own, own):
            self._highs.setOptionValue("simplex_strategy", strategy)
            self._highs.clearSolver()
            answer = answer or self._run()
        return answer

    def _may_go_on(self) -> bool:
        """Tell HiGHS how much time and how many iterations are left; False where nothing is."""
        if self._deadline is not None:
            left = self._deadline - time.perf_counter()
            if left <= 0:
                return False
            # HiGHS's clock runs on from solve to solve.
            self._highs.setOptionValue("time_limit", self._highs.getRunTime() + left)
        if self._budget is not None:
            if self._budget <= 0:
                return False
            self._highs.setOptionValue("simplex_iteration_limit", self._budget)
        return True

    def _run(self) -> LpAnswer | None:
        termination = self._go()
        if termination is None or termination is not Termination.OPTIMAL:
            return None if termination is None else LpAnswer(termination)
        solution = self._highs.getSolution()
        return LpAnswer(termination, self._objective(), np.array(solution.col_value), np.array(solution.row_dual))

    def _go(self) -> Termination | None:
        """One run of HiGHS; None where it does not know."""
        self._highs.run()
        self.solves += 1
        info: Any = self._highs.getInfo()
        iterations = max(0, info.simplex_iteration_count)
        self.iterations += iterations
        if self._budget is not None:
            # A solve without iterations costs a factorisation all the same.
            self._budget -= max(1, iterations)
        return _STATUS.get(self._highs.getModelStatus().name)

    def _objective(self) -> float:
        return float(self._highs.getInfo().objective_function_value)


def warm_relaxation(program: MatrixProgram, budget: int) -> WarmLp:
    """The rows and bounds of ``program``, to ask for the :meth:`~WarmLp.largest` value of one objective after the other.

    Its own objective, integrality, quadratic rows, SOS1 sets and indicators are left out. Raises SolverMissingError.
    """
    n = program.columns
    relaxed = MatrixProgram(
        lower=program.lower,
        upper=program.upper,
        integer=np.zeros(n, dtype=bool),
        cost=np.zeros(n),
        matrix=program.matrix,
        row_lower=program.row_lower,
        row_upper=program.row_upper,
    )
    return WarmLp(relaxed, SolverOptions(), primal=False, budget=budget)


def _quiet(options: SolverOptions, primal: bool) -> SolverOptions:
    """Options for thousands of small solves: no log, one thread, no presolve (it would throw the basis away)."""
    extra = {key: setting for key, setting in options.extra.items() if key != "start"}
    extra["presolve"] = "off"
    extra["simplex_strategy"] = _PRIMAL_SIMPLEX if primal else _DUAL_SIMPLEX
    return replace(options, time_limit=None, gap=None, threads=1, verbose=False, extra=extra)
