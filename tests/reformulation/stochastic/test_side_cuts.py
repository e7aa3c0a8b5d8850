"""Cuts of one scenario in all others, against the LPs of all of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyomo.environ as pyo
import pytest

from bilevel_lang.errors import RefusedError
from bilevel_lang.reformulation.stochastic.second_stage import SecondStage
from bilevel_lang.reformulation.stochastic.side_cuts import SideCuts, SideStage, joined, sides_alone
from tests.reformulation.nn_recourse.programs import ANNOTATION, facilities
from tests.reformulation.stochastic.test_decomposition import servers
from tests.reformulation.stochastic.test_extensive import arrays_of_text

POINTS = ((np.arange(16)[:, None] >> np.arange(4)) & 1).astype(float)


@pytest.mark.parametrize("sense", [1, -1], ids=["min", "max"])
def test_a_cut_is_below_every_scenario_at_every_decision_and_meets_its_own(sense: int) -> None:
    arrays = arrays_of_text(*servers(3, sense))
    truth = SecondStage(arrays, relaxed=True).costs(POINTS)
    assert truth is not None
    stage, every = SideStage(arrays), np.arange(arrays.scenarios)
    for place in (0, 3, 5, 11):
        found = stage.at(POINTS[place], every, None)
        assert found is not None
        assert found.possible.all()
        offsets = stage.offsets(found.cuts, every)
        there = POINTS @ found.cuts.slopes.T  # (16, p)
        assert (there[:, :, None] + offsets[None] <= truth.values[:, None, :] + 1e-6).all()
        own = there[place] + stage.own_offsets(found.cuts, every)
        assert own == pytest.approx(truth.values[place])
        assert own == pytest.approx(there[place] + np.diagonal(offsets))
    assert stage.solves == 4 * arrays.scenarios


def test_rows_that_are_not_random_and_bounds_count_as_well() -> None:
    arrays = arrays_of_text(facilities(True), ANNOTATION)
    points = np.array([[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]])
    truth = SecondStage(arrays, relaxed=True).costs(points)
    stage, every = SideStage(arrays), np.arange(arrays.scenarios)
    assert truth is not None
    for point, values in zip(points, truth.values, strict=True):
        found = stage.at(point, every, None)
        assert found is not None
        assert found.cuts.slopes @ point + stage.own_offsets(found.cuts, every) == pytest.approx(values)


def test_a_scenario_without_an_answer_has_no_cut() -> None:
    m, text = servers(1)
    for j in m.J:
        m.over[j].setub(0)
    arrays = arrays_of_text(m, text)
    stage, every = SideStage(arrays), np.arange(arrays.scenarios)
    found, truth = stage.at(np.zeros(4), every, None), SecondStage(arrays, relaxed=True).costs(np.zeros((1, 4)))
    assert found is not None and truth is not None
    assert found.possible.tolist() == np.isfinite(truth.values[0]).tolist()
    assert not found.possible.all()
    assert len(found.cuts.constants) == int(found.possible.sum())


def test_a_second_stage_without_limit_is_refused() -> None:
    m, text = servers(0)
    m.y.domain = pyo.Reals
    for y in m.y.values():
        y.setlb(None)
        y.setub(None)
    arrays = arrays_of_text(m, text)
    stage = SideStage(replace(arrays, cost=-np.abs(arrays.cost) - 1.0, upper=np.full(len(arrays.upper), np.inf)))
    with pytest.raises(RefusedError, match="without end"):
        stage.at(np.ones(4), np.arange(arrays.scenarios), None)


def test_time_that_is_over_gives_nothing() -> None:
    arrays = arrays_of_text(*servers(0))
    assert SideStage(arrays).at(np.ones(4), np.arange(arrays.scenarios), 0.0) is None


def test_what_else_is_random_is_not_taken() -> None:
    assert sides_alone(arrays_of_text(*servers(0)))
    m, text = servers(0)
    m.cost.set_value(m.cost.expr + m.h[1] * m.over[1])
    assert not sides_alone(arrays_of_text(m, text))


def test_cuts_that_are_the_same_are_kept_once() -> None:
    one = SideCuts(np.ones((2, 3)), np.zeros((2, 1)), np.zeros((2, 1)), np.array([1.0, 2.0]))
    both = joined([one, one])
    assert len(both.constants) == 4
    assert both.distinct().constants.tolist() == [1.0, 2.0]
