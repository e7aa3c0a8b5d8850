"""A follower's answer to given decisions of the others, to global optimality."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

from pyomo.common.collections import ComponentMap

from bilevel_lang.errors import RefusedError, SolverFailedError
from bilevel_lang.oracle.agent_model import UNDEFINED, AgentModel, number_at, response_model, violation_of
from bilevel_lang.problem import Agent
from bilevel_lang.solvers.registry import by_name
from bilevel_lang.solvers.solver import SolverOptions, SolverRun, Termination

GAP = 1e-7
"""Distance of SCIP's bounds at which a follower's problem counts as solved, its objective brought to size 1."""

RELAXATION = 1e-7
"""How far a follower's rows are moved outwards where rounding in the others' decisions leaves it no answer."""

FEASIBLE = 1e-9
"""What the rows may miss, relative to max(1, |side|), at an answer that Ipopt has improved."""

BOXES = (1e2, 1e4, 1e6)
"""Bounds for the variables of a follower without a best answer, to get a good one; tried in this order."""

SECONDS = 10.0
"""For Ipopt."""


@dataclass(frozen=True, eq=False)
class Answer:
    """``value`` is the follower's objective at ``values``, in its own sense; both None where no answer was found.

    ``bounded`` False: it has ever better answers, and this is one of them. ``loss`` >= 0: by how much ``value`` may miss the
    optimum, as far as is proven.
    """

    values: ComponentMap | None
    value: float | None
    ended: Termination
    loss: float = math.inf
    bounded: bool = True


def best_answer(agent: Agent, values: ComponentMap, factor: float, options: SolverOptions) -> Answer:
    """Solve ``agent`` with everything that it does not own at ``values``; ``factor`` > 0 brings its objective to size 1.

    SCIP finds the answer and the proof, Ipopt (where it is installed) the last digits. Raises what SCIP's adapter raises.
    """
    options = replace(options, extra={"limits/absgap": GAP, **options.extra})
    answer = _solved(agent, values, 0.0, factor, options)
    if answer.ended is Termination.INFEASIBLE:
        answer = _solved(agent, values, RELAXATION, factor, options)
    if answer.ended in (Termination.UNBOUNDED, Termination.INFEASIBLE_OR_UNBOUNDED):
        return _far_answer(agent, values, factor, options)
    return answer


def _solved(agent: Agent, values: ComponentMap, relax: float, factor: float, options: SolverOptions) -> Answer:
    try:
        built = response_model(agent, values, relax, factor)
    except UNDEFINED:
        return Answer(None, None, Termination.FAILED)
    run = by_name("scip").run(built.model, options)
    answer = _read(agent, built, run, values, factor)
    return answer if answer.values is None else _polished(agent, built, run, values, factor, answer)


def _read(agent: Agent, built: AgentModel, run: SolverRun, values: ComponentMap, factor: float) -> Answer:
    if run.values is None:
        return Answer(None, None, run.termination)
    answer = ComponentMap((v, _inside(v, run.values.get(twin, twin.value))) for v, twin in built.twins.items())
    value = _objective_at(agent, values, answer)
    if not math.isfinite(value):
        return Answer(None, None, Termination.FAILED)
    loss = math.inf if run.bound is None else max(0.0, agent.sign * (value - run.bound / factor))
    return Answer(answer, value, run.termination, loss)


def _objective_at(agent: Agent, values: ComponentMap, answer: ComponentMap) -> float:
    assert agent.objective is not None
    return number_at(agent.objective.expression, ComponentMap([*values.items(), *answer.items()]))


def _inside(variable: Any, value: float | None) -> float:
    """Within bounds and domain: solvers keep them up to their tolerances only."""
    value = 0.0 if value is None else float(value)
    value = value if variable.is_continuous() else float(round(value))
    value = value if variable.lb is None else max(value, float(variable.lb))
    return value if variable.ub is None else min(value, float(variable.ub))


def _polished(agent: Agent, built: AgentModel, run: SolverRun, values: ComponentMap, factor: float, answer: Answer) -> Answer:
    """The local optimum next to ``answer``, where it is better; integers stay."""
    ipopt = by_name("ipopt")
    assert answer.values is not None and answer.value is not None
    if ipopt.missing() is not None:
        return answer
    for variable, twin in built.twins.items():
        twin.set_value(answer.values[variable], skip_validation=True)
        if not twin.is_continuous():
            twin.fix()
    try:
        found = ipopt.run(built.model, SolverOptions(time_limit=SECONDS))
    except (RefusedError, SolverFailedError):
        return answer  # it was an attempt to do better; what SCIP has found stands
    if found.values is None or found.termination is not Termination.LOCALLY_OPTIMAL:
        return answer
    better = _read(agent, built, replace(found, bound=run.bound), values, factor)
    if better.value is None or better.values is None or agent.sign * (better.value - answer.value) >= 0:
        return answer
    there = ComponentMap([*values.items(), *better.values.items()])
    holds = all(violation_of(number_at(row.body, there), row.lower, row.upper) <= FEASIBLE for row in agent.rows)
    return replace(better, ended=answer.ended) if holds else answer


def _far_answer(agent: Agent, values: ComponentMap, factor: float, options: SolverOptions) -> Answer:
    """An answer within a box, where there is no best one."""
    for size in BOXES:
        built = response_model(agent, values, 0.0, factor)
        for twin in built.twins.values():
            twin.setlb(-size if twin.lb is None else twin.lb)
            twin.setub(size if twin.ub is None else twin.ub)
        answer = _read(agent, built, by_name("scip").run(built.model, options), values, factor)
        if answer.values is not None:
            return replace(answer, bounded=False, ended=Termination.UNBOUNDED)
    return Answer(None, None, Termination.UNBOUNDED, bounded=False)
