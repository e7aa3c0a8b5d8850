"""Nearest points of the leader's own set, against projections by hand and brute force."""

from __future__ import annotations

import itertools
import pickle

import numpy as np
import pyomo.environ as pyo
import pytest

import bilevel_lang
from bilevel_lang.errors import RefusedError
from bilevel_lang.oracle.feasible_points import LeaderSet, feasible_design, leader_set
from bilevel_lang.surrogate.sampling.shards import Shard
from bilevel_lang.surrogate.sampling.space import box


def model(domain: object = pyo.Reals) -> pyo.ConcreteModel:
    """Inputs x with a budget of which w takes a part, a row with the follower's variable that says nothing here."""
    m = pyo.ConcreteModel()
    m.x, m.w, m.y = pyo.Var([0, 1, 2], bounds=(0, 1), domain=domain), pyo.Var(bounds=(0.5, 2)), pyo.Var(bounds=(0, 9))
    m.budget = pyo.Constraint(expr=m.x[0] + m.x[1] + m.x[2] + m.w <= 2.5)
    m.coupling = pyo.Constraint(expr=m.y * m.x[0] + m.x[1] <= 0)
    m.cost = pyo.Expression(expr=m.y)
    m.row = pyo.Constraint(expr=m.y >= m.x[0] + m.x[1] + m.x[2])
    m.leader = pyo.Objective(expr=m.w)
    return m


def own_set(m: pyo.ConcreteModel) -> LeaderSet:
    return leader_set(bilevel_lang.resolve(m, "bilevel x w\nmin cost y row"), list(m.x.values()))


def test_points_inside_stay_and_the_others_take_the_shortest_way() -> None:
    points = np.random.default_rng(0).random((60, 3))
    moved = own_set(model())(points)
    excess = np.maximum(0.0, points.sum(axis=1) - 2)
    assert 0 < (excess > 0).sum() < 60
    assert np.allclose(moved[excess == 0], points[excess == 0], atol=1e-7)
    assert np.allclose(np.abs(moved - points).sum(axis=1), excess, atol=1e-7)


def test_whole_numbers_by_brute_force() -> None:
    points = np.random.default_rng(1).random((30, 3))
    moved = own_set(model(pyo.Binary))(points)
    allowed = [z for z in itertools.product((0.0, 1.0), repeat=3) if sum(z) <= 2]
    for point, found in zip(points, moved, strict=True):
        assert tuple(found) in allowed
        assert np.abs(found - point).sum() == pytest.approx(min(np.abs(np.array(z) - point).sum() for z in allowed))


def test_as_a_design_it_travels_and_is_known_by_its_numbers() -> None:
    m = model(pyo.Binary)
    design = feasible_design(bilevel_lang.resolve(m, "bilevel x w\nmin cost y row"), list(m.x.values()))
    space, shard = box("abc", integer=True), Shard(0, 0, 20, 1)
    points = design.points(space, shard)
    assert (points.sum(axis=1) <= 2).all() and space.contains(points).all()
    assert np.array_equal(pickle.loads(pickle.dumps(design)).points(space, shard), points)
    m.budget.set_value(m.x[0] + m.x[1] + m.x[2] + m.w <= 1.5)
    assert own_set(m).identity != own_set(model(pyo.Binary)).identity


def test_an_empty_set_and_a_curved_row_are_refused() -> None:
    m = model()
    m.w.setlb(2)
    m.least = pyo.Constraint(expr=m.x[0] + m.x[1] >= 1)
    design = feasible_design(bilevel_lang.resolve(m, "bilevel x w\nmin cost y row"), list(m.x.values()))
    with pytest.raises(RefusedError, match="own rows"):
        design.points(box("abc"), Shard(0, 0, 2, 0))
    m.curved = pyo.Constraint(expr=m.x[0] ** 2 <= 0.5)
    with pytest.raises(RefusedError, match="'curved'"):
        own_set(m)
