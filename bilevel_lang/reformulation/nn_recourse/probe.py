"""One scenario's MILP at one decision, for so many seconds and no longer: what is attained by then, and what is proven."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from bilevel_lang.reformulation.stochastic.arrays import TwoStageArrays
from bilevel_lang.reformulation.stochastic.hot_recourse import HotRecourse
from bilevel_lang.reformulation.stochastic.stage_variants import without_limit
from bilevel_lang.solvers.hot_milp import HotMilp, MilpAnswer
from bilevel_lang.solvers.matrix import MatrixProgram
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.solver import SolverOptions, Termination

DIVING: dict[str, object] = {
    "mip_heuristic_effort": 0.05,
    "mip_heuristic_run_rens": True,
    "mip_heuristic_run_rins": True,
    "mip_pool_soft_limit": 100,
}
"""Of HiGHS: without neighbourhoods of the relaxation's answer, some second stages had no good point for seconds; and a hundred
cuts gave nearly the bound of thousands, which took most of the time."""


@dataclass(frozen=True, eq=False)
class Probed:
    """``value`` that ``y`` (n2,) attains, +inf without a point; ``bound`` proven, +inf of a scenario without an answer."""

    value: float
    bound: float
    y: Floats | None


class Probe:
    """Scenarios of ``arrays`` within a relative ``gap``. ``solves`` and ``seconds`` count. A deadline is a reading of
    ``time.perf_counter``."""

    def __init__(self, arrays: TwoStageArrays, gap: float, deadline: float | None = None) -> None:
        self.arrays, self.gap, self.deadline = arrays, gap, deadline
        self.solves, self.seconds = 0, 0.0
        self._hot = HotRecourse(arrays, False, SolverOptions(extra={"mip_rel_gap": gap, **DIVING}), None)

    def __call__(self, number: int, point: Floats, most: float = np.inf) -> Probed | None:
        """Scenario ``number`` (from 0) at ``point`` (n1,), for ``most`` seconds. None: the deadline has passed before.

        Raises RefusedError for a second stage without limit.
        """
        began = time.perf_counter()
        if self.deadline is not None and began >= self.deadline:
            return None
        until = min(np.inf if self.deadline is None else self.deadline, began + most)
        part = self.arrays.scenario(number)
        self._hot.deadline = None if until == np.inf else until
        answer = self._hot.solve(number, part, part.technology @ point)
        assert isinstance(answer, MilpAnswer)
        self.seconds += time.perf_counter() - began
        return self._probed(answer, number, part.constant)

    def least(self, number: int, point: Floats, most: float = np.inf) -> float | None:
        """Proven of scenario ``number`` (from 0) at ``point`` (n1,) by patterns: many times quicker than a call, and mostly near
        what it would give. -inf where the scenario is not of knapsacks. None: the deadline has passed before."""
        began = time.perf_counter()
        if self.deadline is not None and began >= self.deadline:
            return None
        until = min(np.inf if self.deadline is None else self.deadline, began + most)
        part = self.arrays.scenario(number)
        self._hot.deadline = None if until == np.inf else until
        return self.arrays.sense * part.constant + self._hot.least(number, part, part.technology @ point)

    def any_answer(self, number: int, point: Floats) -> Probed:
        """The first answer of scenario ``number`` (from 0) at ``point`` (n1,) that HiGHS finds, good or bad, at any time.

        Raises RefusedError as a call does.
        """
        part = self.arrays.scenario(number)
        shift, cost = part.technology @ point, self.arrays.sense * part.cost
        program = MatrixProgram(
            part.lower,
            part.upper,
            self.arrays.integer,
            cost,
            sp.csr_matrix(part.recourse),
            part.row_lower - shift,
            part.row_upper - shift,
        )
        answer = HotMilp(program, SolverOptions(extra={**DIVING, "mip_max_improving_sols": 1})).solve()
        return self._probed(answer, number, part.constant)

    def _probed(self, answer: MilpAnswer, number: int, cost: float) -> Probed:
        self.solves += 1
        if answer.termination is Termination.INTERRUPTED:
            raise KeyboardInterrupt
        if answer.termination is Termination.UNBOUNDED:
            raise without_limit(number)
        if answer.termination in (Termination.INFEASIBLE, Termination.INFEASIBLE_OR_UNBOUNDED):
            return Probed(np.inf, np.inf, None)
        constant = cost * self.arrays.sense
        return Probed(constant + answer.objective, constant + answer.bound, answer.x)
