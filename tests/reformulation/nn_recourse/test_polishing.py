from __future__ import annotations

import numpy as np
import pytest

from bilevel_lang.reformulation.nn_recourse.polishing import can_be_polished, polished
from bilevel_lang.reformulation.stochastic.recourse import recourse_at
from tests.reformulation.nn_recourse.programs import ANNOTATION, facilities
from tests.reformulation.stochastic.test_extensive import arrays_of_text


def test_capacity_that_no_lot_needs_is_not_built() -> None:
    arrays = arrays_of_text(facilities(True, binary=False), ANNOTATION)
    x = np.array([0.9, 0.95, 0.5])
    better = polished(arrays, x, recourse_at(arrays, x).y)
    assert can_be_polished(arrays)
    assert better is not None

    def total(x: np.ndarray) -> float:
        return float(arrays.probabilities @ recourse_at(arrays, x).values) + arrays.first.objective_at(x)

    assert total(better) < total(x) - 0.1
    # Whole lots of 2.5 in a room of 6: what is left open is a number of lots.
    assert better * 6 / 2.5 == pytest.approx(np.rint(better * 6 / 2.5), abs=1e-6)


def test_nothing_moves_where_the_first_stage_is_whole() -> None:
    assert not can_be_polished(arrays_of_text(facilities(True), ANNOTATION))


def test_a_scenario_without_an_answer_moves_nothing() -> None:
    arrays = arrays_of_text(facilities(True, binary=False), ANNOTATION)
    x = np.array([0.9, 0.95, 0.5])
    assert polished(arrays, x, np.where(np.arange(3)[:, None] == 1, np.nan, recourse_at(arrays, x).y)) is None
