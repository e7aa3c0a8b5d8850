from __future__ import annotations

from typing import Any

import numpy as np
import pyomo.environ as pyo
import pytest

from bilevel_lang.errors import RefusedError
from bilevel_lang.reformulation.stochastic.arrays import TwoStageArrays
from bilevel_lang.reformulation.stochastic.elastic import elastic
from bilevel_lang.reformulation.stochastic.recourse import recourse_at
from bilevel_lang.reformulation.stochastic.second_stage import SecondStage, chain
from tests.reformulation.nn_recourse.programs import ANNOTATION, corners, facilities
from tests.reformulation.stochastic.test_extensive import arrays_of_text
from tests.reformulation.stochastic.test_fixed_matrix import yields
from tests.stochastic_models import FARMER, LATE, THREE, farmer, newsvendor


@pytest.mark.parametrize(
    ("make", "text", "low", "up"),
    [
        (newsvendor, THREE + LATE, 0, 150),
        (farmer, FARMER, 50, 150),
        (lambda: facilities(False, binary=False), ANNOTATION, 0, 1),
        (lambda: facilities(True, binary=False), ANNOTATION, 0, 1),
    ],
    ids=["news", "farmer", "lots", "whole lots"],
)
def test_every_cost_is_that_of_the_scenario_solved_by_itself(make: Any, text: str, low: float, up: float) -> None:
    arrays = arrays_of_text(make(), text)
    points = np.random.default_rng(1).uniform(low, up, (6, len(arrays.first.lower)))
    found = SecondStage(arrays, relaxed=False).costs(points)
    assert found is not None
    for x, values, bounds in zip(points, found.values, found.bounds, strict=True):
        assert values == pytest.approx(arrays.sense * recourse_at(arrays, x).values, rel=1e-8)
        assert (bounds <= values + 1e-6).all()


@pytest.mark.parametrize(("make", "text"), [(newsvendor, THREE + LATE), (farmer, FARMER), (lambda: facilities(True), ANNOTATION)])
def test_slopes_of_a_linear_second_stage_stay_below_everywhere(make: Any, text: str) -> None:
    arrays = arrays_of_text(make(), text)
    points = np.random.default_rng(2).uniform(0, 1 if "need" in text else 120, (8, len(arrays.first.lower)))
    found = SecondStage(arrays, relaxed=True).costs(points)
    assert found is not None and found.slopes is not None
    for k, x in enumerate(points):
        cut = found.values[k] + np.einsum("sn,pn->ps", found.slopes[k], points - x)
        assert (cut <= found.values + 1e-6 * (1 + np.abs(found.values))).all()
        assert cut[k] == pytest.approx(found.values[k])


def test_what_has_no_answer_is_infinite_and_its_rows_are_violated_by_so_much() -> None:
    m: Any = newsvendor()
    m.l.setub(20)
    arrays = arrays_of_text(m, THREE + LATE)
    point = np.array([[60.0]])
    found = SecondStage(arrays, relaxed=False).costs(point)
    missed = SecondStage(elastic(arrays), relaxed=False).costs(point)
    assert found is not None and missed is not None and missed.slopes is not None
    assert np.isinf(found.values[0]).tolist() == [True, False, False]
    assert missed.values[0] == pytest.approx([10, 0, 0])  # 90 wanted, 60 there, 20 may be lost
    assert missed.slopes[0, 0] == pytest.approx([-1])


def test_a_second_stage_without_limit_is_refused() -> None:
    m: Any = facilities(False)
    m.lost.domain = pyo.Reals
    m.lost.setlb(None)
    m.cost.set_value(m.cost.expr - 20 * pyo.quicksum(m.lost.values()))
    with pytest.raises(RefusedError, match="without end in scenario 1"):
        SecondStage(arrays_of_text(m, ANNOTATION), relaxed=False).costs(corners())


def test_a_chain_visits_every_decision_once_and_the_nearest_one_next() -> None:
    assert chain(np.array([[0.0], [9.0], [1.0], [7.0]])).tolist() == [0, 2, 3, 1]
    assert sorted(chain(np.zeros((1203, 2))).tolist()) == list(range(1203))


@pytest.mark.parametrize(
    ("arrays", "way"),
    [
        (arrays_of_text(newsvendor(), THREE + LATE), "arrays"),
        (yields(), "lp"),
        (arrays_of_text(facilities(True), ANNOTATION), "milp"),
    ],
    ids=["arrays", "lp", "milp"],
)
def test_the_way_is_that_of_the_structure(arrays: TwoStageArrays, way: str) -> None:
    stage = SecondStage(arrays, relaxed=False)
    assert stage.way == way
    points = np.array([arrays.first.lower + 1, arrays.first.lower])
    found = stage.costs(points)
    assert found is not None
    for x, values in zip(points, found.values, strict=True):
        assert values == pytest.approx(arrays.sense * recourse_at(arrays, x).values)
