from __future__ import annotations

from typing import Any

import numpy as np
import pyomo.environ as pyo
import pytest

from bilevel_lang.reformulation.stochastic.answer_parts import listed_answers
from bilevel_lang.reformulation.stochastic.arrays import TwoStageArrays
from bilevel_lang.reformulation.stochastic.listed_stage import ListedStage
from bilevel_lang.reformulation.stochastic.recourse import recourse_at
from tests.reformulation.stochastic.test_extensive import arrays_of_text

LAW = "jrandvar xi[1] xi[2]\n 0.5 5 15\n 0.3 15 5\n 0.2 11 10\nstage 2 xi y capacity\n"


def investment(whole: Any, sense: int = 1, needed: float = 0.0) -> TwoStageArrays:
    """Schultz, Stougie and van der Vlerk 1998, example 7.3; ``needed``: the second stage has to do that much in sum."""
    m = pyo.ConcreteModel()
    m.x = pyo.Var([1, 2], bounds=(0, 5))
    m.xi = pyo.Param([1, 2], initialize=10.0, mutable=True)
    m.y = pyo.Var([1, 2, 3, 4], domain=whole)
    w, gain = [[2, 3, 4, 5], [6, 1, 3, 2]], [16, 19, 23, 28]
    m.capacity = pyo.ConstraintList()
    for r in (1, 2):
        m.capacity.add(sum(w[r - 1][j - 1] * m.y[j] for j in m.y) + m.x[r] <= m.xi[r])
    m.capacity.add(sum(m.y.values()) >= needed)
    value = -1.5 * m.x[1] - 4 * m.x[2] - sum(gain[j - 1] * m.y[j] for j in m.y)
    m.cost = pyo.Objective(expr=sense * value, sense=pyo.minimize if sense == 1 else pyo.maximize)
    return arrays_of_text(m, LAW)


@pytest.mark.parametrize(("whole", "sense", "needed"), [(pyo.Binary, 1, 0), (pyo.NonNegativeIntegers, -1, 0), (pyo.Binary, 1, 2)])
def test_the_best_answer_is_that_of_the_milp(whole: Any, sense: int, needed: float) -> None:
    arrays = investment(whole, sense, needed)
    answers = listed_answers(arrays)
    assert answers is not None
    points = np.random.default_rng(0).uniform(0, 5, (8, 2))
    stage = ListedStage(arrays, answers)
    for x, values in zip(points, stage.values(points), strict=True):
        assert values == pytest.approx(arrays.sense * recourse_at(arrays, x).values)
        some = np.isfinite(values)
        y = stage.responses(x)
        assert (np.isnan(y).any(axis=1) == ~some).all()
        assert arrays.sense * (y @ arrays.cost)[some] == pytest.approx(values[some])
        activity = y @ arrays.recourse.toarray().T + arrays.technology @ x
        assert (activity <= arrays.everywhere("row_upper") + 1e-6)[some].all()
    if needed:
        assert np.isinf(ListedStage(arrays, answers).values(np.array([[5.0, 5.0]]))).any()


def test_the_answers_to_the_loosest_sides_of_a_box_cost_its_bound() -> None:
    arrays = investment(pyo.NonNegativeIntegers, needed=2)
    answers = listed_answers(arrays)
    assert answers is not None
    stage = ListedStage(arrays, answers)
    ends = np.sort(np.random.default_rng(1).uniform(0, 5, (6, 2, 2)), axis=1)
    for lower, upper in ends:
        y, least = stage.loosest_responses(lower, upper), stage.least(lower[None], upper[None])[0]
        some = np.isfinite(least)
        assert (np.isnan(y).any(axis=1) == ~some).all()
        assert arrays.sense * (y @ arrays.cost)[some] == pytest.approx(least[some])
        activity = y @ arrays.recourse.toarray().T + arrays.technology @ lower
        assert (activity <= arrays.everywhere("row_upper") + 1e-6)[some].all()


def test_costs_and_bounds_that_differ_from_scenario_to_scenario() -> None:
    m = pyo.ConcreteModel()
    m.x = pyo.Var([1, 2], bounds=(0, 5))
    m.gain, m.most = pyo.Param(initialize=3.0, mutable=True), pyo.Param(initialize=2.0, mutable=True)
    m.y = pyo.Var([1, 2], domain=pyo.NonNegativeIntegers)
    m.room = pyo.Constraint(expr=2 * m.y[1] + 3 * m.y[2] + m.x[1] <= 9)
    m.least = pyo.Constraint(expr=m.y[1] + m.y[2] + m.x[2] >= 1.5)
    m.few = pyo.Constraint(expr=m.y[1] <= m.most)
    m.cost = pyo.Objective(expr=m.x[1] + m.x[2] - m.gain * m.y[1] - 4 * m.y[2])
    arrays = arrays_of_text(m, "jrandvar gain most\n 0.5 3 2\n 0.3 5 1\n 0.2 -1 4\nstage 2 gain most y room least few\n")
    answers = listed_answers(arrays)
    assert answers is not None
    points = np.random.default_rng(0).uniform(0, 5, (8, 2))
    found = ListedStage(arrays, answers).values(points)
    assert found == pytest.approx(np.array([recourse_at(arrays, x).values for x in points]))


@pytest.mark.parametrize(("sense", "needed"), [(1, 0), (-1, 2)])
def test_a_box_is_bounded_by_what_its_loosest_sides_allow(sense: int, needed: float) -> None:
    arrays = investment(pyo.NonNegativeIntegers, sense, needed)
    answers = listed_answers(arrays)
    assert answers is not None
    stage, draw = ListedStage(arrays, answers), np.random.default_rng(1)
    lower = draw.uniform(0, 4, (20, 2))
    upper = lower + draw.uniform(0, 1, (20, 2))
    least = stage.least(lower, upper)
    for share in draw.random((10, 20, 2)):
        assert (stage.values(lower + share * (upper - lower)) >= least).all()
    assert (stage.least(lower, lower) == stage.values(lower)).all()
    if not needed:
        # Investment takes capacity and gives none: the box is as good as its lower corner.
        assert (least == stage.values(lower)).all()


def test_every_answer_of_the_relaxed_rows_is_listed() -> None:
    answers = listed_answers(investment(pyo.Binary))
    assert answers is not None
    assert [len(part.answers) for part in answers] == [16]  # capacities of 15 admit 2 + 3 + 4 + 5 and 6 + 1 + 3 + 2


def test_a_second_stage_that_is_not_whole_is_not_listed() -> None:
    assert listed_answers(investment(pyo.NonNegativeReals)) is None
