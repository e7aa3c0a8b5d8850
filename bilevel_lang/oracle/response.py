"""The best response of an agent: its own problem solved with everybody else fixed, and what is proven about it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyomo.environ as pyo
from pyomo.common.collections import ComponentMap

from bilevel_lang.errors import RefusedError, SolverMissingError
from bilevel_lang.oracle.agent_model import AgentModel, constraints_model, number_at, response_model, value_of
from bilevel_lang.oracle.traits import AgentClass, Traits, is_pinned, traits_of
from bilevel_lang.problem import Agent
from bilevel_lang.solvers.registry import by_name
from bilevel_lang.solvers.solver import SolverOptions, SolverRun, Termination

RELAXATION = 1e-6
"""How far rows are moved outwards when a point that is feasible up to rounding leaves an agent without any feasible answer."""

MULTISTARTS = 16


@dataclass(frozen=True, eq=False)
class Response:
    """``value`` is the agent's best objective (own sense), ``bound`` what is proven about it; None where there is none.

    ``values`` holds the agent's variables at the best response. ``feasible`` False: the agent has no feasible answer.
    """

    feasible: bool
    bounded: bool
    value: float | None
    bound: float | None
    values: ComponentMap
    proven: bool
    how: str
    duals: ComponentMap | None = None


def best_response(agent: Agent, values: ComponentMap, options: SolverOptions, traits: Traits | None = None) -> Response:
    """Solve ``agent`` with everything it does not own fixed at ``values``.

    LP, MILP and convex QP go to HiGHS, a proven convex NLP to Ipopt (its local optimum is global), everything else to SCIP, which
    proves global optimality or says that it could not; functions SCIP does not know go to Ipopt from several starts, unproven.
    """
    traits = traits or traits_of(agent)
    response = _solve(agent, values, options, traits, 0.0)
    if not response.feasible:
        relaxed = _solve(agent, values, options, traits, RELAXATION)
        if relaxed.feasible:
            return replace(relaxed, how=f"{relaxed.how}, rows relaxed by {RELAXATION:g}")
    return response


def _solve(agent: Agent, values: ComponentMap, options: SolverOptions, traits: Traits, relax: float) -> Response:
    built = response_model(agent, values, relax)
    if built.constant_violation > max(relax, 1e-6):
        return Response(False, True, None, None, ComponentMap(), True, "a row of others' variables alone is violated")
    if not built.twins:
        value = float(pyo.value(built.model.objective.expr))
        return Response(True, True, value, value, ComponentMap(), True, "nothing to decide")
    return _read(built, *_run(built, options, traits))


def _run(built: AgentModel, options: SolverOptions, traits: Traits) -> tuple[SolverRun, bool]:
    """The run, and whether its optimum is proven global by the agent's class."""
    kind = traits.agent_class
    if kind in (AgentClass.LP, AgentClass.CONVEX_QP):
        return by_name("highs").run(built.model, options), True
    if kind is AgentClass.INTEGER and traits.linear_rows and built.model.objective.polynomial_degree() in (0, 1):
        return by_name("highs").run(built.model, options), True
    if kind is AgentClass.CONVEX_NLP:
        run = _local(built, options)
        if run is not None and run.termination is Termination.LOCALLY_OPTIMAL:
            return run, True
    return _global(built, options)


def _local(built: AgentModel, options: SolverOptions) -> SolverRun | None:
    ipopt = by_name("ipopt")
    return None if ipopt.missing() else ipopt.run(built.model, options)


def _global(built: AgentModel, options: SolverOptions) -> tuple[SolverRun, bool]:
    try:
        return by_name("scip").run(built.model, options), True
    except (RefusedError, SolverMissingError):
        # SCIP lacks one of the functions. The answer below is marked unproven, and the verdict says so.
        return _multistart(built, options), False


def _multistart(built: AgentModel, options: SolverOptions) -> SolverRun:
    """Ipopt from several starts; the best run. Raises SolverMissingError without Ipopt."""
    ipopt = by_name("ipopt")
    random = np.random.default_rng(options.seed or 0)
    sense = -1.0 if built.model.objective.sense == pyo.maximize else 1.0
    best: SolverRun | None = None
    for attempt in range(MULTISTARTS):
        if attempt:
            for twin in built.twins.values():
                twin.set_value(_random_start(twin, random), skip_validation=True)
        run = ipopt.run(built.model, options)
        if run.objective is not None and run.termination is Termination.LOCALLY_OPTIMAL:
            better = best is None or best.objective is None or sense * run.objective < sense * best.objective
            best = run if better else best
        elif best is None:
            best = run
    assert best is not None
    return best


def _random_start(variable: Any, random: np.random.Generator) -> float:
    lower = -10.0 if variable.lb is None else variable.lb
    upper = lower + 20.0 if variable.ub is None else variable.ub
    return float(random.uniform(min(lower, upper), upper))


def _read(built: AgentModel, run: SolverRun, proves: bool) -> Response:
    how = run.solver
    if run.termination in (Termination.INFEASIBLE, Termination.LOCALLY_INFEASIBLE):
        proven = run.termination is Termination.INFEASIBLE
        return Response(False, True, None, None, ComponentMap(), proven, how)
    if run.termination in (Termination.UNBOUNDED, Termination.INFEASIBLE_OR_UNBOUNDED):
        return Response(True, False, None, None, ComponentMap(), True, how)
    values: ComponentMap = ComponentMap()
    if run.values is not None:
        values = ComponentMap((v, run.values.get(twin, twin.value)) for v, twin in built.twins.items())
    local = run.termination is Termination.LOCALLY_OPTIMAL
    bound = run.objective if (local and proves) else run.bound
    proven = proves and run.termination in (Termination.OPTIMAL, Termination.LOCALLY_OPTIMAL)
    suffix = "" if proven else " (several starts, not proven)" if local else f" ({run.termination.value})"
    return Response(True, True, run.objective, bound, values, proven, how + suffix)


def natural_residual(agent: Agent, values: ComponentMap, options: SolverOptions) -> tuple[float, str]:
    """``|y - P_K(y - F(y))|`` (largest component) of a VI at a point, and how the projection was found.

    Zero exactly at a solution (Facchinei and Pang, Finite-Dimensional Variational Inequalities, section 1.5). inf where F is
    not defined or the projection fails.
    """
    variables = [f.variable for f in agent.functions if not is_pinned(f.variable)]
    forces = [0.0 if f.expression is None else number_at(f.expression, values) for f in agent.functions if not is_pinned(f.variable)]
    at = np.array([value_of(v, values) for v in variables])
    target = at - np.array(forces)
    if not np.all(np.isfinite(target)):
        return math.inf, "F is not defined at the point"
    if not agent.rows:
        lower = np.array([-np.inf if v.lb is None else v.lb for v in variables])
        upper = np.array([np.inf if v.ub is None else v.ub for v in variables])
        return float(np.max(np.abs(at - np.clip(target, lower, upper)), initial=0.0)), "projection on bounds"
    return _projection_residual(agent, values, variables, at, target, options)


def _projection_residual(
    agent: Agent, values: ComponentMap, variables: list[Any], at: np.ndarray, target: np.ndarray, options: SolverOptions
) -> tuple[float, str]:
    how = "no answer"
    for relax in (0.0, RELAXATION):
        built = constraints_model(agent, values, relax)
        twins = [built.twins[v] for v in variables]
        built.model.objective = pyo.Objective(expr=sum((t - float(c)) ** 2 for t, c in zip(twins, target, strict=True)))
        solver = "highs" if traits_of(agent).linear_rows else "ipopt"
        run = by_name(solver).run(built.model, options)
        how = f"projection by {run.solver}" + (f", rows relaxed by {relax:g}" if relax else "")
        if run.values is not None and run.termination in (Termination.OPTIMAL, Termination.LOCALLY_OPTIMAL):
            projected = np.array([run.values[t] for t in twins])
            return float(np.max(np.abs(at - projected))), how
    return math.inf, f"{how}: {run.termination.value}"


def local_response(agent: Agent, values: ComponentMap, options: SolverOptions) -> ComponentMap | None:
    """A locally optimal answer of ``agent`` from the values given, quickly; None where there is none. For start points only."""
    built = response_model(agent, values)
    if not built.twins:
        return None
    solver = by_name("highs" if built.model.objective.expr.polynomial_degree() in (0, 1) and _all_linear(built) else "ipopt")
    run = solver.run(built.model, options)
    if run.values is None:
        return None
    return ComponentMap((v, run.values.get(twin, twin.value)) for v, twin in built.twins.items())


def _all_linear(built: AgentModel) -> bool:
    return all(row.body.polynomial_degree() in (0, 1) for row in built.model.row.values())
