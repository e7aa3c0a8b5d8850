from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest

from bilevel_lang.reformulation.stochastic import pattern_stage as module
from bilevel_lang.reformulation.stochastic.pattern_stage import pattern_stage
from bilevel_lang.reformulation.stochastic.recourse import recourse_at
from bilevel_lang.reformulation.stochastic.second_stage import SecondStage
from tests.reformulation.nn_recourse.loading import choices, loading


@pytest.mark.parametrize("sense", [1, -1])
def test_values_are_raised_above_the_relaxation_and_stay_below_the_truth(sense: int) -> None:
    arrays = loading(2, sense)
    stage = pattern_stage(arrays)
    assert stage is not None
    points = choices()
    true = np.array([sense * recourse_at(arrays, x, gap=0.0).values for x in points])
    for x in points[::3]:
        found = SecondStage(arrays, relaxed=True).costs(x[None])
        assert found is not None and found.slopes is not None
        values, slopes = stage.raised(x, found.bounds[0], found.slopes[0], None)
        assert (values >= found.bounds[0]).all()
        cuts = values + (points - x) @ slopes.T
        assert (cuts <= true + 1e-6).all()
    assert (values > found.bounds[0] + 0.01).any()


def test_late_is_as_before() -> None:
    arrays = loading(0)
    stage = pattern_stage(arrays)
    assert stage is not None
    count = arrays.scenarios
    values, _ = stage.raised(choices()[0], np.zeros(count), np.zeros((count, 3)), time.perf_counter())
    assert values.tolist() == [0.0] * count
    assert stage.solves == 0


def test_where_there_are_no_patterns(monkeypatch: pytest.MonkeyPatch) -> None:
    arrays = loading(0)
    assert pattern_stage(replace(arrays, integer=np.zeros(len(arrays.integer), dtype=bool))) is None
    monkeypatch.setattr(module, "HELD", 100)
    assert pattern_stage(arrays) is None
