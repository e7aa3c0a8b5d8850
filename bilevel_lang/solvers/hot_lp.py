"""One set of linear rows and bounds, and objective after objective over it: HiGHS kept warm between the solves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bilevel_lang.solvers.highs import load
from bilevel_lang.solvers.matrix import Ints, MatrixProgram
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.solver import SolverOptions, Termination


@dataclass(frozen=True, slots=True)
class Extreme:
    """The largest value of an objective: OPTIMAL with a ``value``, UNBOUNDED, INFEASIBLE, or LIMIT (budget spent)."""

    termination: Termination
    value: float | None = None


class HotLp:
    """The linear relaxation of ``program``: integrality, quadratic rows, SOS1 sets and indicators are left out.

    ``iterations`` is the budget of simplex iterations for all solves together: the same on every machine, unlike seconds.
    Raises SolverMissingError.
    """

    def __init__(self, program: MatrixProgram, iterations: int) -> None:
        self._left = iterations
        # Presolve would throw away the basis that the next solve begins from.
        self._highs = load(relaxed(program), SolverOptions(threads=1, extra={"presolve": "off"}))
        self._used: Ints = np.zeros(0, dtype=np.int64)
        self.solves = 0

    def largest(self, columns: Ints, coefficients: Floats) -> Extreme:
        """max sum coefficients[k] z[columns[k]]."""
        if self._left <= 0:
            return Extreme(Termination.LIMIT)
        self._set_cost(columns, -coefficients)
        self._highs.setOptionValue("simplex_iteration_limit", self._left)
        self._highs.run()
        self.solves += 1
        info = self._highs.getInfo()
        # A solve without iterations costs a factorisation all the same.
        self._left -= max(1, info.simplex_iteration_count)
        status = self._highs.getModelStatus().name
        if status == "kOptimal":
            return Extreme(Termination.OPTIMAL, -float(info.objective_function_value))
        known = {"kInfeasible": Termination.INFEASIBLE, "kUnbounded": Termination.UNBOUNDED}
        return Extreme(known.get(status, Termination.LIMIT))

    def _set_cost(self, columns: Ints, cost: Floats) -> None:
        if self._used.size:
            self._highs.changeColsCost(len(self._used), self._used.astype(np.int32), np.zeros(len(self._used)))
        self._highs.changeColsCost(len(columns), columns.astype(np.int32), cost)
        self._used = columns


def relaxed(program: MatrixProgram) -> MatrixProgram:
    """The rows and bounds of ``program`` as an LP without an objective."""
    n = program.columns
    return MatrixProgram(
        lower=program.lower,
        upper=program.upper,
        integer=np.zeros(n, dtype=bool),
        cost=np.zeros(n),
        matrix=program.matrix,
        row_lower=program.row_lower,
        row_upper=program.row_upper,
    )
