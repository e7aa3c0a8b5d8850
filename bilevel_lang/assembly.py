"""The last stage: from what the solver said and what was measured to one answer with one status."""

from __future__ import annotations

import math
import time
from typing import Any

import pyomo.environ as pyo

from bilevel_lang.oracle.agent_model import number_at
from bilevel_lang.problem import BilevelProblem, Structure
from bilevel_lang.reformulation.rewrite import Reformulation
from bilevel_lang.solution import BilevelSolution, Certificate, Exactness, Point, Status
from bilevel_lang.solvers.solver import SolverRun, Termination

STAGES = ("parse", "resolve", "reformulate", "solve", "verify")


class Clock:
    """Seconds a stage took, from tick to tick; a stage that was never ticked took none."""

    def __init__(self) -> None:
        self._last = time.perf_counter()
        self._seconds = dict.fromkeys(STAGES, 0.0)

    def tick(self, stage: str) -> None:
        """The time since the last tick was spent on ``stage``."""
        now = time.perf_counter()
        self._seconds[stage] += now - self._last
        self._last = now

    def skip(self) -> None:
        """The time since the last tick was spent on something that is not ours (the modeller's own file)."""
        self._last = time.perf_counter()

    @property
    def seconds(self) -> dict[str, float]:
        """Stage -> seconds, and their total."""
        return {**self._seconds, "total": sum(self._seconds.values())}


WITHOUT_POINT = {
    Termination.INFEASIBLE: Status.INFEASIBLE,
    Termination.UNBOUNDED: Status.UNBOUNDED,
    Termination.LIMIT: Status.LIMIT,
    Termination.INTERRUPTED: Status.INTERRUPTED,
    Termination.FAILED: Status.ERROR,
}


def assemble(
    problem: BilevelProblem,
    reformulation: Reformulation,
    run: SolverRun,
    point: Point | None,
    certificate: Certificate | None,
    path: tuple[str, ...],
    seconds: dict[str, float],
) -> BilevelSolution:
    """Put the answer together."""
    exactness = _exactness(problem, reformulation, run, certificate)
    objective = _objective(problem, point)
    bound = _bound(reformulation, run, exactness, objective)
    status = _status(reformulation, run, certificate, exactness)
    return BilevelSolution(
        status=status,
        termination=run.termination.value,
        exactness=exactness if point else None,
        objective=objective,
        bound=bound,
        gap=_gap(objective, bound) if status is not Status.VERIFICATION_FAILED else None,
        method=reformulation.method,
        encoding=reformulation.encoding,
        solver=run.solver,
        variables=_variables(problem, point),
        duals=_duals(point),
        certificate=certificate,
        summary=dict(problem.summary),
        seconds=seconds,
        messages=_messages(problem, reformulation, run, certificate, status, exactness),
        why=path + reformulation.why,
        point=point,
        has_leader=problem.structure is not Structure.EQUILIBRIUM,
    )


def _exactness(
    problem: BilevelProblem, reformulation: Reformulation, run: SolverRun, certificate: Certificate | None
) -> Exactness:
    """What can be promised now that the answer is known.

    A relaxation whose optimum passes verification is optimal; without a leader every verified point is a full answer.
    """
    promised = reformulation.exactness
    verified = certificate is not None and certificate.verified
    if problem.structure is Structure.EQUILIBRIUM and verified:
        return Exactness.EXACT
    if run.termination is Termination.LOCALLY_OPTIMAL and promised is not Exactness.APPROXIMATION:
        return Exactness.STATIONARY
    if promised is Exactness.RELAXATION and verified:
        return Exactness.EXACT
    return promised


def _status(reformulation: Reformulation, run: SolverRun, certificate: Certificate | None, exactness: Exactness) -> Status:
    if certificate is None:
        return _status_without_point(reformulation, run)
    if run.termination is Termination.INTERRUPTED:
        return Status.INTERRUPTED
    if not certificate.verified:
        return Status.VERIFICATION_FAILED
    if run.termination is Termination.LIMIT:
        return Status.LIMIT
    if exactness is Exactness.EXACT and (run.termination is Termination.OPTIMAL or _leaderless(reformulation.problem)):
        return Status.OPTIMAL
    return Status.FEASIBLE


def _leaderless(problem: BilevelProblem) -> bool:
    return problem.structure is Structure.EQUILIBRIUM


def _status_without_point(reformulation: Reformulation, run: SolverRun) -> Status:
    """A proof of infeasibility carries over only if no solution of the original problem was lost in the rewrite."""
    status = WITHOUT_POINT.get(run.termination, Status.UNKNOWN)
    keeps_all = reformulation.exactness in (Exactness.EXACT, Exactness.RELAXATION)
    if status is Status.INFEASIBLE and not keeps_all:
        return Status.UNKNOWN
    if status is Status.UNBOUNDED and reformulation.exactness is not Exactness.EXACT:
        return Status.UNKNOWN
    return status


def _objective(problem: BilevelProblem, point: Point | None) -> float | None:
    """The leader's objective at the point; without a leader that of the only optimising agent, if there is just one."""
    if point is None:
        return None
    if problem.leader.objective is not None:
        return _finite(number_at(problem.leader.objective.expr, point.values))
    optimisers = [a for a in problem.agents if a.objective is not None]
    if len(optimisers) == 1 and optimisers[0].objective is not None:
        return _finite(number_at(optimisers[0].objective.expression, point.values))
    return None


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _bound(reformulation: Reformulation, run: SolverRun, exactness: Exactness, objective: float | None) -> float | None:
    """The proven bound on the leader's optimum, where the method gives one: no solution may have been lost in the rewrite."""
    if reformulation.problem.leader.objective is None:
        return objective if exactness is Exactness.EXACT else None
    if reformulation.exactness not in (Exactness.EXACT, Exactness.RELAXATION) or run.bound is None:
        return None
    return _finite(run.bound)


def _gap(objective: float | None, bound: float | None) -> float | None:
    if objective is None or bound is None:
        return None
    return abs(objective - bound) / max(1.0, abs(objective))


def _variables(problem: BilevelProblem, point: Point | None) -> dict[str, float]:
    if point is None:
        return {}
    values = {}
    for variable in problem.model.component_data_objects(pyo.Var):
        if variable in point.values:
            values[variable.name] = _tidy(variable, float(point.values[variable]))
        elif variable.fixed and variable.value is not None:
            values[variable.name] = float(variable.value)
    return values


def _tidy(variable: Any, value: float) -> float:
    """Integers as integers (they were checked to be near one), and no -0.0."""
    if not variable.is_continuous() and abs(value - round(value)) < 1e-5:
        value = float(round(value))
    return value + 0.0


def _duals(point: Point | None) -> dict[str, float]:
    return {} if point is None else {name: value + 0.0 for name, value, _ in point.multipliers}


def _messages(
    problem: BilevelProblem,
    reformulation: Reformulation,
    run: SolverRun,
    certificate: Certificate | None,
    status: Status,
    exactness: Exactness,
) -> tuple[str, ...]:
    said = [_remark(d) for d in problem.notices if d.severity == "warning"]
    said += reformulation.warnings
    if reformulation.review is not None:
        said += reformulation.review(run)
    if certificate is not None:
        said += [f"not verified: {remark}" for remark in certificate.remarks]
    said += _explain_status(reformulation, run, status, exactness)
    return tuple(said)


def _remark(diagnostic: Any) -> str:
    place = f"{diagnostic.place}: " if diagnostic.place else ""
    return f"{place}{diagnostic.severity}[{diagnostic.code}]: {diagnostic.message}"


def _explain_status(reformulation: Reformulation, run: SolverRun, status: Status, exactness: Exactness) -> list[str]:
    if status is Status.FEASIBLE:
        return [f"every agent's optimality is verified; optimality of the leader is not proved ({exactness.value})"]
    if status is Status.UNKNOWN:
        said = f"the solver says {run.termination.value}, which proves nothing about the original problem here"
        return [f"{said}. {run.message}" if run.message else said]
    if status in (Status.ERROR, Status.LIMIT, Status.INTERRUPTED) and run.message:
        return [run.message]
    return []


def write_back(problem: BilevelProblem, solution: BilevelSolution) -> None:
    """Write the answer into the modeller's variables, and into ``dual`` suffixes that can take it."""
    if solution.point is None:
        return
    for variable, value in solution.point.values.items():
        if not variable.fixed:
            variable.set_value(_tidy(variable, float(value)), skip_validation=True)
    for suffix in problem.model.component_objects(pyo.Suffix, active=True):
        if suffix.local_name == "dual" and suffix.import_enabled():
            for _, value, component in solution.point.multipliers:
                if component.ctype is pyo.Constraint:
                    suffix[component] = value
