"""The optimal answers of an agent at a point, as a set: what it is indifferent between.

All optimal answers of a convex problem share the multipliers of any one of them: a row or bound whose multiplier is not zero is
tight in all of them, and the gradient of the objective is the same (Mangasarian, A simple characterization of solution sets of
convex programs, Operations Research Letters 7 (1988) 21-26). For an LP and a convex QP this describes the set by linear rows
alone, and no tolerance on the objective is needed. For a convex NLP the Hessian at the answer takes the place of the QP's: the
set so described holds all optimal answers and perhaps others, so that what is found in it has to be looked at once more.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import pyomo.environ as pyo
from pyomo.common.collections import ComponentMap, ComponentSet
from pyomo.core.expr.relational_expr import EqualityExpression

from bilevel_lang.components.plain_sums import coefficients, plain_terms
from bilevel_lang.components.walking import variables_in
from bilevel_lang.errors import ModelFileError, RefusedError
from bilevel_lang.oracle.agent_model import (
    UNDEFINED,
    AgentModel,
    expression_at,
    number_at,
    response_model,
    value_of,
    violation_of,
)
from bilevel_lang.oracle.gradient import Gradient
from bilevel_lang.oracle.magnitude import magnitude, unit_of
from bilevel_lang.oracle.one_point import is_one_point
from bilevel_lang.oracle.response import RELAXATION, objective_factor
from bilevel_lang.oracle.traits import AgentClass, Traits, traits_of
from bilevel_lang.problem import Agent
from bilevel_lang.solvers.registry import by_name
from bilevel_lang.solvers.solver import SolverOptions, SolverRun, Termination

INDIFFERENT = 1e-6
"""A slope of the objective below this share of the size of its terms counts as none.

The leader's variables come from a solver with tolerances of that size: ``min (x - 0.25) * y`` is a tie at x = 0.25 + 1e-8.
"""

LARGEST = 20_000
"""Owned variables up to which the set is built."""

LARGEST_CURVED = 200
"""The same for a convex NLP, whose Hessian is derived term by term."""

EXACT_CLASSES = (AgentClass.LP, AgentClass.CONVEX_QP)


class NotDescribedError(Exception):
    """The set of optimal answers cannot be described here; the text says why."""


@dataclass(frozen=True, eq=False)
class OptimalFace:
    """``model`` has the agent's variables (``twins``) and the rows of the set, no objective; the answer itself is in it.

    ``exact`` False: it may hold answers that are not optimal. ``single``: it is proven that the answer is all that is in it.
    """

    model: Any
    twins: ComponentMap
    exact: bool
    single: bool = False


def optimal_face(agent: Agent, values: ComponentMap, options: SolverOptions, traits: Traits | None = None) -> OptimalFace:
    """The optimal answers of ``agent``, everybody else fixed at ``values``, where its own variables are at an optimal answer.

    Raises NotDescribedError for a VI, for an agent that is not proven convex or not smooth, for a large one, and where its
    multipliers could not be had.
    """
    traits = traits or traits_of(agent)
    reason = _why_not(agent, traits)
    if reason:
        raise NotDescribedError(reason)
    try:
        built, multipliers = _solved(agent, values, options, traits)
        single = _fix_tight(agent, built, values, multipliers)
        _keep_gradient(agent, built, values, traits)
    except (*UNDEFINED, ModelFileError, RefusedError) as error:
        raise NotDescribedError(f"a function has no value or derivative at the answer ({error})") from error
    return OptimalFace(built.model, built.twins, traits.agent_class in EXACT_CLASSES, single)


def _why_not(agent: Agent, traits: Traits) -> str | None:
    if agent.objective is None:
        return "the solutions of a VI are not described"
    if not traits.convex:
        return f"the agent is {traits.agent_class.value}"
    if not traits.smooth:
        return "the agent may have no derivative at its answer"
    most = LARGEST if traits.agent_class in EXACT_CLASSES else LARGEST_CURVED
    count = len(agent.variables)
    return f"{count} variables, more than {most}" if count > most else None


@dataclass(frozen=True, eq=False)
class _Multipliers:
    """``rows`` by their index in the agent's model, reduced costs of ``columns`` by the agent's own variable."""

    rows: dict[int, float]
    columns: ComponentMap


def _solved(agent: Agent, values: ComponentMap, options: SolverOptions, traits: Traits) -> tuple[AgentModel, _Multipliers]:
    """The agent's own feasible set, its rows relaxed where there is no answer otherwise, and the multipliers of its problem."""
    factor = objective_factor(agent, values)
    names = {AgentClass.LP: ("highs",), AgentClass.CONVEX_QP: ("highs", "ipopt")}.get(traits.agent_class, ("ipopt",))
    for relax in (0.0, RELAXATION):
        for name in names:
            solver = by_name(name)
            if solver.missing():
                continue
            built = response_model(agent, values, relax, factor)
            run = solver.run(built.model, options) if built.twins else None
            if run is not None and run.duals is not None and run.termination in _ENDED:
                built.model.del_component("objective")
                return built, _by_position(built, run, factor)
    raise NotDescribedError("its multipliers could not be found")


_ENDED = (Termination.OPTIMAL, Termination.LOCALLY_OPTIMAL)


def _by_position(built: AgentModel, run: SolverRun, factor: float) -> _Multipliers:
    assert run.duals is not None and run.reduced_costs is not None
    rows = {index: run.duals.get(row, 0.0) / factor for index, row in built.model.row.items()}
    columns = ComponentMap((v, run.reduced_costs.get(twin, 0.0) / factor) for v, twin in built.twins.items())
    return _Multipliers(rows, columns)


def sizes(expression: Any, own: ComponentSet, values: ComponentMap) -> tuple[float, float]:
    """Size of ``expression`` in the variables ``own`` and of its slopes, others counting with at least their unit.

    A solver that says x = 1e-8 may mean 0, so that ``min x * y`` is a tie there as ``min (x - 1) * y`` is at x = 1 + 1e-8.
    """
    here = magnitude(expression, own, values)
    total, slope = here.total, here.slope(values)
    out = _at_their_units(expression, own, values)
    if out is None:
        return total, slope
    try:
        there = magnitude(expression, own, out)
        far, steep = there.total, there.slope(out)
    except UNDEFINED:
        return total, slope  # a logarithm may have no value out there: the size at the point is all there is
    return (max(total, far), max(slope, steep)) if math.isfinite(far + steep) else (total, slope)


def _at_their_units(expression: Any, own: ComponentSet, values: ComponentMap) -> ComponentMap | None:
    """The point with all others at their units; None where no other is in ``expression``."""
    others = [v for v in variables_in(expression) if v not in own and v.is_continuous()]
    if not others:
        return None
    found = ComponentMap(values.items())
    for variable in others:
        at = value_of(variable, values)
        below = at < 0 or (at == 0 and variable.ub is not None and variable.ub <= 0)
        found[variable] = -unit_of(variable, values) if below else unit_of(variable, values)
    return found


def _fix_tight(agent: Agent, built: AgentModel, values: ComponentMap, multipliers: _Multipliers) -> bool:
    """Rows and bounds with a multiplier stay as they are at the answer; the others are moved, if need be, to hold there.

    Returns whether the rows that stay leave no other point.
    """
    assert agent.objective is not None
    least = INDIFFERENT * sizes(agent.objective.expression, ComponentSet(built.twins), values)[1]
    gradient = Gradient(built.twins.values())
    built.model.tight = pyo.ConstraintList()
    held: list[list[tuple[Any, float]]] = []
    for index, row in list(built.model.row.items()):
        at, slopes, linear = _read(row.body, gradient)
        steepest = max((abs(n) for _, n in slopes), default=0.0)
        lower, upper = row.lb, row.ub
        if (lower is not None and lower == upper) or abs(multipliers.rows[index]) * steepest > least:
            if linear:
                row.set_value(EqualityExpression((row.body, at)))
                held.append(slopes)
            else:
                _hold(built.model.tight, row, gradient)
        elif violation_of(at, lower, upper) > 0:
            row.set_value((_least(lower, at), row.body, _most(upper, at)))
    for variable, twin in built.twins.items():
        at = value_of(variable, values)
        if abs(multipliers.columns[variable]) > least:
            twin.fix(at, skip_validation=True)
        else:
            twin.setlb(_least(twin.lb, at))
            twin.setub(_most(twin.ub, at))
    return is_one_point(held, [twin for twin in built.twins.values() if not twin.fixed])


def _read(body: Any, gradient: Gradient) -> tuple[float, list[tuple[Any, float]], bool]:
    """Value and slopes of ``body`` at the answer, and whether it is linear."""
    terms, slopes = plain_terms(body), coefficients(body)
    if terms is None or slopes is None:
        return float(pyo.value(body)), list(_numbers(gradient.derivatives(body)).items()), body.polynomial_degree() == 1
    return terms[0] + sum(factor * variable.value for factor, variable in terms[1]), slopes, True


def _least(side: float | None, at: float) -> float | None:
    return None if side is None else min(side, at)


def _most(side: float | None, at: float) -> float | None:
    return None if side is None else max(side, at)


def _hold(block: Any, row: Any, gradient: Gradient) -> None:
    """Replace a curved ``row`` by what it is on the whole set: its body is constant there, and so is its gradient."""
    body = row.body
    row.deactivate()
    _level(block, body, gradient, 0.0)
    _flat(block, body, gradient, 0.0)


def _keep_gradient(agent: Agent, built: AgentModel, values: ComponentMap, traits: Traits) -> None:
    """The objective's gradient is the same everywhere in the set: H (y - answer) = 0, and gradient (y - answer) = 0."""
    assert agent.objective is not None
    if traits.agent_class is AgentClass.LP:
        return  # constant anyway, and with the tight rows it makes the objective constant
    size = sizes(agent.objective.expression, ComponentSet(built.twins), values)[1]
    expression = expression_at(agent.objective.expression, values, built.twins)
    gradient = Gradient(built.twins.values())
    _flat(built.model.tight, expression, gradient, INDIFFERENT * size)


def _level(block: Any, expression: Any, gradient: Gradient, least: float) -> None:
    _add_row(block, _numbers(gradient.derivatives(expression)), least)


def _flat(block: Any, expression: Any, gradient: Gradient, least: float) -> None:
    """One row for each derivative: it does not change. Entries up to ``least`` count as zero."""
    second: ComponentMap = ComponentMap()
    for variable, derivative in gradient.derivatives(expression):
        if derivative.__class__ in (int, float) or not derivative.is_potentially_variable():
            continue
        second.setdefault(variable, []).extend(gradient.derivatives(derivative))
    for derivatives in second.values():
        _add_row(block, _numbers(derivatives), least)


def _add_row(block: Any, entries: ComponentMap, least: float) -> None:
    """``entries`` times the way from the answer is 0; a fixed variable goes no way."""
    kept = [(v, n) for v, n in entries.items() if abs(n) > least and not v.fixed]
    if kept:
        block.add(sum(n * (v - float(v.value)) for v, n in kept) == 0)


def _numbers(derivatives: list[tuple[Any, Any]]) -> ComponentMap:
    """Derivatives at the answer, which the twins hold as their values."""
    nothing: ComponentMap = ComponentMap()
    total: ComponentMap = ComponentMap()
    for variable, derivative in derivatives:
        total[variable] = total.get(variable, 0.0) + number_at(derivative, nothing)
    return total
