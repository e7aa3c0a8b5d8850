"""The last stage: from what the solver said and what was measured to one answer with one status."""

from __future__ import annotations

import math
import time
from collections import Counter
from dataclasses import replace
from typing import Any

import pyomo.environ as pyo
from pyomo.common.collections import ComponentMap, ComponentSet
from pyomo.core.expr.visitor import identify_variables

from bilevel_lang.analysis.findings import Findings
from bilevel_lang.oracle.agent_model import number_at
from bilevel_lang.oracle.magnitude import magnitude
from bilevel_lang.oracle.multipliers import reduced_costs
from bilevel_lang.problem import BilevelProblem, Structure
from bilevel_lang.reformulation.rewrite import Reformulation
from bilevel_lang.solution import BilevelSolution, Certificate, Exactness, Point, SearchCounts, Status
from bilevel_lang.solvers.solver import SolverRun, Termination
from bilevel_lang.verification import complete_values

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


NOTHING_LOST = (Exactness.EXACT, Exactness.RELAXATION)
"""Rewrites that keep every solution of the problem: what is proven about them holds for it."""

CLOSED = 1e-6
"""A proven bound this near (relative) is reached: ten times the feasibility tolerance that SCIP has for curved models."""

CLOSED_ABSOLUTE = 1e-7
"""The same for objectives near 0: that tolerance itself."""

MEASURED = 1e-4
"""Relative gap up to which a run that claims an optimum is believed to have one, where no gap was asked for: what its tolerances
on rows may do to an objective that is computed anew. The answer has the figure."""

CONTRADICTION = 1e-5
"""A point better than the bound by more than this (relative to max(1, |objective|)) says that the bound is wrong."""

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
    findings: Findings | None = None,
    asked: float | None = None,
) -> BilevelSolution:
    """Put the answer together; where ``findings`` are given, their certificate is the one that counts.

    ``asked`` is the relative gap at which the solver was allowed to stop, None for none.
    """
    certificate = findings.certificate if findings is not None else certificate
    promised = reformulation.exactness
    objective = _objective(problem, point)
    bound = _bound(problem, promised, run)
    contradicted = _contradicted(problem, objective, bound)
    if contradicted:
        bound = None
    exactness = _exactness(problem, promised, run, certificate, point, objective, bound, asked or 0.0)
    status = _status(problem, promised, run, certificate, exactness, contradicted)
    return BilevelSolution(
        status=status,
        termination=run.termination.value,
        exactness=exactness if point else None,
        objective=objective,
        bound=bound,
        gap=_gap(objective, bound) if status is not Status.VERIFICATION_FAILED else None,
        method=reformulation.method,
        encoding=run.encoding or reformulation.encoding,
        solver=run.solver,
        variables=_variables(problem, point),
        duals=_duals(point),
        certificate=certificate,
        summary=dict(problem.summary),
        seconds=seconds,
        messages=_messages(problem, reformulation, run, certificate, status, exactness, contradicted)
        + (tuple(findings.messages(objective)) if findings is not None else ()),
        why=path + reformulation.why,
        point=point,
        has_leader=problem.structure is not Structure.EQUILIBRIUM,
        approximate_objective=run.approximate_objective,
        surrogate=run.surrogate,
        search=_search(run),
        **_found(findings),
    )


def _search(run: SolverRun) -> SearchCounts | None:
    counts = SearchCounts(run.nodes, run.cuts, run.follower_solves)
    return None if counts == SearchCounts() else counts


def better_of(first: BilevelSolution, second: BilevelSolution) -> BilevelSolution:
    """The answer to give of two methods, the first of which did not prove its own.

    A proof counts most, then a verified point, then the leader's objective; the path of both is told. A proof that nothing is
    feasible does not stand against a verified point.
    """
    proven = second.status is Status.OPTIMAL or (second.status is Status.INFEASIBLE and not first.verified)
    if proven or not first.verified or _is_nearer(first, second):
        return second
    said = f"{second.method} went on and found nothing better ({second.termination})"
    return replace(first, why=second.why, seconds=second.seconds, messages=(*first.messages, said))


def _is_nearer(first: BilevelSolution, second: BilevelSolution) -> bool:
    """Whether the second verified point is nearer to the bound of its method than the first."""
    if not second.verified or second.bound is None or first.objective is None or second.objective is None:
        return False
    return abs(second.objective - second.bound) < abs(first.objective - second.bound)


def _found(findings: Findings | None) -> dict[str, Any]:
    """The fields of the solution that the findings fill."""
    if findings is None:
        return {}
    return {
        "position": findings.position,
        "ties": findings.ties,
        "multiplier_ranges": findings.multiplier_ranges,
        "stationarity": findings.stationarity,
    }


def _exactness(
    problem: BilevelProblem,
    promised: Exactness,
    run: SolverRun,
    certificate: Certificate | None,
    point: Point | None,
    objective: float | None,
    bound: float | None,
    asked: float,
) -> Exactness:
    """What can be promised now that the answer is known.

    A relaxation keeps every solution of the problem, so that its optimum, if it passes verification, is the problem's. So is any
    verified point that reaches a proven bound, wherever it comes from. Without a leader every verified point is a full answer.
    """
    verified = certificate is not None and certificate.verified
    if problem.structure is Structure.EQUILIBRIUM and verified:
        return Exactness.EXACT
    if verified and (promised in NOTHING_LOST or run.bound_holds) and _reached(problem, point, objective, bound):
        sharp = run.termination is Termination.OPTIMAL and not run.epsilon
        return Exactness.EXACT if sharp else Exactness.EPSILON
    if run.termination is Termination.LOCALLY_OPTIMAL and promised is not Exactness.APPROXIMATION:
        return Exactness.STATIONARY
    if run.termination is Termination.OPTIMAL and verified and promised in NOTHING_LOST and problem.leader.objective is not None:
        # Proven, but only to the gap that was asked for. A wider one, as it is measured here, is no proof whatever the run says.
        gap = _gap(objective, bound)
        near = gap is not None and (gap <= max(asked, MEASURED) or bool(run.epsilon))
        return Exactness.EPSILON if near else Exactness.STATIONARY
    if promised is Exactness.RELAXATION and verified:
        return Exactness.EPSILON if run.epsilon and run.termination is Termination.OPTIMAL else Exactness.EXACT
    return promised


def _reached(problem: BilevelProblem, point: Point | None, objective: float | None, bound: float | None) -> bool:
    """Whether a proven bound leaves nothing to gain, up to what solvers call equal. Tiny objectives: tiny measure."""
    if objective is None or bound is None or point is None or problem.leader.objective is None:
        return False
    if abs(objective - bound) <= CLOSED * abs(objective):
        return True
    expression = problem.leader.objective.expr
    variables = list(identify_variables(expression, include_fixed=False))
    size = magnitude(expression, variables, complete_values(problem, point)).total
    return abs(objective - bound) <= CLOSED_ABSOLUTE * min(1.0, size)


def _contradicted(problem: BilevelProblem, objective: float | None, bound: float | None) -> bool:
    """Whether the point is better than a bound that was called proven: then one of the two is a victim of rounding."""
    if objective is None or bound is None or problem.leader.objective is None:
        return False
    better = bound - objective if problem.leader.objective.sense == pyo.minimize else objective - bound
    return bool(better > CONTRADICTION * max(1.0, abs(objective)))


def _status(
    problem: BilevelProblem,
    promised: Exactness,
    run: SolverRun,
    certificate: Certificate | None,
    exactness: Exactness,
    contradicted: bool,
) -> Status:
    if certificate is None or run.termination is Termination.UNBOUNDED:
        return _status_without_point(Exactness.RELAXATION if run.bound_holds else promised, run)
    if run.termination is Termination.INTERRUPTED:
        return Status.INTERRUPTED
    if not certificate.verified:
        return Status.VERIFICATION_FAILED
    if problem.structure is Structure.EQUILIBRIUM:
        return Status.OPTIMAL
    ended = run.termination in (Termination.OPTIMAL, Termination.LOCALLY_OPTIMAL)
    promises = exactness is Exactness.EPSILON or (exactness is Exactness.EXACT and ended)
    if promises and not contradicted:
        return Status.OPTIMAL
    if run.termination is Termination.LIMIT:
        return Status.LIMIT
    return Status.ERROR if run.termination is Termination.FAILED else Status.FEASIBLE


def _status_without_point(promised: Exactness, run: SolverRun) -> Status:
    """A proof of infeasibility carries over only if no solution of the original problem was lost in the rewrite.

    Unboundedness carries over only if nothing was added either.
    """
    status = WITHOUT_POINT.get(run.termination, Status.UNKNOWN)
    if status is Status.INFEASIBLE and promised not in NOTHING_LOST:
        return Status.UNKNOWN
    if status is Status.UNBOUNDED and promised is not Exactness.EXACT:
        return Status.UNKNOWN
    return status


def _objective(problem: BilevelProblem, point: Point | None) -> float | None:
    """The leader's objective at the point; without a leader that of the only optimising agent, if there is just one."""
    if point is None:
        return None
    if problem.leader.objective is not None:
        return _finite(number_at(problem.leader.objective.expr, complete_values(problem, point)))
    optimisers = [a for a in problem.agents if a.objective is not None]
    if len(optimisers) == 1 and optimisers[0].objective is not None:
        return _finite(number_at(optimisers[0].objective.expression, complete_values(problem, point)))
    return None


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _bound(problem: BilevelProblem, promised: Exactness, run: SolverRun) -> float | None:
    """The proven bound on the leader's optimum, in its own sense; None where a solution may have been lost in the rewrite."""
    if problem.leader.objective is None or run.bound is None or not (promised in NOTHING_LOST or run.bound_holds):
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
    contradicted: bool,
) -> tuple[str, ...]:
    said = [_remark(d) for d in problem.notices if d.severity == "warning"]
    said += reformulation.warnings
    said += run.doubts
    if run.epsilon and exactness is Exactness.EPSILON:
        said.append(run.epsilon)
    if certificate is not None:
        said += [f"not verified: {remark}" for remark in certificate.remarks]
    if contradicted:
        said.append(
            f"the answer is better than the bound {run.bound:.10g} that the solver calls proven: neither is to be trusted far"
        )
    said += _explain_status(run, status, exactness)
    return tuple(said)


def _remark(diagnostic: Any) -> str:
    place = f"{diagnostic.place}: " if diagnostic.place else ""
    return f"{place}{diagnostic.severity}[{diagnostic.code}]: {diagnostic.message}"


def _explain_status(run: SolverRun, status: Status, exactness: Exactness) -> list[str]:
    if status is Status.FEASIBLE:
        return [f"every agent's optimality is verified; optimality of the leader is not proved ({exactness.value})"]
    if status is Status.UNKNOWN:
        said = f"the solver says {run.termination.value}, which proves nothing about the original problem here"
        return [f"{said}. {run.message}" if run.message else said]
    if status in (Status.ERROR, Status.LIMIT, Status.INTERRUPTED) and run.message:
        return [run.message]
    return []


def write_back(problem: BilevelProblem, solution: BilevelSolution) -> None:
    """Write the answer into the modeller's variables, and into ``dual`` and ``rc`` suffixes that can take it.

    ``dual`` gets the reported multipliers of the agents' rows, ``rc`` the reduced costs of the agents' variables. What the
    suffixes held before belongs to another solve and is dropped.
    """
    if solution.point is None:
        return
    for variable, value in solution.point.values.items():
        if not variable.fixed:
            variable.set_value(_tidy(variable, float(value)), skip_validation=True)
    for suffix in problem.model.component_objects(pyo.Suffix, active=True):
        if suffix.local_name == "dual" and suffix.import_enabled():
            _fill(suffix, row_multipliers(solution.point))
        elif suffix.local_name == "rc" and suffix.import_enabled():
            _fill(suffix, reduced_costs_at(problem, solution.point))


def _fill(suffix: Any, values: list[tuple[Any, float]]) -> None:
    suffix.clear_all_values()
    for component, value in values:
        suffix[component] = value + 0.0


def row_multipliers(point: Point) -> list[tuple[Any, float]]:
    """Row and multiplier; a row of which several agents have each their own has no one number and is left out."""
    counted = Counter(id(c) for _, _, c in point.multipliers)
    return [(c, value) for _, value, c in point.multipliers if c.ctype is pyo.Constraint and counted[id(c)] == 1]


def reduced_costs_at(problem: BilevelProblem, point: Point) -> list[tuple[Any, float]]:
    """Reduced costs of every agent's variables; of an objective variable the multiplier of its own bounds.

    State variables have one for each agent and are left out, and so are agents whose multiplier of a state row was substituted.
    """
    named = {name: value for name, value, _ in point.multipliers}
    values = complete_values(problem, point)
    states = ComponentSet(s.variable for s in problem.state_variables)
    state_rows = {id(s.row) for s in problem.state_variables}
    found = []
    for agent in problem.agents:
        rows = [(row, problem.multiplier_name(agent, row)) for row in agent.rows]
        if any(id(row.component) in state_rows and name not in named for row, name in rows):
            continue
        multipliers = ComponentMap((row.component, named[name]) for row, name in rows if name in named)
        found += [(v, cost) for v, cost in reduced_costs(agent, multipliers, values) if v not in states]
    return found + [(c, value) for _, value, c in point.multipliers if c.ctype is pyo.Var]
