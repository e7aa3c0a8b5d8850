"""Between the modeller's model and its clone with soft rows: points go there, answers come back.

``adjustequ`` works on a clone (``docs/decisions/0008-soft-rows-in-a-clone.md``); the modeller never meets it. A problem without
soft rows passes through here unchanged.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pyomo.environ as pyo
from pyomo.common.collections import ComponentMap

from bilevel_lang.model_values import write_back
from bilevel_lang.oracle.agent_model import number_at
from bilevel_lang.problem import BilevelProblem, Disjunction, Softening, SoftRow
from bilevel_lang.reformulation.rewrite import Reformulation
from bilevel_lang.solution import BilevelSolution, Point

FELT = 1e-6
"""A violation above this (relative to max(1, |side|)) is worth a note."""

BINDING = 0.99
"""A row of a branch that was not chosen, violated by more than this share of a given M, is bound by that M."""


def to_problem(problem: BilevelProblem, point: Point) -> Point:
    """``point`` of the modeller's model on the variables of ``problem.model``, the slacks at the violation that it has."""
    softening = problem.softening
    if softening is None:
        return point
    twins = ComponentMap((original, twin) for twin, original in softening.components.items())
    values = ComponentMap((twins[v], value) for v, value in point.values.items() if v in twins)
    for soft in softening.rows:
        for slack, number in _violation(softening, soft, point.values):
            values[slack] = number
    return Point(values, tuple((name, value, twins.get(c, c)) for name, value, c in point.multipliers))


def to_modeller(problem: BilevelProblem, solution: BilevelSolution) -> BilevelSolution:
    """The answer in terms of the modeller's own components, with notes on violated soft rows and on a given M that is felt."""
    if solution.point is None:
        return solution
    notes = [note for d in problem.disjunctions for note in _felt_bounds(d, solution.point.values)]
    softening = problem.softening
    if softening is None:
        return replace(solution, messages=(*solution.messages, *notes)) if notes else solution
    point = _back(softening, solution.point)
    slacks = {slack.name for soft in softening.rows for slack, _ in soft.slacks}
    variables = {name: value for name, value in solution.variables.items() if name not in slacks}
    notes += [note for soft in softening.rows for note in _violated(softening, soft, point.values)]
    return replace(solution, point=point, variables=variables, messages=(*solution.messages, *notes))


def write(problem: BilevelProblem, solution: BilevelSolution) -> None:
    """:func:`bilevel_lang.assembly.write_back` into the modeller's own model."""
    softening = problem.softening
    if softening is None or solution.point is None:
        write_back(problem, solution)
        return
    write_back(problem, replace(solution, point=to_problem(problem, solution.point)))
    _copy(softening, problem.model)


def of_modeller(reformulation: Reformulation) -> Reformulation:
    """The reformulation with a way back to the modeller's own variables and rows."""
    softening = reformulation.problem.softening
    if softening is None:
        return reformulation
    known = softening.components
    variables = ComponentMap((known[v], twin) for v, twin in reformulation.variables.items() if v in known)
    multipliers = tuple(replace(m, component=known.get(m.component, m.component)) for m in reformulation.multipliers)
    return replace(reformulation, variables=variables, multipliers=multipliers)


def _back(softening: Softening, point: Point) -> Point:
    known = softening.components
    values = ComponentMap((known[v], value) for v, value in point.values.items() if v in known)
    multipliers = tuple((name, value, known.get(component, component)) for name, value, component in point.multipliers)
    return Point(values, multipliers)


def _copy(softening: Softening, clone: Any) -> None:
    """Values, and suffixes that import, from the clone to the modeller's model."""
    known = softening.components
    for twin, original in known.items():
        if getattr(original, "ctype", None) is pyo.Var and not original.fixed:
            original.set_value(twin.value, skip_validation=True)
    for suffix in clone.component_objects(pyo.Suffix, active=True):
        if suffix.local_name in ("dual", "rc") and suffix.import_enabled():
            mine = softening.original.find_component(suffix.name)
            mine.clear_all_values()
            for component, value in suffix.items():
                if component in known:
                    mine[known[component]] = value


def _violation(softening: Softening, soft: SoftRow, values: ComponentMap) -> Iterator[tuple[Any, float]]:
    """(slack, what it has to be at least) of one row at a point of the modeller's; nothing where the row has no value there."""
    row = softening.components[soft.row]
    body = number_at(row.body, values)
    if math.isnan(body):
        return
    for slack, side in soft.slacks:
        if side == "deviation":
            yield slack, body - row.lb
        else:
            yield slack, max(0.0, row.lb - body if side == "below" else body - row.ub)


def _violated(softening: Softening, soft: SoftRow, values: ComponentMap) -> Iterator[str]:
    row = softening.components[soft.row]
    size = max(1.0, abs(row.lb or 0.0), abs(row.ub or 0.0))
    found = [abs(number) for _, number in _violation(softening, soft, values)]
    if sum(found) > FELT * size:
        price = soft.weight * sum(v * v if soft.penalty == "sqr" else v for v in found)
        yield f"soft row `{soft.name}` is violated by {sum(found):.6g}, at a price of {price:.6g} to {soft.owner}"


def _felt_bounds(disjunction: Disjunction, values: ComponentMap) -> Iterator[str]:
    """Rows of branches that were not chosen and come up against the M that was given for them."""
    if disjunction.reform != "bigm" or disjunction.value is None:
        return
    for row in (row for disjunct in disjunction.disjuncts for row in disjunct.rows):
        body = number_at(row.body, values)
        above = body - row.upper if row.upper is not None else 0.0
        below = row.lower - body if row.lower is not None else 0.0
        if max(above, below) >= BINDING * disjunction.value:
            yield f"not trusted: row `{row.name}` reaches the given M = {disjunction.value:g}; raise it, or use `indic`"
