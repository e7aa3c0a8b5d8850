"""The best response of an agent: its own problem solved with everybody else fixed, and what is proven about it."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyomo.environ as pyo
from pyomo.common.collections import ComponentMap

from bilevel_lang.errors import ModelFileError, RefusedError, SolverFailedError, SolverMissingError
from bilevel_lang.oracle.agent_model import UNDEFINED, AgentModel, response_model
from bilevel_lang.oracle.linear_agent import linear_agent
from bilevel_lang.oracle.magnitude import magnitude
from bilevel_lang.oracle.traits import AgentClass, Traits, is_pinned, traits_of
from bilevel_lang.problem import Agent, Row
from bilevel_lang.solvers.highs import Highs
from bilevel_lang.solvers.registry import by_name
from bilevel_lang.solvers.solver import SolverOptions, SolverRun, Termination

RELAXATION = 1e-6
"""How far rows are moved outwards when a point that is feasible up to rounding leaves an agent without any feasible answer."""

MULTISTARTS = 16

QP_BUDGET = 10.0
"""Seconds for HiGHS on a convex QP, half of the time limit where that is less: what it cannot settle, it may try for ever."""

ORDINARY = (1e-2, 1e4)
"""Objectives of a size within are handed to solvers as they are."""

SMALLEST = 1e-100
"""Below that an objective counts as none."""


CONSTANT_ROW = "a row of others' variables alone is violated"


@dataclass(frozen=True, eq=False)
class Response:
    """``value`` is the agent's best objective found (own sense), ``bound`` what is proven about it; None where there is none.

    ``values`` holds the agent's variables at the best response. ``feasible`` False: the agent has no feasible answer;
    ``bounded`` False: its objective has no limit (``proven`` False: or nothing at all is known). ``relaxed``: rows were moved
    outwards by :data:`RELAXATION`, because without that there was no feasible answer.
    """

    feasible: bool
    bounded: bool
    value: float | None
    bound: float | None
    values: ComponentMap
    proven: bool
    how: str
    relaxed: bool = False


LP_TOLERANCE = {"constraints/nonlinear/tightenlpfeastol": False}
"""SCIP would ask its LP solver for tolerances below 1e-10 near an answer; SoPlex refuses each with a line on stderr."""


class _Effort:
    """What is left of the time limit, for several runs in a row."""

    def __init__(self, options: SolverOptions) -> None:
        self._options = options
        self._began = time.perf_counter()

    @property
    def spent(self) -> bool:
        """Whether the limit is used up."""
        limit = self._options.time_limit
        return limit is not None and time.perf_counter() - self._began >= limit

    def options(self, share: float = 1.0, most: float = math.inf) -> SolverOptions:
        """The options with ``share`` of the time left, ``most`` seconds at the utmost."""
        limit = self._options.time_limit
        left = math.inf if limit is None else max(0.1, limit - (time.perf_counter() - self._began))
        left = min(share * left, most)
        return replace(self._options, time_limit=left if math.isfinite(left) else None)


def best_response(agent: Agent, values: ComponentMap, options: SolverOptions, traits: Traits | None = None) -> Response:
    """Solve ``agent`` with everything it does not own fixed at ``values``.

    LP, MILP and convex QP go to HiGHS, a proven convex NLP to Ipopt (its local optimum is global), everything else, and what
    these two leave undecided, to SCIP, which proves global optimality or says that it could not. Functions SCIP does not know go
    to Ipopt from several starts, unproven. ``options.time_limit`` covers all of it.
    """
    assert agent.objective is not None, "a vi has no best response"
    traits = traits or traits_of(agent)
    effort = _Effort(options)
    factor = objective_factor(agent, values)
    try:
        response = _solve(agent, values, effort, traits, 0.0, factor)
        if not response.feasible:
            relaxed = _solve(agent, values, effort, traits, RELAXATION, factor)
            if relaxed.feasible:
                return replace(relaxed, how=f"{relaxed.how}, rows relaxed by {RELAXATION:g}", relaxed=True)
    except (*UNDEFINED, ModelFileError):
        return Response(False, True, None, None, ComponentMap(), False, "a row or the objective is not defined at the point")
    return response


def objective_factor(agent: Agent, values: ComponentMap) -> float:
    """A power of two that brings the objective to ordinary size: solvers have absolute tolerances, and 1e-9 of 1e-6 is a lot."""
    assert agent.objective is not None
    size = magnitude(agent.objective.expression, _free(agent), values).total
    return 1.0 if ORDINARY[0] <= size <= ORDINARY[1] or size < SMALLEST else 2.0 ** -round(math.log2(size))


def _free(agent: Agent) -> list[Any]:
    return [v for v in agent.variables if not is_pinned(v)]


def _solve(agent: Agent, values: ComponentMap, effort: _Effort, traits: Traits, relax: float, factor: float) -> Response:
    linear = traits.agent_class is AgentClass.LP or (traits.agent_class is AgentClass.INTEGER and traits.linear_rows)
    found = _solve_arrays(agent, values, effort, relax, factor) if linear else None
    if found is not None:
        return found
    built = response_model(agent, values, relax, factor)
    if built.constant_violation > max(relax, RELAXATION):
        return Response(False, True, None, None, ComponentMap(), True, CONSTANT_ROW)
    if not built.twins:
        value = float(pyo.value(built.model.objective.expr)) / factor
        return Response(True, True, value, value, ComponentMap(), True, "nothing to decide")
    run, proves = _run(built, effort, traits)
    answer: ComponentMap = ComponentMap()
    if run.values is not None:
        answer = ComponentMap((v, run.values.get(twin, twin.value)) for v, twin in built.twins.items())
    return _read(run, answer, proves, factor)


def _solve_arrays(agent: Agent, values: ComponentMap, effort: _Effort, relax: float, factor: float) -> Response | None:
    """The same for an LP or MILP of plain sums, without a Pyomo model; None for another, and where HiGHS does not settle it."""
    found = linear_agent(agent, values, relax, factor)
    if found is None or not found.variables:
        return None
    if found.constant_violation > max(relax, RELAXATION):
        return Response(False, True, None, None, ComponentMap(), True, CONSTANT_ROW)
    run = Highs().run_matrix(found.program, effort.options())
    if run.termination in (Termination.FAILED, Termination.LIMIT):
        return None
    answer: ComponentMap = ComponentMap() if run.x is None else ComponentMap(zip(found.variables, run.x.tolist(), strict=True))
    return _read(run.on_components(answer), answer, True, factor)


def _run(built: AgentModel, effort: _Effort, traits: Traits) -> tuple[SolverRun, bool]:
    """The run, and whether its optimum is proven global by the agent's class."""
    kind = traits.agent_class
    linear = built.model.objective.polynomial_degree() in (0, 1)
    run: SolverRun | None = None
    if kind is AgentClass.LP or (kind is AgentClass.INTEGER and traits.linear_rows and linear):
        run = by_name("highs").run(built.model, effort.options())
    elif kind is AgentClass.CONVEX_QP:
        run = by_name("highs").run(built.model, effort.options(0.5, QP_BUDGET))
    if run is not None and run.termination not in (Termination.FAILED, Termination.LIMIT):
        return run, True
    if kind in (AgentClass.CONVEX_NLP, AgentClass.CONVEX_QP) and not _square(built):
        local = _local(built, effort.options(0.5))
        if local is not None and local.termination is Termination.LOCALLY_OPTIMAL:
            return local, True
    # What HiGHS has not finished within the limit, SCIP would not either.
    return (run, True) if run is not None and effort.spent else _global(built, effort)


def _square(built: AgentModel) -> bool:
    """Whether there are as many equalities as variables: then Ipopt looks for a feasible point only and forgets the objective."""
    return bool(sum(row.equality for row in built.model.row.values()) >= len(built.twins))


def _local(built: AgentModel, options: SolverOptions) -> SolverRun | None:
    ipopt = by_name("ipopt")
    if ipopt.missing():
        return None
    try:
        return ipopt.run(built.model, options)
    except RefusedError:
        return None


def _global(built: AgentModel, effort: _Effort) -> tuple[SolverRun, bool]:
    try:
        options = effort.options()
        return by_name("scip").run(built.model, replace(options, extra={**LP_TOLERANCE, **options.extra})), True
    except (RefusedError, SolverMissingError, SolverFailedError):
        # SCIP lacks one of the functions, or broke down. The answer below is marked unproven, and the verdict says so.
        return _multistart(built, effort), False


def _multistart(built: AgentModel, effort: _Effort) -> SolverRun:
    """Ipopt from several starts; the best run. Raises SolverMissingError without Ipopt."""
    ipopt = by_name("ipopt")
    random = np.random.default_rng(effort.options().seed or 0)
    sense = -1.0 if built.model.objective.sense == pyo.maximize else 1.0
    best: SolverRun | None = None
    for attempt in range(MULTISTARTS):
        if attempt:
            for twin in built.twins.values():
                twin.set_value(_random_start(twin, random), skip_validation=True)
        run = ipopt.run(built.model, effort.options())
        best = run if best is None or _beats(run, best, sense) else best
        if effort.spent:
            break
    assert best is not None
    return best


def _beats(run: SolverRun, best: SolverRun, sense: float) -> bool:
    if run.termination is not Termination.LOCALLY_OPTIMAL or run.objective is None:
        return False
    return best.termination is not Termination.LOCALLY_OPTIMAL or sense * run.objective < sense * (best.objective or 0.0)


def _random_start(variable: Any, random: np.random.Generator) -> float:
    lower, upper = variable.lb, variable.ub
    if lower is None:
        lower = -10.0 if upper is None else upper - 20.0
    upper = lower + 20.0 if upper is None else upper
    return float(random.uniform(lower, upper))


def _read(run: SolverRun, values: ComponentMap, proves: bool, factor: float) -> Response:
    """``values``: of the agent's variables, empty where there are none."""
    how, end = run.solver, run.termination
    if end in (Termination.INFEASIBLE, Termination.LOCALLY_INFEASIBLE):
        return Response(False, True, None, None, ComponentMap(), proves and end is Termination.INFEASIBLE, how)
    if end in (Termination.UNBOUNDED, Termination.INFEASIBLE_OR_UNBOUNDED):
        known = proves and end is Termination.UNBOUNDED
        return Response(True, False, None, None, ComponentMap(), known, how if known else f"{how} ({end.value})")
    local = end is Termination.LOCALLY_OPTIMAL
    bound = run.objective if (local and proves) else run.bound if proves else None
    proven = proves and (local or end is Termination.OPTIMAL)
    suffix = "" if proven else " (several starts, not proven)" if local else f" ({end.value})"
    value = None if run.objective is None else run.objective / factor
    return Response(True, True, value, None if bound is None else bound / factor, values, proven, how + suffix)


@dataclass(frozen=True, eq=False)
class LocalAnswer:
    """A local answer of an agent: ``values`` of its variables, reported multipliers of ``rows``, and ``reduced_costs``.

    The latter two are empty where the solver gave none.
    """

    values: ComponentMap
    rows: tuple[tuple[Row, float], ...]
    reduced_costs: ComponentMap


def local_response(agent: Agent, values: ComponentMap, options: SolverOptions) -> LocalAnswer | None:
    """A locally optimal answer of ``agent`` from the values given, quickly; None where there is none. For start points only."""
    built = response_model(agent, values)
    if not built.twins:
        return None
    solver = by_name("highs" if built.model.objective.expr.polynomial_degree() in (0, 1) and _all_linear(built) else "ipopt")
    run = solver.run(built.model, options)
    if run.values is None:
        return None
    answer = ComponentMap((v, run.values.get(twin, twin.value)) for v, twin in built.twins.items())
    duals, costs = run.duals or ComponentMap(), run.reduced_costs or ComponentMap()
    rows = zip(built.rows, built.model.row.values(), strict=True)
    known = tuple((row, float(duals[data])) for row, data in rows if data in duals)
    return LocalAnswer(answer, known, ComponentMap((v, float(costs[t])) for v, t in built.twins.items() if t in costs))


def _all_linear(built: AgentModel) -> bool:
    return all(row.body.polynomial_degree() in (0, 1) for row in built.model.row.values())
