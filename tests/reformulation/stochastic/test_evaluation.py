"""Decisions whose scenarios are solved one by one, against the second stage itself."""

from __future__ import annotations

import itertools
import time

import numpy as np
import pytest

from bilevel_lang.reformulation.stochastic import evaluation, hot_recourse
from bilevel_lang.reformulation.stochastic.arrays import TwoStageArrays
from bilevel_lang.reformulation.stochastic.evaluation import Evaluation
from bilevel_lang.reformulation.stochastic.recourse import recourse_at
from bilevel_lang.solvers.hot_milp import MilpAnswer
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.solver import Termination
from tests.reformulation.stochastic.test_decomposition import servers
from tests.reformulation.stochastic.test_extensive import arrays_of_text

OPEN = np.array([1.0, 0.0, 1.0, 0.0])


def begun(sense: int = 1) -> tuple[Evaluation, TwoStageArrays, Floats]:
    """At ``OPEN``, with what each scenario costs in truth."""
    arrays = arrays_of_text(*servers(1, sense))
    base = sense * float(arrays.first.cost @ OPEN)
    found = Evaluation(arrays, OPEN, base, np.full(arrays.scenarios, -np.inf))
    return found, arrays, sense * recourse_at(arrays, OPEN).values


@pytest.mark.parametrize("sense", [1, -1], ids=["min", "max"])
def test_it_goes_on_where_it_was(sense: int) -> None:
    found, arrays, truth = begun(sense)
    found.advance(np.inf, None, most=2)
    assert (found.solves, found.left, found.finished) == (2, 4, False)
    assert np.isnan(found.total)
    found.advance(np.inf, None)
    assert (found.solves, found.left, found.finished) == (6, 0, True)
    assert found.values == pytest.approx(truth)
    assert found.total == pytest.approx(found.base + truth @ arrays.probabilities)
    assert found.proven == pytest.approx(found.total)
    assert sense * (arrays.everywhere("cost") * found.y).sum(axis=1) == pytest.approx(truth)


def test_it_ends_when_it_is_clear_that_it_is_no_better() -> None:
    found, arrays, truth = begun()
    found.raise_least(truth - 1.0)
    limit = found.base + float(truth @ arrays.probabilities) - 0.5
    found.advance(limit, None)
    assert 0 < found.solves < 6
    assert found.proven >= limit


def test_without_time_nothing_is_solved() -> None:
    found, _, _ = begun()
    found.advance(np.inf, time.perf_counter())
    assert (found.solves, found.left) == (0, 6)
    assert found.seconds_each == np.inf


def test_a_scenario_without_an_answer_is_the_end() -> None:
    m, text = servers(1)
    for j in m.J:
        m.over[j].setub(0)
    arrays = arrays_of_text(m, text)
    found = Evaluation(arrays, np.zeros(4), 0.0, np.full(6, -np.inf))
    found.advance(np.inf, None)
    assert not found.possible
    assert not found.finished
    assert found.proven == np.inf


def test_where_time_is_short_scenarios_are_solved_to_a_gap_and_sharpened_later(monkeypatch: pytest.MonkeyPatch) -> None:
    found, arrays, truth = begun()
    found.advance(np.inf, None, most=1)
    asked: list[object] = []
    solve = hot_recourse.HotRecourse.solve

    def poor(hot: hot_recourse.HotRecourse, number: int, *given: Floats) -> object:
        answer = solve(hot, number, *given)  # type: ignore[arg-type]
        asked.append(hot.options.extra.get("mip_rel_gap"))
        if asked[-1] is None:
            return answer
        assert isinstance(answer, MilpAnswer)
        return MilpAnswer(Termination.OPTIMAL, answer.x, answer.objective + 0.5, answer.objective - 0.5)

    monkeypatch.setattr(hot_recourse.HotRecourse, "solve", poor)
    found._seconds = 1e6  # what is left of the time is far too short for exact answers
    found.advance(np.inf, time.perf_counter() + 60, shared=True)
    assert asked == [evaluation.HURRIED] * 5
    total = found.base + float(truth @ arrays.probabilities)
    assert found.finished
    assert found.proven < total < found.total
    found.sharpen(None)
    assert asked[5:] == [None] * 5
    assert found.total == pytest.approx(total)
    assert found.proven == pytest.approx(total)


def test_what_time_ends_keeps_the_best_answer_there_was(monkeypatch: pytest.MonkeyPatch) -> None:
    found, arrays, truth = begun()
    calls = itertools.count()
    solve = hot_recourse.HotRecourse.solve

    def stopped(hot: hot_recourse.HotRecourse, number: int, *given: Floats) -> object:
        answer = solve(hot, number, *given)  # type: ignore[arg-type]
        assert isinstance(answer, MilpAnswer)
        return MilpAnswer(Termination.LIMIT, answer.x if next(calls) else None, answer.objective, answer.objective - 1.0)

    monkeypatch.setattr(hot_recourse.HotRecourse, "solve", stopped)
    found.advance(np.inf, time.perf_counter() + 60, shared=True)
    assert next(calls) == 7, "the scenario that was left without an answer is asked about again"
    assert found.finished
    total = found.base + float(truth @ arrays.probabilities)
    assert found.total == pytest.approx(total)
    assert found.proven == pytest.approx(total - 1.0)
    before = found.values.copy()
    found.sharpen(time.perf_counter())
    assert (found.values == before).all()
