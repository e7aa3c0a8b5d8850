"""The pessimistic position against enumeration: vertices of the follower's polyhedron for every decision of the leader."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pyomo.environ as pyo
import pytest
from scipy.optimize import linprog

import bilevel_lang as bl
from bilevel_lang.errors import RefusedError
from bilevel_lang.reformulation.options import Options
from bilevel_lang.reformulation.pessimistic import why_not_pessimistic, worst_case
from bilevel_lang.solution import Status
from tests.harness import state

CHOICES = range(4)
BOX = 3.0


def instance(seed: int) -> dict[str, Any]:
    """A follower with two variables in a box and two rows; small integers, so that ties are the rule."""
    random = np.random.default_rng(seed)
    cost = random.integers(0, 3, 2)
    return {
        "cost": cost if cost.any() else np.array([1, 1]),
        "matrix": random.integers(0, 3, (2, 2)),
        "side": random.integers(-1, 5, 2),
        "link": random.integers(-1, 2, 2),
        "leader": random.integers(-3, 4, 3),
        "sense": random.choice([1, -1]),
        "follower_sense": random.choice([1, -1]),
    }


def build(data: dict[str, Any]) -> tuple[pyo.ConcreteModel, str]:
    m = pyo.ConcreteModel()
    m.x = pyo.Var(domain=pyo.Integers, bounds=(0, CHOICES[-1]))
    m.y = pyo.Var([0, 1], bounds=(0, BOX))
    F = data["leader"]
    sense = pyo.minimize if data["sense"] > 0 else pyo.maximize
    m.F = pyo.Objective(expr=int(F[0]) * m.x + int(F[1]) * m.y[0] + int(F[2]) * m.y[1], sense=sense)
    c = data["follower_sense"] * data["cost"]
    m.f = pyo.Expression(expr=int(c[0]) * m.y[0] + int(c[1]) * m.y[1])
    m.row = pyo.ConstraintList()
    for a, b, w in zip(data["matrix"], data["side"], data["link"], strict=True):
        m.row.add(int(a[0]) * m.y[0] + int(a[1]) * m.y[1] + 0 * m.x >= int(b) + int(w) * m.x)
    kind = "min" if data["follower_sense"] > 0 else "max"
    return m, f"bilevel x\n{kind} f y row"


def vertices(normals: Any, sides: Any) -> list[Any]:
    """Of ``normals y >= sides`` (bounded): the intersections of two of its lines that satisfy all rows."""
    found = []
    for i, j in itertools.combinations(range(len(sides)), 2):
        pair = normals[[i, j]]
        if abs(np.linalg.det(pair)) > 1e-9:
            point = np.linalg.solve(pair, sides[[i, j]])
            if np.all(normals @ point >= sides - 1e-9):
                found.append(point)
    return found


def by_enumeration(data: dict[str, Any]) -> float | None:
    """The best over x of the worst over the optimal vertices; None without any feasible x."""
    best = None
    for x in CHOICES:
        normals = np.vstack([data["matrix"], np.eye(2), -np.eye(2)]).astype(float)
        sides = np.concatenate([data["side"] + data["link"] * x, np.zeros(2), -BOX * np.ones(2)])
        points = vertices(normals, sides)
        if not points:
            continue
        optimum = min(data["cost"] @ p for p in points)
        ties = [p for p in points if data["cost"] @ p <= optimum + 1e-9]
        values = [data["leader"][0] * x + data["leader"][1:] @ p for p in ties]
        worst = max(data["sense"] * v for v in values)
        best = worst if best is None else min(best, worst)
    return None if best is None else data["sense"] * best


@pytest.mark.parametrize("seed", range(30))
def test_lp_follower_against_enumeration(seed: int) -> None:
    data = instance(seed)
    expected = by_enumeration(data)
    found = bl.solve(*build(data), position="pessimistic")
    if expected is None:
        assert found.status is Status.INFEASIBLE
    else:
        assert found.status is Status.OPTIMAL, found.messages
        assert found.objective == pytest.approx(expected, abs=1e-6)
        assert found.position == "pessimistic"


def test_the_instances_have_ties() -> None:
    differ = 0
    for seed in range(30):
        data = instance(seed)
        pessimistic = by_enumeration(data)
        if pessimistic is not None:
            optimistic = bl.solve(*build(data)).objective
            assert data["sense"] * optimistic <= data["sense"] * pessimistic + 1e-6
            differ += abs(optimistic - pessimistic) > 1e-3
    assert differ >= 5


@pytest.mark.parametrize("weight", [0.0, 1.0])
def test_convex_qp_follower_that_minds_a_sum_only(weight: float) -> None:
    """min (y1 + y2 - x)^2 + w x y1...: with w = 0 the answers are all of y1 + y2 = x, of which (0, x) or (x, 0) is the worst."""
    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=(0, 2))
    m.y = pyo.Var([1, 2], bounds=(0, 2))
    m.F = pyo.Objective(expr=-3 * m.x + 2 * m.y[1] + 4 * m.y[2])
    m.f = pyo.Expression(expr=(m.y[1] + m.y[2] - m.x) ** 2 + weight * m.y[1] * 0 + weight * m.y[2])
    found = bl.solve(m, "bilevel x\nmin f y", position="pessimistic")
    # Without the weight: -3x + 4x is least at x = 0. With it y2 = 0 and y1 = x: -3x + 2x is least at x = 2.
    assert found.status is Status.OPTIMAL, found.messages
    assert found.objective == pytest.approx(0.0 if weight == 0 else -2.0, abs=1e-5)


@pytest.mark.parametrize("seed", range(10))
def test_convex_qp_follower_against_its_closed_form(seed: int) -> None:
    """min (a'y - k - x)^2 over a box: all y whose a'y is as near to k + x as the box lets it be."""
    random = np.random.default_rng(seed)
    a, k = random.integers(1, 4, 3), int(random.integers(-1, 4))
    F = random.integers(-3, 4, 4)
    m = pyo.ConcreteModel()
    m.x = pyo.Var(domain=pyo.Integers, bounds=(0, 3))
    m.y = pyo.Var(range(3), bounds=(0, 1))
    m.F = pyo.Objective(expr=int(F[3]) * m.x + sum(int(F[i]) * m.y[i] for i in range(3)))
    m.f = pyo.Expression(expr=(sum(int(a[i]) * m.y[i] for i in range(3)) - k - m.x) ** 2)
    found = bl.solve(m, "bilevel x\nmin f y", position="pessimistic")
    worst = []
    for x in range(4):
        level = min(max(k + x, 0), a.sum())
        face = linprog(-F[:3], A_eq=[a], b_eq=[level], bounds=(0, 1), method="highs")
        worst.append(F[3] * x - face.fun)
    assert found.status is Status.OPTIMAL, found.messages
    assert found.objective == pytest.approx(min(worst), abs=1e-5)


def test_hand_example_with_both_positions() -> None:
    """min -x + 3 y1 - y2, y in argmin y1 + y2 >= 1 + x: the follower spends all on y2, or, against the leader, on y1."""

    def model() -> pyo.ConcreteModel:
        m = pyo.ConcreteModel()
        m.x = pyo.Var(bounds=(0, 1))
        m.y = pyo.Var([1, 2], bounds=(0, 2))
        m.F = pyo.Objective(expr=-m.x + 3 * m.y[1] - m.y[2])
        m.f = pyo.Expression(expr=m.y[1] + m.y[2])
        m.c = pyo.Constraint(expr=m.y[1] + m.y[2] >= 1 + m.x)
        return m

    emp = "bilevel x\nmin f y c"
    assert bl.solve(model(), emp).objective == pytest.approx(-3)
    found = bl.solve(model(), emp, position="pessimistic")
    assert found.objective == pytest.approx(3)
    assert found.variables == pytest.approx({"x": 0, "y[1]": 1, "y[2]": 0}, abs=1e-6)
    assert found.duals.keys() == {"c"}
    assert abs(found.duals["c"]) == pytest.approx(1)


def test_a_leader_row_has_to_hold_for_every_optimal_answer() -> None:
    """y is anything in [0, x] to the follower. y <= 1 then means x <= 1; the optimistic leader may go on to x = 2."""

    def model() -> pyo.ConcreteModel:
        m = pyo.ConcreteModel()
        m.x = pyo.Var(bounds=(0, 2))
        m.y = pyo.Var(bounds=(0, 5))
        m.z = pyo.Var(bounds=(0, 1))
        m.F = pyo.Objective(expr=-m.x)
        m.f = pyo.Expression(expr=m.z)
        m.c = pyo.Constraint(expr=m.y <= m.x)
        m.cap = pyo.Constraint(expr=m.y <= 1)
        return m

    emp = "bilevel x\nmin f y z c"
    assert bl.solve(model(), emp).objective == pytest.approx(-2)
    assert bl.solve(model(), emp, position="pessimistic").objective == pytest.approx(-1, abs=1e-6)


def test_an_infimum_that_is_not_attained_is_no_answer() -> None:
    """y = 1 up to x = 1/4 and 0 beyond: x + y comes as near to 1/4 as one likes, and is 5/4 there."""
    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=(0, 1))
    m.y = pyo.Var(bounds=(0, 1))
    m.F = pyo.Objective(expr=m.x + m.y)
    m.f = pyo.Expression(expr=(m.x - 0.25) * m.y)
    found = bl.solve(m, "bilevel x\nmin f y", position="pessimistic")
    assert found.status is not Status.OPTIMAL or found.objective == pytest.approx(0.25, abs=1e-4)
    if found.status is Status.VERIFICATION_FAILED:
        assert "not attained" in " ".join(found.messages)


def test_an_infimum_that_is_not_attained_at_zero_is_no_answer() -> None:
    """The same with the jump at x = 0, where every term of the follower's objective is small: x + y comes near to 0, and is 1."""
    m = pyo.ConcreteModel()
    m.x, m.y = pyo.Var(bounds=(0, 1)), pyo.Var(bounds=(0, 1))
    m.F, m.f = pyo.Objective(expr=m.x + m.y), pyo.Expression(expr=m.x * m.y)
    found = bl.solve(m, "bilevel x\nmin f y", position="pessimistic")
    assert found.status is not Status.OPTIMAL
    assert "not attained" in " ".join(found.messages)


def test_the_objective_variable_of_the_leader_is_looked_through() -> None:
    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=(0, 1))
    m.y = pyo.Var(bounds=(0, 1))
    m.z = pyo.Var()
    m.w = pyo.Var(bounds=(0, 1))
    m.F = pyo.Objective(expr=m.z)
    m.define = pyo.Constraint(expr=2 * m.z == 4 * m.y - 2 * m.x)
    m.f = pyo.Expression(expr=m.w)
    found = bl.solve(m, "bilevel x\nmin f y w", position="pessimistic")
    assert found.objective == pytest.approx(1.0)
    assert found.variables["z"] == pytest.approx(1.0)


def test_the_model_is_left_alone() -> None:
    m, emp = build(instance(3))
    before = state(m)
    problem = bl.resolve(m, emp)
    worst = worst_case(problem)
    assert state(m) == before
    assert len(worst.problem.agents) == 2
    assert worst.problem.model is not m


def test_reformulate_gives_the_way_back() -> None:
    m, emp = build(instance(0))
    made = bl.reformulate(m, emp, position="pessimistic", encoding="sos1")
    point = made.recover(made.run(Options()))
    assert {v.name for v in point.values} == {"x", "y[0]", "y[1]"}
    assert all(v.model() is m for v in point.values)
    assert {name for name, _, _ in point.multipliers} <= {"row[1]", "row[2]"}
    assert all(component.model() is m for _, _, component in point.multipliers)


def _model(**parts: Any) -> pyo.ConcreteModel:
    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=(0, 1))
    m.y = pyo.Var(bounds=(0, 1))
    m.F = pyo.Objective(expr=parts.get("leader", lambda m: m.x + m.y)(m))
    m.f = pyo.Expression(expr=parts.get("follower", lambda m: m.y)(m))
    m.c = pyo.Constraint(expr=parts.get("row", lambda m: m.y >= m.x)(m))
    return m


@pytest.mark.parametrize(
    ("model", "emp", "reason"),
    [
        (_model(follower=lambda m: pyo.exp(m.y)), "bilevel x\nmin f y c", "LP or convex QP"),
        (_model(follower=lambda m: -(m.y**2)), "bilevel x\nmin f y c", "LP or convex QP"),
        (_model(leader=lambda m: m.x + m.y**2), "bilevel x\nmin f y c", "not proven concave"),
        (_model(row=lambda m: m.y**2 <= 0.5), "bilevel x\nmin f y", "has to hold for every optimal answer"),
    ],
)
def test_what_has_no_exact_form_is_refused(model: pyo.ConcreteModel, emp: str, reason: str) -> None:
    refusal = why_not_pessimistic(bl.resolve(model, emp))
    assert refusal is not None
    assert reason in refusal.reason
    with pytest.raises(RefusedError, match=reason):
        bl.solve(model, emp, position="pessimistic")


def test_two_followers_are_refused() -> None:
    m = _model()
    m.v = pyo.Var(bounds=(0, 1))
    m.g = pyo.Expression(expr=m.v)
    with pytest.raises(RefusedError, match="one follower"):
        bl.solve(m, "bilevel x\nmin f y c\nmin g v", position="pessimistic")


def test_an_unbounded_worst_answer_leaves_no_decision() -> None:
    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=(0, 1))
    m.y = pyo.Var(bounds=(0, None))
    m.w = pyo.Var(bounds=(0, 1))
    m.F = pyo.Objective(expr=m.x + m.y)
    m.f = pyo.Expression(expr=m.w)
    found = bl.solve(m, "bilevel x\nmin f y w", position="pessimistic")
    assert found.status is Status.INFEASIBLE
    assert found.objective is None or math.isinf(found.objective)
