"""The answer as one JSON object, schema ``bilevel-lang/1`` (docs/json.md). It is stable: fields are added, never changed."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from bilevel_lang.errors import BilevelError, Diagnostic

if TYPE_CHECKING:
    from bilevel_lang.problem import BilevelProblem
    from bilevel_lang.solution import (
        BilevelSolution,
        Certificate,
        FollowerReport,
        MultiplierRange,
        SearchCounts,
        Stationarity,
        StochasticReport,
        Tie,
    )

SCHEMA = "bilevel-lang/1"


def solution_object(solution: BilevelSolution) -> dict[str, Any]:
    """A solve as a JSON-ready object; numbers that are not finite are None."""
    cleaned: dict[str, Any] = _clean(
        {
            "schema": SCHEMA,
            "status": solution.status.value,
            "termination": solution.termination,
            "exactness": solution.exactness.value if solution.exactness else None,
            "objective": solution.objective,
            "bound": solution.bound,
            "gap": solution.gap,
            "method": solution.method,
            "encoding": solution.encoding,
            "solver": solution.solver,
            "variables": dict(solution.variables),
            "duals": dict(solution.duals),
            "followers": [_follower(f) for f in solution.followers],
            "certificate": _certificate(solution.certificate),
            "position": solution.position,
            "ties": [_tie(t) for t in solution.ties],
            "multiplier_ranges": [_multiplier_range(r) for r in solution.multiplier_ranges],
            "stationarity": _stationarity(solution.stationarity),
            "stochastic": _stochastic(solution.stochastic),
            "search": _search(solution.search),
            "approximate_objective": solution.approximate_objective,
            "surrogate": None if solution.surrogate is None else dict(solution.surrogate),
            "summary": dict(solution.summary),
            "seconds": dict(solution.seconds),
            "messages": list(solution.messages),
            "exit_code": solution.exit_code,
        }
    )
    return cleaned


def _search(search: SearchCounts | None) -> dict[str, int | None] | None:
    if search is None:
        return None
    return {"nodes": search.nodes, "cuts": search.cuts, "follower_solves": search.follower_solves}


def check_object(problem: BilevelProblem) -> dict[str, Any]:
    """What ``--check`` found: nothing was solved, so the status is ``unknown`` and the exit code 0."""
    return {
        "schema": SCHEMA,
        "status": "unknown",
        "summary": dict(problem.summary),
        "followers": [{"name": a.name, "kind": a.kind, "variables": [v.name for v in a.variables]} for a in problem.agents],
        "messages": [f"{d.severity}[{d.code}]: {d.message}" for d in problem.notices],
        "exit_code": 0,
    }


def written_object(problem: BilevelProblem, said: str) -> dict[str, Any]:
    """What ``--write`` did: nothing was solved, so the status is ``unknown`` and the exit code 0."""
    return {"schema": SCHEMA, "status": "unknown", "summary": dict(problem.summary), "messages": [said], "exit_code": 0}


def error_object(error: BilevelError) -> dict[str, Any]:
    """An error as a JSON-ready object."""
    return {
        "schema": SCHEMA,
        "status": "error",
        "exit_code": error.exit_code,
        "errors": [_diagnostic(d) for d in error.diagnostics],
    }


def interrupted_object() -> dict[str, Any]:
    """Ctrl-C before there was any point."""
    return {"schema": SCHEMA, "status": "interrupted", "exit_code": 130, "messages": ["interrupted"]}


def _follower(report: FollowerReport) -> dict[str, Any]:
    return {
        "name": report.name,
        "kind": report.kind,
        "objective": report.objective,
        "optimal_value": report.optimal_value,
        "gap": report.gap,
        "verified": report.verified,
        "relative_gap": report.relative_gap,
        "feasibility": report.feasibility,
        "proven": report.proven,
        "how": report.how,
    }


def _certificate(certificate: Certificate | None) -> dict[str, Any] | None:
    if certificate is None:
        return None
    return {
        "leader_feasibility": certificate.leader_feasibility,
        "follower_feasibility": certificate.follower_feasibility,
        "follower_gap": certificate.follower_gap,
        "verified": certificate.verified,
        "tolerance": certificate.tolerance,
        "dual_residual": certificate.dual_residual,
        "common_residual": certificate.common_residual,
    }


def _tie(tie: Tie) -> dict[str, Any]:
    return {
        "name": tie.name,
        "measured": tie.measured,
        "best": tie.best,
        "worst": tie.worst,
        "unique": tie.unique,
        "worst_answer": dict(tie.worst_answer),
        "violated": list(tie.violated),
        "how": tie.how,
    }


def _multiplier_range(found: MultiplierRange) -> dict[str, Any]:
    return {
        "variable": found.variable,
        "row": found.row,
        "value": found.value,
        "lower": found.lower,
        "upper": found.upper,
        "unique": found.unique,
    }


def _stationarity(found: Stationarity | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "kind": found.kind,
        "multipliers": found.multipliers,
        "descent": found.descent,
        "pairs": found.pairs,
        "biactive": found.biactive,
        "how": found.how,
    }


def _stochastic(report: StochasticReport | None) -> dict[str, Any] | None:
    if report is None:
        return None
    tried = report.out_of_sample
    return {
        "scenarios": report.scenarios,
        "sampled": report.sampled,
        "values": [{"scenario": name, "probability": p, "objective": value} for name, p, value in report.values],
        "wait_and_see": report.wait_and_see,
        "evpi": report.evpi,
        "mean_value_cost": report.mean_value_cost,
        "vss": report.vss,
        "risks": [{"kind": r.kind, "variable": r.variable, "level": r.level, "value": r.value} for r in report.risks],
        "chances": [{"rows": rows, "wanted": wanted, "reached": reached} for rows, wanted, reached in report.chances],
        "out_of_sample": None
        if tried is None
        else {
            "scenarios": tried.scenarios,
            "mean": tried.mean,
            "half_width": tried.half_width,
            "infeasible": tried.infeasible,
        },
    }


def _diagnostic(diagnostic: Diagnostic) -> dict[str, Any]:
    return {
        "code": diagnostic.code,
        "file": diagnostic.source.name if diagnostic.source else None,
        "line": diagnostic.span.line if diagnostic.span else None,
        "column": diagnostic.span.column if diagnostic.span else None,
        "message": diagnostic.message,
        "help": diagnostic.help,
    }


def _clean(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {k: _clean(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_clean(v) for v in value]
    return value
