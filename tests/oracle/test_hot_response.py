"""Labels in bulk against the follower solved one by one as a Pyomo model, brute force and difference quotients."""

from __future__ import annotations

import itertools

import numpy as np
import pyomo.environ as pyo
import pytest
from pyomo.common.collections import ComponentMap

from bilevel_lang.oracle.compilation import linking_inputs
from bilevel_lang.oracle.hot_response import HotResponse, obstacle
from bilevel_lang.oracle.response import best_response
from bilevel_lang.solvers.solver import SolverOptions
from bilevel_lang.surrogate.dataset import Outcome
from tests.oracle.followers import Sampled, points_of, random_follower, sampled

KINDS = {
    "sides": {},
    "costs": {"sides": False, "costs": True},
    "both": {"costs": True},
    "matrix": {"matrix": True},
    "all": {"costs": True, "matrix": True},
    "max": {"costs": True, "top": True},
    "qp": {"curved": True, "costs": True},
    "max qp": {"curved": True, "top": True},
    "milp": {"whole": 3, "costs": True},
    "milp costs": {"whole": 5, "sides": False, "costs": True},
    "max milp": {"whole": 2, "top": True},
}


def one_by_one(follower: Sampled, points: np.ndarray) -> list[float]:
    """The optimal values by the way that verification takes; NaN where infeasible."""
    inputs = linking_inputs(follower.problem, follower.agent)
    found = []
    for point in points:
        at = ComponentMap(zip(inputs, map(float, point), strict=True))
        response = best_response(follower.agent, at, SolverOptions())
        assert response.proven and not response.relaxed
        found.append(response.value if response.feasible and response.value is not None else np.nan)
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_values_are_those_of_the_follower_solved_by_itself(kind: str) -> None:
    infeasible = 0
    for seed in (3, 4):
        follower = random_follower(seed, **KINDS[kind])  # type: ignore[arg-type]
        points = points_of(follower, 12, seed)
        data = HotResponse(follower.arrays).labels(points)
        assert np.array_equal(data.inputs, points)
        assert np.allclose(data.values, one_by_one(follower, points), rtol=1e-6, atol=1e-6, equal_nan=True)
        infeasible += int((~data.feasible).sum())
        assert (data.outcome_counts()[Outcome.FAILED], data.outcome_counts()[Outcome.LIMIT]) == (0, 0)
    assert infeasible < 24


@pytest.mark.parametrize("kind", [k for k in KINDS if "milp" not in k])
def test_gradients_are_difference_quotients(kind: str) -> None:
    follower = random_follower(3, **KINDS[kind])  # type: ignore[arg-type]
    points, h = points_of(follower, 30, 1), 1e-4
    oracle = HotResponse(follower.arrays)
    data = oracle.labels(points)
    assert data.gradients is not None
    checked = 0
    for j in range(3):
        step = h * np.eye(3)[j]
        up, down = oracle.labels(points + step), oracle.labels(points - step)
        forward, backward = (up.values - data.values) / h, (data.values - down.values) / h
        # A kink within the step makes the two differ, and then the gradient is anything between.
        smooth = np.abs(forward - backward) < 1e-2
        checked += int(smooth.sum())
        assert np.allclose(data.gradients[smooth, j], ((forward + backward) / 2)[smooth], atol=1e-2)
        kink = ~smooth & np.isfinite(forward) & np.isfinite(backward)
        low, up_ = np.minimum(forward, backward)[kink] - 1e-2, np.maximum(forward, backward)[kink] + 1e-2
        assert ((data.gradients[kink, j] >= low) & (data.gradients[kink, j] <= up_)).all()
    assert checked > 30


@pytest.mark.parametrize(
    ("kind", "sign"), [("sides", 1), ("costs", -1), ("milp costs", -1), ("max qp", -1)], ids=["sides", "costs", "milp", "max"]
)
def test_cuts_lie_on_the_side_that_theory_says(kind: str, sign: int) -> None:
    """Sides only: the value is convex for min, concave for max; costs only: the other way round."""
    follower = random_follower(4, **KINDS[kind])  # type: ignore[arg-type]
    data = HotResponse(follower.arrays).labels(points_of(follower, 60, 2))
    data = data.subset(data.feasible)
    assert data.gradients is not None and len(data) > 20
    cuts = data.values + np.einsum("in,kin->ki", data.gradients, data.inputs[:, None] - data.inputs[None])
    assert (sign * (data.values[:, None] - cuts) >= -1e-6).all()


def test_a_milp_with_moving_sides_has_no_gradient() -> None:
    assert HotResponse(random_follower(3, whole=2).arrays).labels(np.ones((2, 3))).gradients is None


def test_integer_answers_are_the_best_of_all() -> None:
    m = pyo.ConcreteModel()
    m.x = pyo.Var([0, 1], bounds=(0, 10))
    m.y = pyo.Var(range(4), domain=pyo.Binary)
    size, gain = (5, 4, 3, 6), (9, 7, 4, 11)
    m.worth = pyo.Expression(expr=sum(g * m.y[j] for j, g in enumerate(gain)) - m.x[1] * m.y[3])
    m.room = pyo.Constraint(expr=sum(s * m.y[j] for j, s in enumerate(size)) <= m.x[0])
    m.leader = pyo.Objective(expr=m.x[0])
    follower = sampled(m, "bilevel x\nmax worth y room")
    points = points_of(follower, 40)
    data = HotResponse(follower.arrays).labels(points)
    for point, value in zip(points, data.values, strict=True):
        choices = [
            np.dot(gain, y) - point[1] * y[3] for y in itertools.product((0, 1), repeat=4) if np.dot(size, y) <= point[0] + 1e-9
        ]
        assert value == pytest.approx(max(choices), abs=1e-6)


def small_model(upper: float | None = 5.0) -> pyo.ConcreteModel:
    """min -y s.t. y <= x, y >= 1, and a row of the leader's variable alone."""
    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=(0, 4))
    m.y = pyo.Var(bounds=(0, upper))
    m.cost = pyo.Expression(expr=-m.y)
    m.least = pyo.Constraint(expr=m.y >= 1)
    m.limit = pyo.Constraint(expr=m.y <= m.x)
    m.alone = pyo.Constraint(expr=m.x <= 3)
    m.leader = pyo.Objective(expr=m.x + 10 * m.y)
    return m


def test_infeasible_samples_are_data() -> None:
    follower = sampled(small_model(), "bilevel x\nmin cost y least limit alone")
    data = HotResponse(follower.arrays).labels(np.array([[0.5], [2.0], [3.5], [1.0]]))
    assert data.feasible.tolist() == [False, True, False, True]
    assert data.values.tolist()[1::2] == [-2.0, -1.0] and data.leader is not None and data.leader[1] == 22.0
    assert data.gradients is not None and data.gradients[1, 0] == -1.0 and np.isnan(data.gradients[0, 0])
    assert data.outcome_counts()[Outcome.INFEASIBLE] == 2


def test_a_follower_without_a_best_answer_is_unbounded() -> None:
    follower = sampled(small_model(None), "bilevel x\nmin cost y least")
    data = HotResponse(follower.arrays).labels(np.zeros((2, 0)))
    assert data.outcome_counts()[Outcome.UNBOUNDED] == 2 and not data.feasible.any()


def test_labels_do_not_depend_on_what_was_solved_before() -> None:
    follower = random_follower(6, costs=True)
    first, second = points_of(follower, 40, 1), points_of(follower, 40, 2)
    oracle = HotResponse(follower.arrays)
    oracle.labels(second)
    assert oracle.labels(first).content_hash() == HotResponse(follower.arrays).labels(first).content_hash()


def test_what_highs_cannot_take_is_said() -> None:
    assert "integer" in (obstacle(random_follower(1, whole=1, curved=True).arrays) or "")
    m = small_model()
    m.cost.set_value(-(m.y**2))
    assert "not convex" in (obstacle(sampled(m, "bilevel x\nmin cost y least limit").arrays) or "")


def test_no_samples_are_no_samples() -> None:
    assert len(HotResponse(random_follower(1).arrays).labels(np.zeros((0, 3)))) == 0
