"""The examiner: checks an answer on the modeller's own model, never on the rewritten one.

Every agent is solved again with everything else fixed at the answer; that value gap is the decisive figure, whatever the method
said. The same is done for every follower of a Nash game (best response) and, by the natural map, for every VI.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pyomo.environ as pyo
from pyomo.common.collections import ComponentMap
from pyomo.mpec import Complementarity
from scipy.optimize import linprog

from bilevel_lang.oracle.agent_model import number_at, row_violation, value_of, violation_of
from bilevel_lang.oracle.gradient import Gradient
from bilevel_lang.oracle.response import best_response, natural_residual
from bilevel_lang.oracle.traits import is_pinned
from bilevel_lang.problem import Agent, BilevelProblem, DualMap
from bilevel_lang.solution import Certificate, FollowerReport, Point
from bilevel_lang.solvers.solver import SolverOptions

FEASIBILITY = 1e-5
"""Largest violation, relative to max(1, |side|), that still counts as feasible; also the integrality tolerance."""

ACTIVE = 1e-5
"""A row or bound closer than this to its side (relative) counts as active when multipliers are checked."""


def verify(problem: BilevelProblem, point: Point, *, tolerance: float = 1e-5, options: SolverOptions | None = None) -> Certificate:
    """Measure ``point`` on the problem's own model.

    ``tolerance`` bounds the relative value gap of every agent, |gap| / max(1, |optimal value|), the natural-map residual of a
    VI, relative to max(1, |y|), and the residual of ``dualvar`` variables. Verified needs every agent's optimum to be proven.
    """
    options = options or SolverOptions()
    values = _complete(problem, point)
    followers = tuple(_examine(agent, values, tolerance, options) for agent in problem.agents)
    leader = _leader_violation(problem, values)
    follower = max((f.feasibility for f in followers), default=0.0)
    gap = max((f.relative_gap if f.relative_gap is not None else math.inf for f in followers), default=0.0)
    dual = _dual_residual(problem, values) if problem.dual_maps else None
    verified = (
        leader <= FEASIBILITY
        and follower <= FEASIBILITY
        and all(f.verified for f in followers)
        and (dual is None or dual <= max(tolerance, FEASIBILITY))
    )
    return Certificate(leader, follower, gap, verified, tolerance, followers, dual, tuple(_remarks(followers, leader, dual)))


def _complete(problem: BilevelProblem, point: Point) -> ComponentMap:
    """The point with every variable of the model; one that no solver saw is in no row and takes any value within its bounds."""
    values: ComponentMap = ComponentMap()
    for variable in problem.model.component_data_objects(pyo.Var):
        if variable in point.values:
            values[variable] = float(point.values[variable])
        elif variable.value is not None:
            values[variable] = float(variable.value)
        else:
            values[variable] = float(np.clip(0.0, _or(variable.lb, -math.inf), _or(variable.ub, math.inf)))
    return values


def _or(value: float | None, other: float) -> float:
    return other if value is None else float(value)


def _examine(agent: Agent, values: ComponentMap, tolerance: float, options: SolverOptions) -> FollowerReport:
    feasibility = max([row_violation(r, values) for r in agent.rows] + [_own_violation(v, values) for v in agent.variables], default=0.0)
    return _examine_vi(agent, values, feasibility, tolerance, options) if agent.objective is None else _examine_optimiser(
        agent, values, feasibility, tolerance, options
    )


def _examine_vi(agent: Agent, values: ComponentMap, feasibility: float, tolerance: float, options: SolverOptions) -> FollowerReport:
    residual, how = natural_residual(agent, values, options)
    size = max([abs(value_of(v, values)) for v in agent.variables], default=0.0)
    relative = residual / max(1.0, size)
    verified = relative <= tolerance and feasibility <= FEASIBILITY
    return FollowerReport(agent.name, "vi", None, None, residual, relative, feasibility, verified, True, how)


def _examine_optimiser(
    agent: Agent, values: ComponentMap, feasibility: float, tolerance: float, options: SolverOptions
) -> FollowerReport:
    assert agent.objective is not None
    here = number_at(agent.objective.expression, values)
    response = best_response(agent, values, options)
    if not response.feasible or not response.bounded or response.value is None:
        how = response.how + (": it has no feasible answer" if not response.feasible else ": unbounded" if not response.bounded else "")
        return FollowerReport(agent.name, agent.kind, here, None, None, None, feasibility, False, response.proven, how)
    best = response.bound if response.bound is not None else response.value
    gap = agent.sign * (here - best)
    relative = gap / max(1.0, abs(best))
    verified = response.bound is not None and relative <= tolerance and feasibility <= FEASIBILITY and not math.isnan(here)
    # A better answer refutes even where the search for the best one was cut short.
    refuted = agent.sign * (here - response.value) > tolerance * max(1.0, abs(best))
    proven = response.proven or verified or refuted
    return FollowerReport(agent.name, agent.kind, here, response.value, gap, relative, feasibility, verified, proven, response.how)


def _own_violation(variable: Any, values: ComponentMap) -> float:
    value = value_of(variable, values)
    off = violation_of(value, variable.lb, variable.ub)
    return off if variable.is_continuous() else max(off, abs(value - round(value)))


def _leader_violation(problem: BilevelProblem, values: ComponentMap) -> float:
    """The leader's rows, the definitions of objective variables, and bounds and domains of everything no agent owns."""
    rows = [*problem.leader.rows, *problem.definitions]
    worst = max((violation_of(number_at(r.body, values), r.lb, r.ub) for r in rows), default=0.0)
    own = [*problem.leader.variables, *(m.variable for m in problem.dual_maps)]
    worst = max([worst, *(_own_violation(v, values) for v in own if not v.fixed)])
    worst = max([worst, *(_own_violation(a.objective.variable, values) for a in problem.agents if a.objective is not None and a.objective.variable is not None)])
    conditions = problem.model.component_data_objects(Complementarity, active=True)
    return max([worst, *(_condition_violation(c, values) for c in conditions)])


def _condition_violation(condition: Any, values: ComponentMap) -> float:
    """The residual of a user's own complementarity condition: |min(a, b)| for a pair, the mid-function for a mixed one."""
    first, second = (condition._canonical_expression(side) for side in condition._args)
    for side in (first, second):
        if len(side) == 2:
            return abs(number_at(side[0] - side[1], values))
    if first[0] is None and first[2] is None:
        first, second = second, first
    low, up = (None if s is None else float(pyo.value(s)) for s in (first[0], first[2]))
    body = number_at(first[1], values)
    if second[0] is None and second[2] is None:
        force = number_at(second[1], values)
        target = min(max(body - force, _or(low, -math.inf)), _or(up, math.inf))
        return abs(body - target)
    left = body - low if low is not None else _or(up, 0.0) - body
    other = number_at(second[1], values)
    right = other - float(pyo.value(second[0])) if second[0] is not None else float(pyo.value(second[2])) - other
    return abs(min(left, right))


def _dual_residual(problem: BilevelProblem, values: ComponentMap) -> float:
    """How far the ``dualvar`` variables are from being multipliers of their agents, whichever the other multipliers are."""
    agents = {id(m.agent): m.agent for m in problem.dual_maps}
    return max(_agent_dual_residual(a, tuple(problem.dual_maps_of(a)), values) for a in agents.values())


def _agent_dual_residual(agent: Agent, maps: tuple[DualMap, ...], values: ComponentMap) -> float:
    """The least stationarity residual over all multipliers of active rows and bounds, with the ``dualvar`` ones given.

    An LP: minimise t subject to |grad L| <= t, multipliers in their cones and zero off the active set. Columns are the free
    multipliers and t.
    """
    owned = [v for v in agent.variables if not is_pinned(v)]
    index = {id(v): i for i, v in enumerate(owned)}
    gradient = np.zeros(len(owned))
    _add_objective(agent, values, index, gradient)
    given = {id(m.row): m for m in maps}
    columns: list[np.ndarray] = []
    bounds: list[tuple[float | None, float | None]] = []
    worst = 0.0
    for row in agent.rows:
        normal = _gradient_at(row.body, agent, values, index)
        cone = _cone(row.lower, row.upper, number_at(row.body, values))
        if id(row) in given:
            dual = given[id(row)]
            multiplier = dual.factor * agent.sign * value_of(dual.variable, values)
            worst = max(worst, violation_of(multiplier, *cone))
            gradient -= multiplier * normal
        elif cone != (0.0, 0.0):
            columns.append(-normal)
            bounds.append(cone)
    for variable in owned:
        cone = _cone(variable.lb, variable.ub, value_of(variable, values))
        if cone != (0.0, 0.0):
            unit = np.zeros(len(owned))
            unit[index[id(variable)]] = -1.0
            columns.append(unit)
            bounds.append(cone)
    return max(worst, _least_residual(gradient, columns, bounds))


def _add_objective(agent: Agent, values: ComponentMap, index: dict[int, int], gradient: np.ndarray) -> None:
    if agent.objective is not None:
        gradient += agent.sign * _gradient_at(agent.objective.expression, agent, values, index)
    for function in agent.functions:
        if function.expression is not None and id(function.variable) in index:
            gradient[index[id(function.variable)]] += number_at(function.expression, values)


def _gradient_at(expression: Any, agent: Agent, values: ComponentMap, index: dict[int, int]) -> np.ndarray:
    result = np.zeros(len(index))
    for variable, derivative in Gradient(v for v in agent.variables if not is_pinned(v)).derivatives(expression):
        result[index[id(variable)]] += number_at(derivative, values)
    return result


def _cone(lower: float | None, upper: float | None, at: float) -> tuple[float | None, float | None]:
    """Where a multiplier may lie: free on an equality, one sign on an active side, zero on an inactive row."""
    below = lower is not None and at - lower <= ACTIVE * max(1.0, abs(lower))
    above = upper is not None and upper - at <= ACTIVE * max(1.0, abs(upper))
    return (None if above else 0.0), (None if below else 0.0)


def _least_residual(gradient: np.ndarray, columns: list[np.ndarray], bounds: list[tuple[float | None, float | None]]) -> float:
    if not len(gradient):
        return 0.0
    if not columns:
        return float(np.max(np.abs(gradient)))
    matrix = np.column_stack(columns)
    ones = np.ones((len(gradient), 1))
    inequality = np.block([[matrix, -ones], [-matrix, -ones]])
    side = np.concatenate([-gradient, gradient])
    cost = np.zeros(len(columns) + 1)
    cost[-1] = 1.0
    result = linprog(cost, A_ub=inequality, b_ub=side, bounds=[*bounds, (0.0, None)], method="highs")
    return float(result.fun) if result.status == 0 else math.inf


def _remarks(followers: tuple[FollowerReport, ...], leader: float, dual: float | None) -> list[str]:
    """Why an answer is not verified, in words."""
    said = []
    if leader > FEASIBILITY:
        said.append(f"the leader's rows are violated by {leader:.3g}")
    for f in followers:
        if f.verified:
            continue
        if f.feasibility > FEASIBILITY:
            said.append(f"{f.name}: its rows are violated by {f.feasibility:.3g}")
        elif f.gap is None:
            said.append(f"{f.name}: {f.how}")
        elif f.kind == "vi":
            said.append(f"{f.name}: natural-map residual {f.gap:.3g} ({f.how})")
        elif not f.proven:
            said.append(f"{f.name}: its optimum could not be proven ({f.how})")
        else:
            said.append(f"{f.name}: objective {f.objective:.8g}, but it could have {f.optimal_value:.8g} ({f.how})")
    if dual is not None and dual > FEASIBILITY:
        said.append(f"a `dualvar` variable is off by {dual:.3g} from being a multiplier")
    return said
