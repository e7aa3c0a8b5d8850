from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyomo.environ as pyo
import pytest
import scipy.sparse as sp

from bilevel_lang.reformulation.nn_recourse.polishing import can_be_polished, polished, tidy
from bilevel_lang.reformulation.stochastic.recourse import recourse_at
from tests.reformulation.nn_recourse.programs import ANNOTATION, facilities
from tests.reformulation.stochastic.test_extensive import arrays_of_text
from tests.reformulation.stochastic.test_listed_stage import investment


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


@pytest.mark.parametrize("sense", [1, -1])
def test_an_all_whole_second_stage_takes_the_short_way_to_the_same_place(sense: int) -> None:
    arrays = investment(pyo.Binary, sense)
    draw = np.random.default_rng(0)
    for x in draw.uniform(0, 5, (5, 2)):
        y = recourse_at(arrays, x).y
        short = polished(arrays, x, y)
        # A column that nothing depends on is not whole: then all scenarios are laid out.
        padded = replace(
            arrays,
            lower=np.append(arrays.lower, 0.0),
            upper=np.append(arrays.upper, 0.0),
            integer=np.append(arrays.integer, False),
            cost=np.append(arrays.cost, 0.0),
            recourse=sp.csr_matrix(sp.hstack([arrays.recourse, sp.csr_matrix((arrays.recourse.shape[0], 1))])),
        )
        long = polished(padded, x, np.hstack([y, np.zeros((len(y), 1))]))
        assert short == pytest.approx(long)
        assert (short >= x - 1e-9).all()  # investing more is what pays as long as no answer is lost


def test_nothing_moves_where_the_first_stage_is_whole() -> None:
    assert not can_be_polished(arrays_of_text(facilities(True), ANNOTATION))


def test_a_scenario_without_an_answer_moves_nothing() -> None:
    arrays = arrays_of_text(facilities(True, binary=False), ANNOTATION)
    x = np.array([0.9, 0.95, 0.5])
    assert polished(arrays, x, np.where(np.arange(3)[:, None] == 1, np.nan, recourse_at(arrays, x).y)) is None


def test_what_rounding_left_is_taken_off_and_all_else_stays() -> None:
    x = np.array([2.0000000000008, 1 / 3, -1.25, 1e-13, 5.0001, 2.00000001])
    assert (tidy(x) == [2.0, 1 / 3, -1.25, 0.0, 5.0001, 2.00000001]).all()
