"""Time limits that come at any time: the search must not lose what it has begun. The clock is the test's own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bilevel_lang.reformulation.stochastic import decision_bounds, evaluation, incumbent, listed_search, side_cuts
from bilevel_lang.reformulation.stochastic.enumeration import binary_points
from bilevel_lang.reformulation.stochastic.incumbent import Found, Incumbent
from bilevel_lang.reformulation.stochastic.listed_search import ListedSearch
from bilevel_lang.reformulation.stochastic.recourse import recourse_at
from bilevel_lang.solvers.hot_milp import HotMilp
from bilevel_lang.solvers.solver import Termination
from tests.reformulation.stochastic.test_decomposition import servers
from tests.reformulation.stochastic.test_extensive import arrays_of_text


class Clock:
    """One second for each look at relaxations and each MILP."""

    now = 0.0

    def perf_counter(self) -> float:
        return self.now


def search(seed: int, seconds: float | None, monkeypatch: pytest.MonkeyPatch, look: float = 1.0) -> tuple[Found, list[float]]:
    clock = Clock()
    for module in (decision_bounds, evaluation, listed_search, side_cuts):
        monkeypatch.setattr(module, "time", clock)
    monkeypatch.setattr(decision_bounds, "FIRST", 2)
    monkeypatch.setattr(decision_bounds, "GROWTH", 2)
    monkeypatch.setattr(incumbent, "TIMED", 1)
    solved, looked = HotMilp.solve, side_cuts.SideStage._solved

    def milp(hot: HotMilp, *given: Any) -> Any:
        clock.now += 1.0
        hot.deadline = None
        return solved(hot, *given)

    def looks(stage: side_cuts.SideStage, *given: Any) -> Any:
        clock.now += look
        return looked(stage, *given)

    monkeypatch.setattr(HotMilp, "solve", milp)
    monkeypatch.setattr(side_cuts.SideStage, "_solved", looks)
    arrays = arrays_of_text(*servers(seed))
    truth = [
        float(arrays.first.cost @ x + arrays.probabilities @ recourse_at(arrays, x).values) for x in binary_points(arrays.first)
    ]
    clock.now = 0.0
    return ListedSearch(arrays, Incumbent(arrays, 1e-9), seconds).run(), truth


@pytest.mark.parametrize("seconds", [14, 20, 30, 60, 500])
@pytest.mark.parametrize("look", [0.3, 3.0], ids=["quick-bounds", "slow-bounds"])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_limit_that_suffices_for_one_decision_leaves_an_answer_and_a_bound(
    seed: int, look: float, seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, truth = search(seed, seconds, monkeypatch, look)
    assert found.x is not None and found.y is not None
    assert not np.isnan(found.y).any()
    assert -np.inf < found.bound <= min(truth) + 1e-6
    assert found.value >= min(truth) - 1e-6
    assert any(found.value == pytest.approx(total) for total in truth)
    assert found.termination in (Termination.OPTIMAL, Termination.LIMIT)
    if seconds == 500:
        assert found.termination is Termination.OPTIMAL
        assert found.value == pytest.approx(min(truth))


def test_time_that_is_too_short_is_told_with_what_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    found, truth = search(0, 4, monkeypatch)
    assert found.x is None
    assert found.termination is Termination.LIMIT
    assert found.needs == pytest.approx(6)
    assert -np.inf < found.bound <= min(truth) + 1e-6


def test_a_clock_that_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    found, truth = search(1, None, monkeypatch)
    assert found.termination is Termination.OPTIMAL
    assert found.value == pytest.approx(min(truth))
