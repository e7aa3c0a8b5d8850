"""Pyomo's own `core.kkt` as a second opinion: for every known problem with one follower, the two systems say the same.

`core.kkt` writes the conditions of a whole model with some variables as data; here, of a block with the follower's objective and
rows. Its multipliers are >= 0 on every side, ours carry the sign of docs/signs.md.
"""

from __future__ import annotations

import random
from typing import Any

import pyomo.environ as pyo
import pytest
from pyomo.common.collections import ComponentSet
from pyomo.core.expr.visitor import identify_variables
from pyomo.mpec import Complementarity

import bilevel_lang as bl
from tests.known_problems.test_known_problems import PROBLEMS, bilevel

CORE, OURS = pyo.TransformationFactory("core.kkt"), pyo.TransformationFactory("bilevel.kkt")
PROBLEMS_OF_ONE_FOLLOWER = [pytest.param(p, id=p["name"]) for p in PROBLEMS["bilevel"]]
LINEAR = [p for p in PROBLEMS["bilevel"] if p["class"] == "LP-LP"]


def by_core(problem: dict[str, Any]) -> Any:
    """The model with the conditions of `core.kkt` on a block of its own."""
    model, annotation = bilevel(problem)
    agent = bl.resolve(model, annotation).agents[0]
    own = ComponentSet(agent.variables)
    model.part = pyo.Block()
    model.part.objective = pyo.Objective(expr=model.follower.expr, sense=model.follower.sense)
    model.part.rows = pyo.ConstraintList()
    for row in rows_with(own, agent):
        model.part.rows.add((row.lower, row.body, row.upper))
        row.component.deactivate()
    used = ComponentSet(identify_variables(model.part.objective.expr))
    for row in model.part.rows.values():
        used.update(identify_variables(row.body))
    CORE.apply_to(model.part, parameterize_wrt=[v for v in used if v not in own])
    return model


def rows_with(own: ComponentSet, agent: Any) -> list[Any]:
    """The rows that the follower can do something about. The others stay constraints, as they do in our rewrite."""
    return [row for row in agent.rows if any(v in own for v in identify_variables(row.body))]


def by_us(problem: dict[str, Any]) -> Any:
    model, annotation = bilevel(problem)
    OURS.apply_to(model, annotation=annotation)
    return model


def give_multipliers(core: Any, ours: Any, problem: dict[str, Any], chance: random.Random) -> None:
    """The same random multipliers to both: lambda of ours is gamma, lower alpha, or minus upper alpha of `core.kkt`."""
    agent = bl.resolve(*bilevel(problem)).agents[0]
    for place, row in enumerate(rows_with(ComponentSet(agent.variables), agent), start=1):
        number = chance.uniform(0.1, 2)
        theirs = CORE.get_multiplier_from_object(core.part, core.part.rows[place])
        mine = OURS.get_multiplier_from_object(ours, ours.find_component(row.name))
        lower, upper = theirs if isinstance(theirs, tuple) else (theirs, None)
        (lower if lower is not None else upper).set_value(number)
        mine.set_value(number if lower is not None else -number)
    for name in problem["vars"]["follower"]:
        for theirs, mine in zip(
            CORE.get_multiplier_from_object(core.part, core.component(name)), bound_multipliers(ours, name), strict=True
        ):
            assert (theirs is None) == (mine is None)
            if mine is not None:
                number = chance.uniform(0.1, 2)
                theirs.set_value(number)
                mine.set_value(number)


def bound_multipliers(ours: Any, name: str) -> tuple[Any, Any]:
    try:
        return OURS.get_multiplier_from_object(ours, ours.component(name))  # type: ignore[no-any-return]
    except bl.UsageError:  # a free variable
        return (None, None)


def stationarity(block: Any) -> list[float]:
    rows = block.component("stationarity") or block.stationarity_conditions
    return sorted(pyo.value(row.body) - pyo.value(row.upper) for row in rows.values())


def products(model: Any) -> list[float]:
    """|left * right| of every complementarity."""
    found = []
    for condition in model.component_data_objects(Complementarity, active=True):
        sides = [condition._canonical_expression(side) for side in condition._args]
        size = 1.0
        for low, body, up in sides:
            size *= pyo.value(body) - pyo.value(low if low is not None else up)
        found.append(abs(size))
    return sorted(found)


@pytest.mark.parametrize("problem", PROBLEMS_OF_ONE_FOLLOWER)
def test_the_conditions_agree_at_random_points(problem: dict[str, Any]) -> None:
    core, ours = by_core(problem), by_us(problem)
    chance = random.Random(problem["name"])
    for _ in range(3):
        for name in (*problem["vars"]["leader"], *problem["vars"]["follower"]):
            number = chance.uniform(0.1, 2)  # positive: some have logarithms
            core.component(name).set_value(number, skip_validation=True)
            ours.component(name).set_value(number, skip_validation=True)
        give_multipliers(core, ours, problem, chance)
        assert stationarity(ours.kkt) == pytest.approx(stationarity(core.part.kkt), rel=1e-8, abs=1e-8)
        assert products(ours) == pytest.approx(products(core), rel=1e-8, abs=1e-8)


@pytest.mark.parametrize("problem", [pytest.param(p, id=p["name"]) for p in LINEAR[:6]])
def test_solved_by_the_same_route_the_answers_agree(problem: dict[str, Any]) -> None:
    for build in (by_core, by_us):
        model = build(problem)
        pyo.TransformationFactory("mpec.simple_nonlinear").apply_to(model)
        pyo.assert_optimal_termination(pyo.SolverFactory("scip_direct").solve(model))
        best = problem["best_known_upper"]
        assert pyo.value(model.leader) == pytest.approx(best, abs=1e-3 * max(1.0, abs(best)))
