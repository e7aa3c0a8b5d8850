"""The last stage: from what the solver said and what was measured to one answer with one status."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pyomo.environ as pyo

from bilevel_lang.analysis.findings import Findings
from bilevel_lang.model_values import tidy
from bilevel_lang.oracle.agent_model import number_at
from bilevel_lang.problem import BilevelProblem, Structure
from bilevel_lang.reformulation.rewrite import Reformulation
from bilevel_lang.solution import BilevelSolution, Certificate, Exactness, Point, SearchCounts, Status
from bilevel_lang.solvers.solver import SolverRun
from bilevel_lang.verdict import NOTHING_LOST, exactness_of, is_contradicted, relative_gap, status_of
from bilevel_lang.verification import complete_values


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
    contradicted = is_contradicted(problem, objective, bound)
    if contradicted:
        bound = None
    exactness = exactness_of(problem, promised, run, certificate, point, objective, bound, asked or 0.0)
    status = status_of(problem, promised, run, certificate, exactness, contradicted)
    return BilevelSolution(
        status=status,
        termination=run.termination.value,
        exactness=exactness if point else None,
        objective=objective,
        bound=bound,
        gap=relative_gap(objective, bound) if status is not Status.VERIFICATION_FAILED else None,
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


def _variables(problem: BilevelProblem, point: Point | None) -> dict[str, float]:
    if point is None:
        return {}
    values = {}
    for variable in problem.model.component_data_objects(pyo.Var):
        if variable in point.values:
            values[variable.name] = tidy(variable, float(point.values[variable]))
        elif variable.fixed and variable.value is not None:
            values[variable.name] = float(variable.value)
    return values


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
