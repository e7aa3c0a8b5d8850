"""One LP again and again with other bounds or other costs: HiGHS's simplex goes on from its last basis.

Meant for trees, cuts and bounds of our own, where a solve takes a few pivots; a whole run of an adapter costs many times that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from bilevel_lang.solvers.highs_instance import termination_of
from bilevel_lang.solvers.kept_highs import KeptHighs
from bilevel_lang.solvers.matrix import Ints, MatrixProgram
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.solver import SolverOptions, Termination

_DUAL, _PRIMAL = 1, 4
"""HiGHS's numbers for ``simplex_strategy``."""

LARGE = 2000
"""Columns from which on presolve is worth its while: of 6,000 it left nothing to do where the simplex alone took 5 s."""


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


class WarmLp(KeptHighs):
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
        assert not program.integer.any()
        # Presolve would throw the basis away.
        super().__init__(program, options, deadline, {"presolve": "off", "simplex_strategy": _PRIMAL if primal else _DUAL})
        self._budget = budget
        self._primal = primal
        self.iterations = 0

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
            raise self._gave_up("a linear relaxation")
        return answer

    def resting(self) -> tuple[Ints, Ints]:
        """(n,), (m,): where the last basis holds columns and rows: -1 at the lower side, 1 at the upper, 0 where it does not.

        A free column that is not in the basis, which rests at 0, is -1.
        """
        basis = self._highs.getBasis()
        return _sides(basis.col_status), _sides(basis.row_status)

    def solve_first(self) -> LpAnswer:
        """:meth:`solve` where nothing has been solved yet: a large program is presolved, as there is no basis to lose.

        Raises SolverFailedError where HiGHS gives up even from scratch.
        """
        if len(self._cost) < LARGE or not self._may_go_on():
            return self.solve()
        self._highs.setOptionValue("presolve", "on")
        answer = self._run()
        self._highs.setOptionValue("presolve", "off")
        return answer if answer is not None and answer.termination is Termination.OPTIMAL else self.solve()

    def _from_nothing(self) -> LpAnswer | None:
        """Another chance where HiGHS does not know: infeasible LPs are seen that one simplex refutes and the other does not."""
        own = _PRIMAL if self._primal else _DUAL
        answer = None
        for strategy in (_DUAL + _PRIMAL - own, own):
            self._highs.setOptionValue("simplex_strategy", strategy)
            self._highs.clearSolver()
            answer = answer or self._run()
        return answer

    def _may_go_on(self) -> bool:
        """Tell HiGHS how much time and how many iterations are left; False where nothing is."""
        if not self._time_is_left():
            return False
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
        termination = termination_of(self._highs)
        return None if termination is Termination.FAILED else termination

    def _objective(self) -> float:
        return float(self._highs.getInfo().objective_function_value)


def _sides(statuses: Any) -> Ints:
    """kLower 0, kBasic 1, kUpper 2, kZero 3, kNonbasic 4 of HiGHS."""
    number = np.array([int(status) for status in statuses], dtype=np.int64)
    return np.where(number == 1, 0, np.where(number == 2, 1, -1))


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
