"""Sets of optimal answers against the vertices of the polyhedron, and against what is known of curved objectives."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pyomo.environ as pyo
import pytest
from pyomo.common.collections import ComponentMap

import bilevel_lang as bl
from bilevel_lang.oracle.optimal_face import NotDescribedError, optimal_face
from bilevel_lang.solvers.registry import by_name
from bilevel_lang.solvers.solver import SolverOptions, Termination


def extremes(m: Any, emp: str, values: dict[str, float]) -> list[tuple[float, float]]:
    """Least and largest value of each y over the optimal answers at ``values``."""
    (agent,) = bl.resolve(m, emp).agents
    point = ComponentMap((m.find_component(name), value) for name, value in values.items())
    found = []
    for variable in agent.variables:
        ends = []
        for sense in (pyo.minimize, pyo.maximize):
            face = optimal_face(agent, point, SolverOptions())
            face.model.objective = pyo.Objective(expr=face.twins[variable] + 0, sense=sense)
            run = by_name("highs").run(face.model, SolverOptions())
            assert run.termination is Termination.OPTIMAL
            ends.append(run.objective)
        found.append((ends[0], ends[1]))
    return found


@pytest.mark.parametrize("seed", range(1, 15))
@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_lp_against_vertices(seed: int, scale: float) -> None:
    random = np.random.default_rng(seed)
    cost, matrix, side = random.integers(0, 3, 3), random.integers(0, 3, (2, 3)), random.integers(0, 4, 2)
    normals = np.vstack([matrix, np.eye(3), -np.eye(3)]).astype(float)
    sides = np.concatenate([side, np.zeros(3), -2 * np.ones(3)])
    points = []
    for chosen in itertools.combinations(range(len(sides)), 3):
        square = normals[list(chosen)]
        if abs(np.linalg.det(square)) > 1e-9:
            point = np.linalg.solve(square, sides[list(chosen)])
            if np.all(normals @ point >= sides - 1e-9):
                points.append(point)
    optimum = min(cost @ p for p in points)
    best = np.array([p for p in points if cost @ p <= optimum + 1e-9])
    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=(0, 1))
    m.y = pyo.Var(range(3), bounds=(0, 2))
    m.F = pyo.Objective(expr=m.x)
    m.f = pyo.Expression(expr=scale * sum(int(cost[j]) * m.y[j] for j in range(3)) + 0 * m.y[0])
    m.row = pyo.ConstraintList()
    for a, b in zip(matrix, side, strict=True):
        m.row.add(sum(int(a[j]) * m.y[j] for j in range(3)) + 0 * m.x >= int(b))
    values = {"x": 0.0, **{f"y[{j}]": best[0][j] for j in range(3)}}
    found = extremes(m, "bilevel x\nmin f y row", values)
    for j in range(3):
        assert found[j] == pytest.approx((best[:, j].min(), best[:, j].max()), abs=1e-7)
    (agent,) = bl.resolve(m, "bilevel x\nmin f y row").agents
    point = ComponentMap((m.find_component(name), value) for name, value in values.items())
    assert not optimal_face(agent, point, SolverOptions()).single or np.ptp(best, axis=0).max() < 1e-9


@pytest.mark.parametrize(("cost", "single"), [((1, 2), True), ((1, 1), False), ((0, 0), False), ((-1, 2), True)])
def test_one_answer_is_recognised(cost: tuple[int, int], single: bool) -> None:
    m = curved(lambda m: cost[0] * m.y[1] + cost[1] * m.y[2])
    m.row = pyo.Constraint(expr=m.y[1] + m.y[2] >= m.x)
    (agent,) = bl.resolve(m, "bilevel x\nmin f y row").agents
    answer = (2.0, 0.0) if cost[0] < 0 else (1.0, 0.0)
    point = ComponentMap(zip([m.x, m.y[1], m.y[2]], (1.0, *answer), strict=True))
    assert optimal_face(agent, point, SolverOptions()).single == single


def curved(objective: Any) -> pyo.ConcreteModel:
    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=(0, 3))
    m.y = pyo.Var([1, 2], bounds=(0, 2))
    m.F = pyo.Objective(expr=m.x)
    m.f = pyo.Expression(expr=objective(m))
    return m


@pytest.mark.parametrize(
    ("objective", "at", "expected"),
    [
        # A sum that is to be 1: everything from (0, 1) to (1, 0).
        (lambda m: (m.y[1] + m.y[2] - m.x) ** 2, (0.5, 0.5), [(0, 1), (0, 1)]),
        # The same with a price on y2: (1, 0) with 2 (y1 + y2 - 1) = 0 only.
        (lambda m: (m.y[1] + m.y[2] - m.x) ** 2 + m.y[2], (1, 0), [(1, 1), (0, 0)]),
        # Strictly convex: one answer.
        (lambda m: (m.y[1] - m.x) ** 2 + (m.y[2] - m.x) ** 2, (1, 1), [(1, 1), (1, 1)]),
        # y2 is in nothing.
        (lambda m: (m.y[1] - m.x) ** 2 + 0 * m.y[2], (1, 1.5), [(1, 1), (0, 2)]),
        # exp(s) - e s has its least value at s = 1.
        (lambda m: pyo.exp(m.y[1] + m.y[2]) - np.e * (m.y[1] + m.y[2]), (0.5, 0.5), [(0, 1), (0, 1)]),
    ],
)
def test_curved_objectives(objective: Any, at: tuple[float, float], expected: list[tuple[float, float]]) -> None:
    m = curved(objective)
    found = extremes(m, "bilevel x\nmin f y", {"x": 1.0, "y[1]": at[0], "y[2]": at[1]})
    for got, wanted in zip(found, expected, strict=True):
        assert got == pytest.approx(wanted, abs=1e-6)


def test_a_slope_within_solver_tolerances_is_none() -> None:
    """min (x - 1/4) y at x = 1/4 + 1e-9 is a tie, at x = 0.26 it is none."""
    m = curved(lambda m: (m.x - 0.25) * m.y[1] + 0 * m.y[2])
    emp = "bilevel x\nmin f y"
    assert extremes(m, emp, {"x": 0.25 + 1e-9, "y[1]": 0, "y[2]": 0})[0] == pytest.approx((0, 2))
    assert extremes(m, emp, {"x": 0.26, "y[1]": 0, "y[2]": 0})[0] == pytest.approx((0, 0))


def test_a_point_that_is_off_by_rounding_is_in_the_set() -> None:
    m = curved(lambda m: m.y[1] + m.y[2])
    m.row = pyo.Constraint(expr=m.y[1] + m.y[2] >= m.x)
    found = extremes(m, "bilevel x\nmin f y row", {"x": 1.0, "y[1]": 1 + 1e-8, "y[2]": -1e-8})
    assert found[0] == pytest.approx((0, 1), abs=1e-6)


@pytest.mark.parametrize(
    ("objective", "reason"),
    [(lambda m: -(m.y[1] ** 2), "the agent is nonconvex|not proven convex"), (lambda m: abs(m.y[1] - m.x), "derivative")],
)
def test_what_is_not_described_is_said(objective: Any, reason: str) -> None:
    m = curved(objective)
    with pytest.raises(NotDescribedError, match=reason):
        extremes(m, "bilevel x\nmin f y", {"x": 1.0, "y[1]": 2, "y[2]": 0})


def test_a_vi_and_a_large_agent_are_not_described(monkeypatch: pytest.MonkeyPatch) -> None:
    m = curved(lambda m: m.y[1] + m.y[2])
    (agent,) = bl.resolve(m, "bilevel x\nvi f y[1]").agents
    with pytest.raises(NotDescribedError, match="VI"):
        optimal_face(agent, ComponentMap(), SolverOptions())
    monkeypatch.setattr("bilevel_lang.oracle.optimal_face.LARGEST", 1)
    with pytest.raises(NotDescribedError, match="more than 1"):
        extremes(m, "bilevel x\nmin f y", {"x": 1.0, "y[1]": 0, "y[2]": 0})
