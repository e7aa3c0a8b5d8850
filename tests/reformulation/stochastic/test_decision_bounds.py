"""Bounds of listed decisions, against the relaxed second stage of every one of them."""

from __future__ import annotations

import numpy as np
import pytest

from bilevel_lang.reformulation.stochastic import decision_bounds
from bilevel_lang.reformulation.stochastic.arrays import TwoStageArrays
from bilevel_lang.reformulation.stochastic.decision_bounds import DecisionBounds
from bilevel_lang.reformulation.stochastic.enumeration import binary_points
from bilevel_lang.reformulation.stochastic.second_stage import SecondStage
from bilevel_lang.reformulation.stochastic.side_cuts import SideStage
from bilevel_lang.solvers.program import Floats
from tests.reformulation.stochastic.plants import plants
from tests.reformulation.stochastic.test_decomposition import servers
from tests.reformulation.stochastic.test_extensive import arrays_of_text


def bounds_and_truth(arrays: TwoStageArrays, deadline: float | None = None) -> tuple[DecisionBounds, Floats]:
    """The bounds, and the relaxed total (k,) of each decision."""
    points = binary_points(arrays.first)
    first = points @ arrays.first.cost
    found = SecondStage(arrays, relaxed=True).costs(points)
    assert found is not None
    totals = first + np.where(np.isfinite(found.values), found.values, 1e9) @ arrays.probabilities
    stage = SideStage(arrays)
    return DecisionBounds(stage, points, first, arrays.probabilities, deadline), np.where(totals > 1e6, np.inf, totals)


@pytest.mark.parametrize("steps", [(20, 10), (1, 2)], ids=["at-once", "in-steps"])
@pytest.mark.parametrize("seed", range(4))
def test_decisions_come_in_the_order_of_their_relaxed_costs(
    seed: int, steps: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decision_bounds, "FIRST", steps[0])
    monkeypatch.setattr(decision_bounds, "GROWTH", steps[1])
    arrays = arrays_of_text(*servers(seed))
    bounds, truth = bounds_and_truth(arrays)
    for expected in np.sort(truth):
        place = bounds.lowest()
        assert place is not None
        assert bounds.totals[place] == pytest.approx(expected)
        assert truth[place] == pytest.approx(expected)
        assert bounds.first[place] + bounds.costs(place) @ arrays.probabilities == pytest.approx(expected)
        still = np.isfinite(bounds.totals)
        assert (bounds.totals[still] <= truth[still] + 1e-6).all()
        bounds.close(place)
    assert bounds.lowest() is None
    assert bounds.least == np.inf


def test_decisions_that_reach_the_limit_are_not_looked_at() -> None:
    arrays = arrays_of_text(*servers(2))
    bounds, truth = bounds_and_truth(arrays)
    place = bounds.lowest()
    assert place is not None
    bounds.close(place)
    limit = float(np.sort(truth)[3]) - 1e-3
    given = []
    while (place := bounds.lowest(limit)) is not None:
        given.append(place)
        bounds.close(place)
    assert sorted(truth[given]) == pytest.approx(np.sort(truth)[1:3])
    assert limit <= bounds.least <= np.sort(truth)[3] + 1e-6
    assert bounds.rounds < 2 * len(truth)


def test_decisions_that_leave_a_scenario_without_an_answer_are_out() -> None:
    m, text = servers(1)
    for j in m.J:
        m.over[j].setub(0)
    bounds, truth = bounds_and_truth(arrays_of_text(m, text))
    assert 0 < int(np.isinf(truth).sum()) < len(truth)
    count = 0
    while (place := bounds.lowest()) is not None:
        assert np.isfinite(truth[place])
        bounds.close(place)
        count += 1
    assert count == int(np.isfinite(truth).sum())


def test_decisions_are_out_together_that_leave_a_scenario_without_an_answer_for_one_reason() -> None:
    m, text = plants(10)
    m.lot.set_value(0.5)
    demands = "\n".join(["randvar demand discrete 0.5 9 0.5 10", text.splitlines()[1]])
    bounds, truth = bounds_and_truth(arrays_of_text(m, demands))
    place = bounds.lowest()
    assert place is not None and truth[place] == truth.min()
    # Nine of the ten are needed.
    assert int(np.isinf(truth).sum()) == 1024 - 11
    assert bounds.rounds < 100


def test_without_time_nothing_is_proven() -> None:
    bounds, _ = bounds_and_truth(arrays_of_text(*servers(0)), deadline=0.0)
    assert bounds.lowest() is None
    assert bounds.late
    assert bounds.least == -np.inf


def test_no_decisions_have_no_least_one() -> None:
    arrays = arrays_of_text(*servers(0))
    bounds = DecisionBounds(SideStage(arrays), np.zeros((0, 4)), np.zeros(0), arrays.probabilities)
    assert bounds.lowest() is None
    assert bounds.least == np.inf
