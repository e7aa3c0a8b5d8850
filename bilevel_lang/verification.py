"""The examiner: checks an answer on the modeller's own model, never on the rewritten one.

Every agent is solved again with everything else fixed at the answer; that value gap is the decisive figure, whatever the method
said. The same is done for every follower of a Nash game (best response) and, by the natural map, for every VI.
``docs/verification.md`` says what the figures mean.
"""

from __future__ import annotations

import math
from typing import Any

import pyomo.environ as pyo
from pyomo.common.collections import ComponentMap
from pyomo.mpec import Complementarity

from bilevel_lang.components.kinds import unknown_components
from bilevel_lang.errors import RefusedError, SolverFailedError, SolverMissingError
from bilevel_lang.oracle.agent_model import number_at, value_of, violation_of
from bilevel_lang.oracle.common_multiplier import common_multiplier_residual
from bilevel_lang.oracle.conditions import complementarity_violation, disjunction_violation, sos_violation
from bilevel_lang.oracle.magnitude import magnitude, row_violation
from bilevel_lang.oracle.multipliers import multiplier_residual
from bilevel_lang.oracle.natural_map import natural_residual
from bilevel_lang.oracle.response import Response, best_response
from bilevel_lang.oracle.traits import is_pinned
from bilevel_lang.problem import Agent, BilevelProblem
from bilevel_lang.solution import Certificate, FollowerReport, Point
from bilevel_lang.solvers.solver import SolverOptions

FEASIBILITY = 1e-5
"""Largest violation, relative to max(1, |side|), that still counts as feasible; also the integrality tolerance."""

MINUTE = 60.0
"""Seconds for each agent where the caller sets no limit."""

ROUNDING = 1e-9
"""Objectives are compared with this share of their value at least: finer than that, solvers' bounds are noise."""


def verify(
    problem: BilevelProblem, point: Point, *, tolerance: float = 1e-5, options: SolverOptions | None = None
) -> Certificate:
    """Measure ``point`` on the problem's own model.

    ``tolerance`` bounds, in both directions, the value gap of every agent relative to the size of its objective
    (:mod:`bilevel_lang.oracle.magnitude`), the natural-map residual of a VI, the residual of ``dualvar`` variables, and that of
    the common multipliers of ``visol``. Verified needs every agent's optimum to be proven.
    """
    options = options or SolverOptions(time_limit=MINUTE)
    values = complete_values(problem, point)
    apart = _link_violation(problem, values)
    for link in problem.links:  # what is left of a difference is measured; the agent's set is the one at its own answer
        values[link.twin] = value_of(link.variable, values)
    followers = tuple(_examine(agent, values, tolerance, options) for agent in problem.agents)
    leader = max(_leader_violation(problem, values), _fixed_violation(point))
    follower = max((f.feasibility for f in followers), default=0.0)
    gap = max((_gap_or_inf(f) for f in followers), default=0.0)
    dual = _dual_residual(problem, values) if problem.dual_maps else None
    common = common_multiplier_residual(problem, values)
    unmeasured = unknown_components(problem.model, Complementarity, pyo.SOSConstraint)
    verified = (
        unmeasured is None
        and max(leader, apart) <= FEASIBILITY
        and follower <= FEASIBILITY
        and all(f.verified for f in followers)
        and (dual is None or dual <= max(tolerance, FEASIBILITY))
        and (common is None or common <= max(tolerance, FEASIBILITY))
    )
    remarks = _remarks(followers, leader, dual, tolerance)
    if unmeasured is not None:
        remarks.append(f"the model holds {unmeasured}; whether they hold was not measured")
    if apart > FEASIBILITY:
        remarks.append(f"twins of `qvi` differ from their variables, or leave their own bounds, by {apart:.3g}")
    if common is not None and common > max(tolerance, FEASIBILITY):
        remarks.append(f"the agents that share a row by `visol` have no common multiplier: the nearest is off by {common:.3g}")
    return Certificate(max(leader, apart), follower, gap, verified, tolerance, followers, dual, tuple(remarks), common)


def complete_values(problem: BilevelProblem, point: Point) -> ComponentMap:
    """The point with every variable of the model: a fixed one has its value, one that no solver saw is in no row.

    The latter keeps the value it has, moved into its bounds, or takes the one nearest to 0; the twin of a ``qvi`` takes that of
    its variable.
    """
    values: ComponentMap = ComponentMap()
    for variable in problem.model.component_data_objects(pyo.Var):
        if variable.fixed and variable.value is not None:
            values[variable] = float(variable.value)
        elif variable in point.values:
            values[variable] = float(point.values[variable])
        else:
            values[variable] = _inside(variable, 0.0 if variable.value is None else float(variable.value))
    for link in problem.links:
        if link.twin not in point.values:
            values[link.twin] = values[link.variable]
    return values


def _inside(variable: Any, value: float) -> float:
    value = value if variable.is_continuous() else float(round(value))
    value = value if variable.lb is None else max(value, float(variable.lb))
    return value if variable.ub is None else min(value, float(variable.ub))


def _gap_or_inf(report: FollowerReport) -> float:
    gap = report.relative_gap
    return math.inf if gap is None or math.isnan(gap) else abs(gap)


def _examine(agent: Agent, values: ComponentMap, tolerance: float, options: SolverOptions) -> FollowerReport:
    rows = [row_violation(r.body, r.lower, r.upper, values) for r in agent.rows]
    feasibility = max([*rows, *(_own_violation(v, values) for v in agent.variables)], default=0.0)
    examine = _examine_vi if agent.objective is None else _examine_optimiser
    try:
        return examine(agent, values, feasibility, tolerance, options)
    except (RefusedError, SolverFailedError, SolverMissingError) as error:
        # No solver could take the question. That is no reason to lose the point: it stays, unverified, and the reason with it.
        said = f"it could not be examined: {error.diagnostics[0].message}"
        return FollowerReport(agent.name, agent.kind, None, None, None, None, feasibility, False, False, said)


def _examine_vi(
    agent: Agent, values: ComponentMap, feasibility: float, tolerance: float, options: SolverOptions
) -> FollowerReport:
    found = natural_residual(agent, values, options)
    verified = found.proven and found.relative <= tolerance and feasibility <= FEASIBILITY
    return FollowerReport(
        agent.name, "vi", None, None, found.size, found.relative, feasibility, verified, found.proven, found.how
    )


def _examine_optimiser(
    agent: Agent, values: ComponentMap, feasibility: float, tolerance: float, options: SolverOptions
) -> FollowerReport:
    assert agent.objective is not None
    here = number_at(agent.objective.expression, values)
    if not math.isfinite(here):
        said = "its objective is not defined at the point"
        return FollowerReport(agent.name, agent.kind, None, None, None, None, feasibility, False, True, said)
    response = best_response(agent, values, options)
    best = response.bound if response.bound is not None else response.value
    if not response.feasible or not response.bounded or best is None:
        return FollowerReport(agent.name, agent.kind, here, None, None, None, feasibility, False, response.proven, _why(response))
    size = _size(agent, values, here)
    gap = agent.sign * (here - best)
    relative = gap / size
    # Far below 0 the point is better than any feasible answer: it lives on a violation that is small and matters all the same.
    verified = response.bound is not None and abs(relative) <= tolerance and feasibility <= FEASIBILITY
    # A better answer refutes even where the search for the best one was cut short.
    refuted = response.value is not None and agent.sign * (here - response.value) > tolerance * size
    proven = response.proven or verified or refuted
    return FollowerReport(
        agent.name, agent.kind, here, response.value, gap, relative, feasibility, verified, proven, response.how, size
    )


def _size(agent: Agent, values: ComponentMap, here: float) -> float:
    assert agent.objective is not None
    own = [v for v in agent.variables if not is_pinned(v)]
    size = magnitude(agent.objective.expression, own, values).total
    return max(size, ROUNDING * abs(here)) or 1.0


def _why(response: Response) -> str:
    if not response.feasible:
        return f"{response.how}: it has no feasible answer" if response.proven else f"{response.how}: no feasible answer found"
    return f"{response.how}: unbounded" if not response.bounded and response.proven else response.how


def _own_violation(variable: Any, values: ComponentMap) -> float:
    """Of bounds and domain; inf for what is not a number."""
    value = value_of(variable, values)
    if not math.isfinite(value):
        return math.inf
    off = violation_of(value, variable.lb, variable.ub)
    return off if variable.is_continuous() else max(off, abs(value - round(value)))


def _fixed_violation(point: Point) -> float:
    """How far the point is from the values of fixed variables."""
    fixed = ((v, float(value)) for v, value in point.values.items() if v.fixed and v.value is not None)
    return max((violation_of(value, float(v.value), float(v.value)) for v, value in fixed), default=0.0)


def _link_violation(problem: BilevelProblem, values: ComponentMap) -> float:
    """How far the twins of ``qvi`` are from their variables, and out of their own bounds."""
    apart = (violation_of(values[link.twin], values[link.variable], values[link.variable]) for link in problem.links)
    return max([*apart, *(_own_violation(link.twin, values) for link in problem.links)], default=0.0)


def _leader_violation(problem: BilevelProblem, values: ComponentMap) -> float:
    """The leader's rows, the definitions of objective variables, the bounds and domains of everything no agent owns, and
    whatever other conditions the model holds."""
    rows = (row_violation(r.body, r.lb, r.ub, values) for r in (*problem.leader.rows, *problem.definitions))
    named = [a.objective.variable for a in problem.agents if a.objective is not None and a.objective.variable is not None]
    own = [*problem.leader.variables, *(m.variable for m in problem.dual_maps), *named]
    model = problem.model
    return max(
        max(rows, default=0.0),
        max((_own_violation(v, values) for v in own if not v.fixed), default=0.0),
        max(
            (complementarity_violation(c, values) for c in model.component_data_objects(Complementarity, active=True)),
            default=0.0,
        ),
        max((disjunction_violation(d, values) for d in problem.disjunctions), default=0.0),
        max((sos_violation(c, values) for c in model.component_data_objects(pyo.SOSConstraint, active=True)), default=0.0),
    )


def _dual_residual(problem: BilevelProblem, values: ComponentMap) -> float:
    """How far the ``dualvar`` variables are from being multipliers of their agents, whichever the other multipliers are."""
    agents = {id(m.agent): m.agent for m in problem.dual_maps}
    return max(multiplier_residual(a, tuple(problem.dual_maps_of(a)), values) for a in agents.values())


def _remarks(followers: tuple[FollowerReport, ...], leader: float, dual: float | None, tolerance: float) -> list[str]:
    """Why an answer is not verified, in words."""
    said = []
    if leader > FEASIBILITY:
        said.append(f"the leader's rows are violated by {leader:.3g}")
    said += [f"{f.name}: {_reason(f, tolerance)}" for f in followers if not f.verified]
    if dual is not None and dual > max(tolerance, FEASIBILITY):
        said.append(f"a `dualvar` variable is off by {dual:.3g} from being a multiplier")
    return said


def _reason(report: FollowerReport, tolerance: float) -> str:
    if report.feasibility > FEASIBILITY:
        return f"its rows are violated by {report.feasibility:.3g}"
    if report.gap is None:
        return report.how
    if report.kind == "vi":
        return f"natural-map residual {report.gap:.3g} ({report.how})"
    if not report.proven:
        return f"its optimum could not be proven ({report.how})"
    if report.relative_gap is not None and report.relative_gap < -tolerance:
        said = f"objective {report.objective:.8g} is better than the best feasible one, {report.optimal_value:.8g}"
        return f"{said}: it lives on rows that are violated by {report.feasibility:.3g} ({report.how})"
    return f"objective {report.objective:.8g}, but it could have {report.optimal_value:.8g} ({report.how})"
