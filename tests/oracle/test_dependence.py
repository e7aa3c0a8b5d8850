"""Where inputs enter, and the shape of the value: proven shapes hold at sampled midpoints, refuted ones are not claimed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyomo.environ as pyo
import pytest

from bilevel_lang.oracle.dependence import dependence_of
from bilevel_lang.oracle.labelling import labelling_of
from tests.oracle.followers import points_of, random_follower, sampled

CASES: list[tuple[dict[str, Any], tuple[str, ...]]] = [
    ({}, ("convex",)),
    ({"top": True}, ("concave",)),
    ({"sides": False, "costs": True}, ("concave",)),
    ({"sides": False, "costs": True, "whole": 3}, ("concave",)),
    ({"sides": False, "costs": True, "top": True}, ("convex",)),
    ({"costs": True}, ()),
    ({"matrix": True}, ()),
    ({"whole": 2}, ()),
    ({"curved": True}, ("convex",)),
    ({"sides": False}, ("convex", "concave")),
]


@pytest.mark.parametrize(("kind", "shapes"), CASES, ids=str)
def test_proven_shapes_hold_at_midpoints(kind: dict[str, Any], shapes: tuple[str, ...]) -> None:
    follower = random_follower(4, **kind)
    assert dependence_of(follower.arrays).shapes == shapes
    recipe = labelling_of(follower.arrays)
    assert recipe is not None
    label = recipe.build()
    a, b = points_of(follower, 40, 1), points_of(follower, 40, 2)
    bend = 0.5 * (label(a).values + label(b).values) - label(0.5 * (a + b)).values
    bend = bend[np.isfinite(bend)]
    assert len(bend) > 10
    if "convex" in shapes:
        assert bend.min() >= -1e-6
    if "concave" in shapes:
        assert bend.max() <= 1e-6


def test_joint_convexity_of_a_projection() -> None:
    """min (y - x)^2 over a box is a squared distance; with -x^2 besides it is not convex any more."""
    m = pyo.ConcreteModel()
    m.x, m.y = pyo.Var(bounds=(-2, 2)), pyo.Var(bounds=(-1, 1))
    m.cost = pyo.Expression(expr=(m.y - m.x) ** 2)
    m.leader = pyo.Objective(expr=m.x)
    assert dependence_of(sampled(m, "bilevel x\nmin cost y").arrays).shapes == ("convex",)
    m.cost.set_value((m.y - m.x) ** 2 - 0.5 * m.x**2)
    assert dependence_of(sampled(m, "bilevel x\nmin cost y").arrays).shapes == ()


def test_what_is_counted_and_said() -> None:
    follower = random_follower(3, costs=True, matrix=True)
    found = dependence_of(follower.arrays)
    assert (found.sides, found.costs, found.matrix, found.alone, found.idle) == (6, 3, 4, True, ())
    assert found.words.startswith("inputs move the sides of 6 rows, the costs of 3 variables, 4 coefficients of rows, a part")
    assert found.words.endswith("neither convex nor concave for sure")


def test_inputs_that_do_nothing_are_named() -> None:
    m = pyo.ConcreteModel()
    m.x, m.y = pyo.Var([1, 2, 3], bounds=(0, 1)), pyo.Var(bounds=(0, 4))
    m.cost = pyo.Expression(expr=m.y)
    m.row = pyo.Constraint(expr=m.y >= m.x[1] + 0 * m.x[3])
    m.leader = pyo.Objective(expr=m.x[1] * m.x[2])
    found = sampled(m, "bilevel x\nmin cost y row")
    from bilevel_lang.oracle.compilation import compile_agent
    from bilevel_lang.oracle.parametric import ParametricAgent

    wider = compile_agent(found.problem, found.agent, [m.x[1], m.x[2], m.x[3]])
    assert isinstance(wider, ParametricAgent)
    assert dependence_of(wider).idle == ("x[2]", "x[3]")
