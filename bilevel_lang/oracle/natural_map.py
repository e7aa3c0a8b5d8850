"""Is a point a solution of a variational inequality? Find y in K with F(y)'(z - y) >= 0 for all z in K.

For a convex K that is y = P_K(y - F(y)) (Facchinei and Pang, Finite-Dimensional Variational Inequalities, section 1.5). P_K needs
a solve unless K is a box. For a K that is not known to be convex the definition itself is used: F(y) is minimised over K.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyomo.environ as pyo
from pyomo.common.collections import ComponentMap
from pyomo.core.expr.visitor import identify_variables
from pyomo.repn import generate_standard_repn

from bilevel_lang.oracle.agent_model import UNDEFINED, constraints_model, number_at, value_of
from bilevel_lang.oracle.magnitude import magnitude, unit_of
from bilevel_lang.oracle.response import RELAXATION
from bilevel_lang.oracle.traits import is_pinned, traits_of
from bilevel_lang.problem import Agent, Function
from bilevel_lang.solvers.registry import by_name
from bilevel_lang.solvers.solver import SolverOptions, SolverRun, Termination


@dataclass(frozen=True, slots=True)
class Residual:
    """``size`` is |y - P_K(y - F(y)/s)|, largest component, in units of y; ``relative`` the same by the size of each component.

    ``proven`` False: the figure decides nothing (no proof over a set not known to be convex). inf where F is not defined or no
    projection was found.
    """

    size: float
    relative: float
    proven: bool
    how: str


def natural_residual(agent: Agent, values: ComponentMap, options: SolverOptions) -> Residual:
    """How far a point is from solving a VI; 0 exactly at a solution.

    F is divided by its own size s first, because a VI stays the same when F is multiplied by a positive number (over a box: each
    component by its own) and the residual must not change with it either.
    """
    functions = [f for f in agent.functions if not is_pinned(f.variable)]
    variables = [f.variable for f in functions]
    forces = np.array([0.0 if f.expression is None else number_at(f.expression, values) for f in functions])
    at = np.array([value_of(v, values) for v in variables])
    units = np.array([unit_of(v, values) for v in variables])
    if not (np.all(np.isfinite(forces)) and np.all(np.isfinite(at))):
        return Residual(math.inf, math.inf, True, "F is not defined at the point")
    sizes = np.array([force_size(f, values) for f in functions])
    traits = traits_of(agent)
    if not traits.convex:
        return _definition(agent, values, variables, forces, sizes, options)
    if not agent.rows:
        lower = np.array([-np.inf if v.lb is None else v.lb for v in variables])
        upper = np.array([np.inf if v.ub is None else v.ub for v in variables])
        moves = np.abs(at - np.clip(at - forces * units / sizes, lower, upper))
        return _residual(moves, units, "projection on bounds")
    joint = max(sizes / units, default=1.0)
    return _projection(agent, values, variables, at, units, at - forces / joint, traits.linear_rows, options)


def force_size(function: Function, values: ComponentMap) -> float:
    """The size of the terms of F_i, its constant among them; 1 where there is none."""
    if function.expression is None:
        return 1.0
    variables = list(identify_variables(function.expression, include_fixed=False))
    constant = generate_standard_repn(function.expression, quadratic=True).constant
    return max(magnitude(function.expression, variables, values).total, abs(float(constant))) or 1.0


def _residual(moves: Any, units: Any, how: str) -> Residual:
    return Residual(float(np.max(moves, initial=0.0)), float(np.max(moves / units, initial=0.0)), True, how)


def _projection(
    agent: Agent,
    values: ComponentMap,
    variables: list[Any],
    at: Any,
    units: Any,
    target: Any,
    linear: bool,
    options: SolverOptions,
) -> Residual:
    how = "no answer"
    for relax in (0.0, RELAXATION):
        try:
            built = constraints_model(agent, values, relax)
        except UNDEFINED:
            return Residual(math.inf, math.inf, True, "a row is not defined at the point")
        twins = [built.twins[v] for v in variables]
        built.model.objective = pyo.Objective(expr=sum((t - float(c)) ** 2 for t, c in zip(twins, target, strict=True)))
        run = _nearest(built.model, linear, options)
        how = f"projection by {run.solver}" + (f", rows relaxed by {relax:g}" if relax else "")
        if run.values is not None and run.termination in (Termination.OPTIMAL, Termination.LOCALLY_OPTIMAL):
            projected = np.array([run.values[t] for t in twins])
            return _residual(np.abs(at - projected), units, how)
    return Residual(math.inf, math.inf, True, f"{how}: {run.termination.value}")


def _nearest(model: Any, linear: bool, options: SolverOptions) -> SolverRun:
    """The projection. The objective is strictly convex and the set convex: Ipopt's local optimum is the only one."""
    if linear:
        run = by_name("highs").run(model, options)
        if run.termination not in (Termination.FAILED, Termination.LIMIT):
            return run
    local = "scip" if by_name("ipopt").missing() else "ipopt"
    return by_name(local).run(model, options)


def _definition(
    agent: Agent, values: ComponentMap, variables: list[Any], forces: Any, sizes: Any, options: SolverOptions
) -> Residual:
    """F(y)'y minus the least F(y)'z over K, relative to the sizes of the terms: 0 exactly at a solution, whatever K is."""
    at = np.array([value_of(v, values) for v in variables])
    scaled = forces / max(sizes, default=1.0)
    try:
        built = constraints_model(agent, values)
    except UNDEFINED:
        return Residual(math.inf, math.inf, True, "a row is not defined at the point")
    terms = [float(c) * built.twins[v] for c, v in zip(scaled, variables, strict=True)]
    built.model.objective = pyo.Objective(expr=sum(terms) if terms else 0.0)
    run = by_name("scip").run(built.model, options)
    how = f"least F'z by {run.solver}"
    if run.bound is None:
        return Residual(math.inf, math.inf, False, f"{how}: {run.termination.value}")
    gap = max(0.0, float(scaled @ at) - run.bound)
    units = np.array([unit_of(v, values) for v in variables])
    return Residual(gap, gap / float(np.max(units, initial=1.0)), True, how)
