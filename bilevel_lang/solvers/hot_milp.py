"""One MILP again and again with other bounds, sides or costs: one HiGHS instance, and only what differs is passed on.

Meant for followers inside a search, which are solved thousands of times for different decisions of the leader.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from bilevel_lang.errors import SolverFailedError
from bilevel_lang.solvers.highs_instance import termination_of
from bilevel_lang.solvers.kept_highs import KeptHighs
from bilevel_lang.solvers.matrix import MatrixProgram
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.solver import SolverOptions, Termination

WITHOUT_HEURISTICS: dict[str, object] = {
    "mip_heuristic_effort": 0.0,
    "mip_heuristic_run_feasibility_jump": False,
    "mip_heuristic_run_rins": False,
    "mip_heuristic_run_rens": False,
    "mip_heuristic_run_root_reduced_cost": False,
    "mip_detect_symmetry": False,
    "mip_allow_restart": False,
}
"""Programs of this size are solved at the root or a few nodes below; the feasibility jump alone took nine tenths of the time."""


@dataclass(frozen=True, slots=True)
class MilpAnswer:
    """What one solve said. ``x`` (n,) is OPTIMAL's point, or the best one known at LIMIT; integer columns are rounded.

    ``objective`` is computed from ``x``; ``bound`` is the proven bound; both of the minimisation.
    """

    termination: Termination
    x: Floats | None = None
    objective: float = np.inf
    bound: float = -np.inf


class HotMilp(KeptHighs):
    """A MILP (or LP) kept in HiGHS. ``program`` must be linear with ``sense`` +1.

    ``deadline`` is a reading of ``time.perf_counter``, after which every solve answers LIMIT.
    """

    def __init__(self, program: MatrixProgram, options: SolverOptions, deadline: float | None = None) -> None:
        super().__init__(program, options, deadline, {**WITHOUT_HEURISTICS, **options.extra})
        self.program = program

    def solve(self, start: Floats | None = None) -> MilpAnswer:
        """Minimise, from the feasible point ``start`` (n,) if there is one. Raises SolverFailedError where HiGHS gives up."""
        if not self._time_is_left():
            return MilpAnswer(Termination.LIMIT)
        if start is not None:
            self._highs.setSolution(len(start), np.arange(len(start), dtype=np.int32), start)
        self._highs.run()
        self.solves += 1
        termination = termination_of(self._highs)
        if termination is Termination.FAILED:
            raise self._gave_up("a follower's problem")
        return self._answer(termination)

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
