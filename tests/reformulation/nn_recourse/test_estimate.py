from __future__ import annotations

import pytest

from bilevel_lang.reformulation.nn_recourse.estimate import Size, not_worth_it, sampling_ahead, size_of
from bilevel_lang.reformulation.stochastic.extensive import extensive_form
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


def test_samples_that_will_take_long_are_announced() -> None:
    said = sampling_ahead(50, 4.0, 100, 300)  # 0.08 s each, 30,000 of them
    assert said is not None
    assert said.startswith("50 second stages took 4.0 s, so that 300 decisions in 100 scenarios take about 2,400 s")
    assert sampling_ahead(50, 0.01, 100, 300) is None
    assert sampling_ahead(0, 0.0, 100, 300) is None
