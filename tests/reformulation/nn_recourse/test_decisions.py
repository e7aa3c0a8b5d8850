from __future__ import annotations

from typing import Any

import numpy as np
import pyomo.environ as pyo
import pytest

from bilevel_lang.errors import RefusedError
from bilevel_lang.reformulation.nn_recourse.decisions import Decisions, domain_of, seen_columns
from tests.reformulation.nn_recourse.programs import ANNOTATION, corners, facilities
from tests.reformulation.stochastic.test_extensive import arrays_of_text
from tests.stochastic_models import FARMER, farmer

NAMES = ("a", "b", "c")


def decisions(m: Any) -> Decisions:
    arrays = arrays_of_text(m, ANNOTATION)
    return Decisions(arrays, arrays.first.cost, domain_of(arrays, NAMES), 0)


def test_the_box_follows_from_the_rows_of_the_first_stage() -> None:
    found = domain_of(arrays_of_text(farmer(), FARMER), NAMES)
    assert found.upper == pytest.approx(np.full(3, 500), rel=1e-6)
    m: Any = farmer()
    m.del_component(m.land)
    with pytest.raises(RefusedError, match=r"`a` has no upper bound[\s\S]*give `a` bounds"):
        domain_of(arrays_of_text(m, FARMER), NAMES)


def test_few_decisions_are_all_there_and_many_are_drawn_with_any_share_of_ones() -> None:
    few = decisions(facilities(True))
    every = few.all(8)
    assert few.binary
    assert every is not None
    assert sorted(map(tuple, every)) == sorted(map(tuple, corners()))
    assert few.all(7) is None
    drawn = few.sample(400)
    assert set(np.unique(drawn)) == {0.0, 1.0}
    assert {tuple(p) for p in drawn} == {tuple(p) for p in corners()}
    loose = decisions(facilities(True, binary=False))
    assert not loose.binary
    assert loose.all(10**6) is None
    assert ((loose.sample(50) >= 0) & (loose.sample(50) <= 1)).all()


def test_what_the_second_stage_does_not_see_is_chosen_best() -> None:
    m: Any = facilities(True)
    m.permit = pyo.Var(bounds=(0, 10))
    m.pays = pyo.Constraint(expr=m.permit >= 2 * m.x[1] + m.x[2])
    m.few = pyo.Constraint(expr=m.x[1] + m.x[2] + m.x[3] <= 2)
    m.cost.set_value(m.cost.expr + 3 * m.permit)
    arrays = arrays_of_text(m, ANNOTATION)
    assert len(arrays.first.lower) == 4
    assert len(seen_columns(arrays)) == 3
    found = Decisions(arrays, arrays.first.cost, domain_of(arrays, ("a", "b", "c", "d")), 0)
    whole = found.completed(np.array([1.0, 1.0, 0.0]))
    assert whole is not None
    assert sorted(whole) == pytest.approx([0, 1, 1, 3])
    assert found.completed(np.ones(3)) is None
    # Boxes: no more than two may be opened, and the permit of the first two is what makes them dear.
    lower, upper = (
        np.array([[0.0, 0, 0], [1, 1, 0], [1, 1, 1], [1, 0, 0]]),
        np.array([[1.0, 1, 1], [1, 1, 0], [1, 1, 1], [1, 1, 0]]),
    )
    costs = arrays.first.cost
    one, both = (float(costs @ found.completed(np.array(point))) for point in ([1.0, 0, 0], [1.0, 1, 0]))
    wide = found.wide(lower), np.where(np.isin(np.arange(4), found.seen), found.wide(upper), 10.0)
    assert found.floors(*wide) == pytest.approx(np.array([0.0, both, np.inf, one]))
    assert found.wide(lower)[:, found.seen] == pytest.approx(lower)
    least, most = found.tightened(*wide)
    permit = (set(range(4)) - set(found.seen.tolist())).pop()
    assert least[:, permit] == pytest.approx([0.0, 3.0, 3.0, 2.0], abs=1e-9)
    assert (least <= most).all(axis=1).tolist() == [True, True, False, True]  # three may not be opened


def test_no_decision_is_lost_where_rows_tighten_a_box() -> None:
    m = pyo.ConcreteModel()
    m.d = pyo.Param(initialize=1.0, mutable=True)
    m.x = pyo.Var([1, 2], bounds=(-1, 3))
    m.u = pyo.Var([1, 2], domain=pyo.Integers, bounds=(-2, 2))
    m.y = pyo.Var(bounds=(0, 5))
    m.switch = pyo.Constraint([1, 2], rule=lambda m, j: m.x[j] <= 1.7 * m.u[j])
    m.sum = pyo.Constraint(expr=(0.5, m.x[1] - 2 * m.x[2] + m.u[1], 2.5))
    m.late = pyo.Constraint(expr=m.y + m.x[1] + m.x[2] >= m.d)
    m.cost = pyo.Objective(expr=m.x[1] + m.u[1] + m.u[2] + m.y)
    arrays = arrays_of_text(m, "randvar d discrete 0.5 1 0.5 2\nstage 2 d y late\n")
    found = Decisions(arrays, arrays.first.cost, domain_of(arrays, tuple("abcd")), 0)
    draw, first = np.random.default_rng(3), arrays.first
    points = np.where(first.integer, draw.integers(-2, 3, (3000, 4)), draw.uniform(-1, 3, (3000, 4)))
    done = np.asarray(first.matrix @ points.T).T
    points = points[((done >= first.row_lower) & (done <= first.row_upper)).all(axis=1)]
    assert len(points) > 50
    lower = np.where(
        first.integer, np.floor(points - draw.uniform(0, 2, points.shape)), points - draw.uniform(0, 1, points.shape)
    )
    upper = np.where(first.integer, np.ceil(points + draw.uniform(0, 2, points.shape)), points + draw.uniform(0, 1, points.shape))
    least, most = found.tightened(lower, upper)
    assert ((least <= points + 1e-9) & (points <= most + 1e-9)).all()
    assert (least > lower + 1e-6).any() and (most < upper - 1e-6).any()
