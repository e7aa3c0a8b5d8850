"""All whole answers, listed: against HiGHS, and against loops over everything."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pyomo.environ as pyo
import pytest

from bilevel_lang.oracle import enumeration
from bilevel_lang.oracle.enumeration import Enumeration, all_answers
from bilevel_lang.oracle.hot_response import HotResponse
from tests.oracle.followers import Sampled, points_of, random_follower, sampled


def listed(follower: Sampled) -> Enumeration:
    answers = all_answers(follower.arrays)
    assert answers is not None
    return Enumeration(follower.arrays, answers)


@pytest.mark.parametrize("kind", [{}, {"costs": True}, {"sides": False, "costs": True}, {"top": True}], ids=str)
def test_labels_are_those_of_highs(kind: dict[str, Any]) -> None:
    infeasible = 0
    for seed in (1, 2, 3):
        follower = random_follower(seed, whole=5, **kind)
        points = points_of(follower, 20, seed)
        ours, theirs = listed(follower).labels(points), HotResponse(follower.arrays).labels(points)
        assert np.array_equal(ours.feasible, theirs.feasible)
        assert np.allclose(ours.values, theirs.values, atol=1e-6, equal_nan=True)
        infeasible += int((~ours.feasible).sum())
        if theirs.gradients is not None:
            # Costs only: each one is a cut that the other's values keep.
            assert ours.gradients is not None
            away = ours.inputs[:, None] - ours.inputs[None]
            cuts = ours.values + np.einsum("in,kin->ki", ours.gradients, away)
            sign = follower.arrays.goal.sense
            gap = sign * (cuts - theirs.values[:, None])
            assert np.nanmin(gap) >= -1e-6
    assert infeasible < 60


def unlimited(domain: Any = pyo.NonNegativeIntegers) -> pyo.ConcreteModel:
    """The investment problem with integer recourse (Schultz, Stougie, van der Vlerk 1998): rows bound what no bound does."""
    m = pyo.ConcreteModel()
    m.x = pyo.Var([1, 2], bounds=(0, 5))
    m.xi = pyo.Var([1, 2], bounds=(5, 15))
    m.y = pyo.Var([1, 2, 3, 4], domain=domain)
    m.gain = pyo.Expression(expr=16 * m.y[1] + 19 * m.y[2] + 23 * m.y[3] + 28 * m.y[4])
    m.first = pyo.Constraint(expr=2 * m.y[1] + 3 * m.y[2] + 4 * m.y[3] + 5 * m.y[4] <= m.xi[1] - m.x[1])
    m.second = pyo.Constraint(expr=6 * m.y[1] + m.y[2] + 3 * m.y[3] + 2 * m.y[4] <= m.xi[2] - m.x[2])
    m.leader = pyo.Objective(expr=m.x[1])
    return m


def test_answers_that_only_rows_bound() -> None:
    follower = sampled(unlimited(), "bilevel x xi\nmax gain y first second")
    answers = all_answers(follower.arrays)
    assert answers is not None
    box = itertools.product(range(8), range(6), range(4), range(4))
    by_hand = [y for y in box if np.dot((2, 3, 4, 5), y) <= 15 and np.dot((6, 1, 3, 2), y) <= 15]
    assert sorted(map(tuple, answers)) == by_hand
    points = points_of(follower, 30)
    data = Enumeration(follower.arrays, answers).labels(points)
    for (x1, x2, a, b), value in zip(points, data.values, strict=True):
        best = max(
            np.dot((16, 19, 23, 28), y)
            for y in by_hand
            if np.dot((2, 3, 4, 5), y) <= a - x1 + 1e-9 and np.dot((6, 1, 3, 2), y) <= b - x2 + 1e-9
        )
        assert value == best


def test_a_quadratic_objective_that_is_not_convex() -> None:
    m = unlimited(pyo.Binary)
    m.gain.set_value(m.y[1] * m.y[2] - 3 * m.y[3] * m.y[4] + m.x[1] * m.y[4] + m.y[3] ** 2)
    follower = sampled(m, "bilevel x xi\nmax gain y first second")
    points = points_of(follower, 20)
    names = follower.arrays.response_names
    for point, value in zip(points, listed(follower).labels(points).values, strict=True):
        at = dict(zip(follower.arrays.inputs.names, point, strict=True))
        best = -np.inf
        for y in itertools.product((0.0, 1.0), repeat=4):
            for name, number in {**at, **dict(zip(names, y, strict=True))}.items():
                m.find_component(name).set_value(number, skip_validation=True)
            if pyo.value(m.first.slack()) >= -1e-9 and pyo.value(m.second.slack()) >= -1e-9:
                best = max(best, pyo.value(m.gain))
        assert value == pytest.approx(best, abs=1e-9)


def test_where_listing_does_not_pay(monkeypatch: pytest.MonkeyPatch) -> None:
    assert all_answers(random_follower(1, whole=4).arrays) is None
    assert all_answers(random_follower(1, whole=5, matrix=True).arrays) is None
    assert all_answers(random_follower(1, whole=5).arrays) is not None
    monkeypatch.setattr(enumeration, "MOST_WORK", 10)
    assert all_answers(random_follower(1, whole=5).arrays) is None
    monkeypatch.setattr(enumeration, "MOST_CELLS", 10)
    assert all_answers(random_follower(1, whole=5).arrays) is None
    m = unlimited()
    m.first.deactivate()
    assert all_answers(sampled(m, "bilevel x xi\nmax gain y").arrays) is None
