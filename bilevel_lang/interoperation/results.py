"""A :class:`BilevelSolution` as Pyomo's ``Results`` (``pyomo.contrib.solver``) and its solution loader.

Only an answer whose agents are all verified counts as feasible, and only one whose leader is proven as well as optimal.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pyomo.common.collections import ComponentMap
from pyomo.contrib.solver.common.results import Results, SolutionStatus, TerminationCondition
from pyomo.contrib.solver.common.solution_loader import SolutionLoader
from pyomo.contrib.solver.common.util import NoDualsError, NoReducedCostsError, NoSolutionError
from pyomo.core.base.objective import minimize

from bilevel_lang.handover import to_problem
from bilevel_lang.model_values import reduced_costs_at, row_multipliers
from bilevel_lang.problem import BilevelProblem
from bilevel_lang.solution import BilevelSolution, Point, Status
from bilevel_lang.solvers.solver import Termination

_CONVERGED = (Termination.OPTIMAL.value, Termination.LOCALLY_OPTIMAL.value)

_BY_STATUS = {
    Status.OPTIMAL: TerminationCondition.convergenceCriteriaSatisfied,
    Status.INFEASIBLE: TerminationCondition.provenInfeasible,
    Status.UNBOUNDED: TerminationCondition.unbounded,
    Status.INTERRUPTED: TerminationCondition.interrupted,
    Status.ERROR: TerminationCondition.error,
    Status.VERIFICATION_FAILED: TerminationCondition.unknown,
}

_BY_TERMINATION = {
    Termination.INFEASIBLE.value: TerminationCondition.locallyInfeasible,
    Termination.LOCALLY_INFEASIBLE.value: TerminationCondition.locallyInfeasible,
    Termination.INFEASIBLE_OR_UNBOUNDED.value: TerminationCondition.infeasibleOrUnbounded,
}
"""Of status ``unknown``: what the solver said of the rewritten model, which proves nothing about the problem itself."""


def results_of(problem: BilevelProblem, solution: BilevelSolution, time_limited: bool) -> Results:
    """The answer in Pyomo's terms; ``time_limited``: whether a limit that stopped the solver was one of time.

    ``objective_bound`` is infinite where none is proven. ``extra_info`` has our own terms, and the solution itself.
    """
    results = Results()
    results.solution_loader = PointLoader(problem, solution)
    results.termination_condition = _termination(solution, time_limited)
    results.solution_status = _solution_status(solution)
    if results.solution_status in (SolutionStatus.feasible, SolutionStatus.optimal):
        results.incumbent_objective = solution.objective
    results.objective_bound = _bound(problem, solution)
    for stage, seconds in solution.seconds.items():
        results.timing_info[stage] = seconds
    for name, told in _extra(solution).items():
        results.extra_info[name] = told
    return results


def _termination(solution: BilevelSolution, time_limited: bool) -> TerminationCondition:
    if solution.status is Status.FEASIBLE:
        converged = solution.termination in _CONVERGED
        return TerminationCondition.convergenceCriteriaSatisfied if converged else TerminationCondition.unknown
    if solution.status is Status.LIMIT:
        return TerminationCondition.maxTimeLimit if time_limited else TerminationCondition.iterationLimit
    if solution.status is Status.UNKNOWN:
        return _BY_TERMINATION.get(solution.termination, TerminationCondition.unknown)
    return _BY_STATUS[solution.status]


def _solution_status(solution: BilevelSolution) -> SolutionStatus:
    if solution.point is None:
        return SolutionStatus.noSolution
    if solution.status is Status.OPTIMAL:
        return SolutionStatus.optimal
    return SolutionStatus.feasible if solution.verified else SolutionStatus.unknown


def _bound(problem: BilevelProblem, solution: BilevelSolution) -> float | None:
    if problem.leader.objective is None:
        return None
    if solution.bound is not None:
        return solution.bound
    return -float("inf") if problem.leader.objective.sense == minimize else float("inf")


def _extra(solution: BilevelSolution) -> dict[str, Any]:
    return {
        "status": solution.status.value,
        "verified": solution.verified,
        "exactness": solution.exactness.value if solution.exactness is not None else None,
        "method": solution.method,
        "encoding": solution.encoding,
        "solver": solution.solver,
        "messages": list(solution.messages),
        "bilevel_solution": solution,
    }


class PointLoader(SolutionLoader):  # type: ignore[misc]
    """Hands out the values of the modeller's variables, multipliers of agents' rows, reduced costs of agents' variables."""

    def __init__(self, problem: BilevelProblem, solution: BilevelSolution) -> None:
        softening = problem.softening
        self._pyomo_model = problem.model if softening is None else softening.original  # the name that the base class knows
        self._originals = ComponentMap() if softening is None else softening.components
        self.problem = problem
        self.solution = solution

    def get_number_of_solutions(self) -> int:
        """1 or 0; an answer that failed verification can be had by asking for it, but is not loaded by ``solve``."""
        return 0 if self.solution.point is None else 1

    def get_vars(self, vars_to_load: Sequence[Any] | None = None) -> ComponentMap:
        """Values of the unfixed variables that took part. Raises NoSolutionError."""
        point = self._point()
        values = ComponentMap((v, self.solution.variables[v.name]) for v in point.values if not v.fixed)
        return _only(vars_to_load, values, NoSolutionError, "no value")

    def get_duals(self, cons_to_load: Sequence[Any] | None = None) -> ComponentMap:
        """d(optimal value of the agent)/d(right-hand side) of agents' rows. Raises NoSolutionError, NoDualsError."""
        duals = ComponentMap((row, value + 0.0) for row, value in row_multipliers(self._point()))
        return _only(cons_to_load, duals, NoDualsError, "no multiplier: it is no row of an agent, or of several")

    def get_reduced_costs(self, vars_to_load: Sequence[Any] | None = None) -> ComponentMap:
        """d(optimal value of the agent)/d(active bound) of its variables. Raises NoSolutionError, NoReducedCostsError."""
        found = reduced_costs_at(self.problem, to_problem(self.problem, self._point()))
        if self._originals:  # the slacks of soft rows are nobody's variables
            found = [(self._originals[v], cost) for v, cost in found if v in self._originals]
        costs = ComponentMap((v, cost + 0.0) for v, cost in found)
        return _only(vars_to_load, costs, NoReducedCostsError, "no reduced cost: no agent owns it")

    def _point(self) -> Point:
        if self.solution.point is None:
            raise NoSolutionError(f"there is no point: the status is {self.solution.status.value}")
        return self.solution.point


def _only(wanted: Sequence[Any] | None, known: ComponentMap, error: type[Exception], fact: str) -> ComponentMap:
    if wanted is None:
        return known
    for component in wanted:
        if component not in known:
            raise error(f"`{component.name}` has {fact}")
    return ComponentMap((component, known[component]) for component in wanted)
