from __future__ import annotations

import time

import numpy as np
import pytest

from bilevel_lang.reformulation.nn_recourse import estimate
from bilevel_lang.reformulation.nn_recourse.estimate import Size, not_worth_it, sampling_ahead, size_of
from bilevel_lang.reformulation.stochastic.extensive import extensive_form
from bilevel_lang.reformulation.stochastic.second_stage import SecondStage
from tests.reformulation.nn_recourse.programs import ANNOTATION, facilities
from tests.reformulation.stochastic.test_extensive import arrays_of_text


@pytest.mark.parametrize("whole", [False, True])
def test_the_size_is_that_of_the_form_itself(whole: bool) -> None:
    arrays = arrays_of_text(facilities(whole), ANNOTATION)
    form = extensive_form(arrays)
    assert size_of(arrays) == Size(form.columns, int(form.integer.sum()), form.rows)


def test_a_small_form_is_said_to_be_the_shorter_way() -> None:
    assert "500 columns (20 whole) and 1,000 rows: `--method extensive-form`" in str(not_worth_it(Size(500, 20, 1000)))
    assert not_worth_it(Size(500, 501, 10)) is None
    assert not_worth_it(Size(200_000, 0, 10)) is None


def test_samples_that_will_take_long_are_announced(monkeypatch: pytest.MonkeyPatch) -> None:
    arrays = arrays_of_text(facilities(True), ANNOTATION)
    stage, point = SecondStage(arrays, relaxed=False), np.ones(3)
    said, solves = sampling_ahead(stage, point, 1_000_000_000)
    assert solves == arrays.scenarios
    assert said is not None and said.startswith("3 second stages took") and "1,000,000,000 decisions in 3 scenarios" in said
    monkeypatch.setattr(estimate, "WORTH_TELLING", np.inf)
    assert sampling_ahead(stage, point, 1_000_000_000) == (None, 3)
    stage.stop_at(time.perf_counter() - 1)
    assert sampling_ahead(stage, point, 10) == (None, 0)


def test_what_is_quick_is_not_timed() -> None:
    arrays = arrays_of_text(facilities(False), ANNOTATION)
    assert sampling_ahead(SecondStage(arrays, relaxed=False), np.ones(3), 10**9) == (None, 0)
