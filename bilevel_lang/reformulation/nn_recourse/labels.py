"""What the second stage costs at many first-stage decisions: one solver instance that goes from basis to basis.

Everything is a minimisation here, and the first stage's own costs are left out. Scenario after scenario, and all decisions
within one: then only the sides of rows change from solve to solve. A row T x + W y of a linear second stage gives its cost the
subgradient -T' pi with the multipliers pi (Birge and Louveaux 2011, section 5.1).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp

from bilevel_lang.errors import RefusedError
from bilevel_lang.reformulation.stochastic.arrays import Recourse, TwoStageArrays
from bilevel_lang.solvers.hot_lp import HotLp
from bilevel_lang.solvers.hot_milp import HotMilp, MilpAnswer
from bilevel_lang.solvers.matrix import MatrixProgram
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.solver import SolverOptions, Termination
from bilevel_lang.solvers.warm_lp import LpAnswer


@dataclass(frozen=True, eq=False)
class Costs:
    """At k decisions: ``values`` and proven lower ``bounds`` (k, S) of every scenario's cost, +inf where it has no answer.

    ``slopes`` (k, S, n1) are subgradients of a linear second stage, NaN where the value is not finite; None for an integer one.
    """

    values: Floats
    bounds: Floats
    slopes: Floats | None


class SecondStage:
    """The scenarios of ``arrays``, to be solved at many decisions; ``relaxed`` forgets that columns are whole.

    ``gap``: of MILPs, relative; None: HiGHS's tolerances. ``solves`` counts. A deadline is a reading of ``time.perf_counter``.
    """

    def __init__(self, arrays: TwoStageArrays, relaxed: bool, deadline: float | None = None, gap: float | None = None) -> None:
        assert not arrays.couplings, "the scenarios are not apart from each other"
        self.arrays, self.deadline = arrays, deadline
        self.linear = relaxed or not arrays.integer.any()
        self.solves = 0
        self._options = SolverOptions(extra={} if gap is None else {"mip_rel_gap": gap})
        self._hot: HotLp | HotMilp | None = None

    def costs(self, points: Floats) -> Costs | None:
        """At ``points`` (k, n1); None where the deadline passed before. Raises RefusedError for a second stage without limit."""
        k, count = len(points), self.arrays.scenarios
        values, bounds = np.full((k, count), np.inf), np.full((k, count), np.inf)
        slopes = np.full((k, count, points.shape[1]), np.nan) if self.linear else None
        for number in range(count):
            part = self.arrays.scenario(number)
            shifts = (part.technology @ points.T).T
            for at in range(k):
                answer = self._solve(part, shifts[at])
                if answer.termination is Termination.LIMIT:
                    return None
                if not self._has_answer(answer, number):
                    continue
                values[at, number] = part.constant * self.arrays.sense + answer.objective
                bounds[at, number] = values[at, number]
                if isinstance(answer, MilpAnswer):
                    bounds[at, number] = part.constant * self.arrays.sense + answer.bound
                elif slopes is not None:
                    slopes[at, number] = -(part.technology.T @ answer.row_duals)
        return Costs(values, bounds, slopes)

    def _solve(self, part: Recourse, shift: Floats) -> LpAnswer | MilpAnswer:
        self.solves += 1
        low, up = part.row_lower - shift, part.row_upper - shift
        cost = self.arrays.sense * part.cost
        fresh = self._hot is None or (isinstance(self._hot, HotMilp) and "recourse" in self.arrays.varying)
        if fresh:
            matrix = sp.csr_matrix(part.recourse)
            whole = np.zeros(len(cost), dtype=bool) if self.linear else self.arrays.integer
            program = MatrixProgram(part.lower, part.upper, whole, cost, matrix, low, up)
            kind = HotLp if self.linear else HotMilp
            self._hot = kind(program, self._options, deadline=self.deadline)
        hot = self._hot
        assert hot is not None
        if not fresh:
            hot.set_bounds(part.lower, part.upper)
            hot.set_cost(cost)
            hot.set_sides(low, up)
            if isinstance(hot, HotLp) and (found := self.arrays.varying.get("recourse")) is not None:
                hot.set_entries(found.places, part.recourse.data[found.places])
        return hot.solve()

    @staticmethod
    def _has_answer(answer: LpAnswer | MilpAnswer, number: int) -> bool:
        if answer.termination is Termination.UNBOUNDED:
            raise RefusedError(
                f"the second stage costs less and less without end in scenario {number + 1}",
                help="give its variables bounds, or look for a cost of the wrong sign",
            )
        return answer.termination is Termination.OPTIMAL


def elastic(arrays: TwoStageArrays) -> TwoStageArrays:
    """By how much the rows of the second stage have to be violated in sum: its cost is 0 where a scenario has an answer."""
    rows, columns = arrays.recourse.shape
    entries = np.arange(rows)
    slack = sp.csr_matrix((np.ones(rows), (entries, entries)), shape=(rows, rows))
    matrix = sp.csr_matrix(sp.hstack([arrays.recourse, slack, -slack]))
    varying = {name: v for name, v in arrays.varying.items() if name not in ("cost", "constant", "first_cost")}
    if (found := varying.get("recourse")) is not None:
        # Two more entries stand at the end of every row before.
        row = np.searchsorted(arrays.recourse.indptr, found.places, side="right") - 1
        varying["recourse"] = replace(found, places=found.places + 2 * row)
    return replace(
        arrays,
        first=replace(arrays.first, sense=1),
        lower=np.concatenate([arrays.lower, np.zeros(2 * rows)]),
        upper=np.concatenate([arrays.upper, np.full(2 * rows, np.inf)]),
        integer=np.zeros(columns + 2 * rows, dtype=bool),
        cost=np.concatenate([np.zeros(columns), np.ones(2 * rows)]),
        constant=0.0,
        recourse=matrix,
        varying=varying,
    )
