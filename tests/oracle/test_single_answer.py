"""One answer or several, against the vertices of the follower's polyhedron and against hand-made cases."""

from __future__ import annotations

import itertools

import numpy as np
import pyomo.environ as pyo
import pytest
from pyomo.common.collections import ComponentMap

from bilevel_lang.oracle.optimal_face import optimal_face
from bilevel_lang.oracle.single_answer import is_single_answer
from bilevel_lang.oracle.traits import traits_of
from bilevel_lang.solvers.solver import SolverOptions
from tests.oracle.agents import follower


def ask(m: pyo.ConcreteModel, point: dict[str, float], sense: str = "min") -> bool:
    agent = follower(m, f"bilevel x\n{sense} f y c")
    values = ComponentMap((m.find_component(name), value) for name, value in point.items())
    single = is_single_answer(agent, values, SolverOptions(), traits_of(agent))
    if single:  # the set of answers, which is made in another way, must not deny it
        assert optimal_face(agent, values, SolverOptions()).single
    return single


def optimal_vertices(cost: np.ndarray, normals: np.ndarray, sides: np.ndarray) -> np.ndarray:
    points = []
    for chosen in itertools.combinations(range(len(sides)), len(cost)):
        square = normals[list(chosen)]
        if abs(np.linalg.det(square)) > 1e-9:
            point = np.linalg.solve(square, sides[list(chosen)])
            if np.all(normals @ point >= sides - 1e-9):
                points.append(point)
    best = min(cost @ p for p in points)
    return np.unique(np.round([p for p in points if cost @ p <= best + 1e-9], 9), axis=0)


@pytest.mark.parametrize("seed", range(40))
def test_never_where_there_are_two_vertices(seed: int) -> None:
    random = np.random.default_rng(seed)
    cost, matrix, side = random.integers(0, 3, 3), random.integers(0, 3, (2, 3)), random.integers(0, 4, 2)
    side = np.minimum(side, 2 * matrix.sum(axis=1))  # what the box allows
    normals = np.vstack([matrix, np.eye(3), -np.eye(3)]).astype(float)
    vertices = optimal_vertices(cost, normals, np.concatenate([side, np.zeros(3), -2 * np.ones(3)]))
    m = pyo.ConcreteModel()
    m.x, m.y = pyo.Var(bounds=(0, 1)), pyo.Var(range(3), bounds=(0, 2))
    m.f = pyo.Expression(expr=sum(int(cost[j]) * m.y[j] for j in range(3)) + 0 * m.x)
    m.c = pyo.ConstraintList()
    for a, b in zip(matrix, side, strict=True):
        m.c.add(sum(int(a[j]) * m.y[j] for j in range(3)) + m.x >= int(b))
    single = ask(m, {"x": 0.0, **{f"y[{j}]": vertices[0][j] for j in range(3)}})
    assert not (single and len(vertices) > 1)


def model(objective: object, *rows: object) -> pyo.ConcreteModel:
    m = pyo.ConcreteModel()
    m.x, m.y = pyo.Var(bounds=(0, 1)), pyo.Var([1, 2], bounds=(0, 5))
    m.f = pyo.Expression(expr=objective(m))  # type: ignore[operator]
    m.c = pyo.ConstraintList()
    for row in rows:
        m.c.add(row(m))  # type: ignore[operator]
    return m


AT_LEAST_ONE = lambda m: m.y[1] + m.y[2] >= 1 + m.x  # noqa: E731


@pytest.mark.parametrize("scale", [1e-7, 1.0, 1e7])
def test_one_answer_is_seen_whatever_the_units(scale: float) -> None:
    m = model(lambda m: scale * (m.y[1] + 2 * m.y[2]), AT_LEAST_ONE)
    assert ask(m, {"x": 0.5, "y[1]": 1.5, "y[2]": 0.0})
    tie = model(lambda m: scale * (m.y[1] + m.y[2]), AT_LEAST_ONE)
    assert not ask(tie, {"x": 0.5, "y[1]": 1.5, "y[2]": 0.0})


def test_a_max_agent() -> None:
    m = model(lambda m: 2 * m.y[1] + m.y[2], lambda m: m.y[1] + m.y[2] <= 1 + m.x)
    assert ask(m, {"x": 1.0, "y[1]": 2.0, "y[2]": 0.0}, "max")


def test_bounds_alone_make_one_answer() -> None:
    assert ask(model(lambda m: m.y[1] - m.y[2], lambda m: m.y[1] - m.x >= -9), {"x": 0.0, "y[1]": 0.0, "y[2]": 5.0})


def test_a_price_that_is_zero_makes_no_single_answer() -> None:
    assert not ask(model(lambda m: m.y[1] + 0 * m.y[2], AT_LEAST_ONE), {"x": 0.0, "y[1]": 0.0, "y[2]": 1.0})


def test_nothing_is_said_of_other_classes() -> None:
    m = model(lambda m: (m.y[1] - 1) ** 2 + m.y[2], AT_LEAST_ONE)
    assert not ask(m, {"x": 0.0, "y[1]": 1.0, "y[2]": 0.0})
