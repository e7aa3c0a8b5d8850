from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bilevel_lang.reformulation.stochastic.arrays import Varying
from bilevel_lang.reformulation.stochastic.counted import Counted, counted
from bilevel_lang.reformulation.stochastic.second_stage import SecondStage
from tests.reformulation.nn_recourse.programs import ANNOTATION, facilities
from tests.reformulation.stochastic.test_extensive import arrays_of_text
from tests.reformulation.stochastic.test_hot_recourse import loads


def test_a_part_of_a_penalty_is_rounded_up_and_a_part_of_a_reward_down() -> None:
    known = Counted(np.array([0]), np.array([10.0, -10.0]))
    assert known.rounding(np.array([[23.0, -23.0], [20.0, -20.0], [0.0, 0.0]])).tolist() == pytest.approx(
        np.array([[7.0, 3.0], [0.0, 0.0], [0.0, 0.0]])
    )


def test_the_loads_that_are_lost_share_the_highest_price() -> None:
    arrays = loads()
    known = counted(arrays)
    assert known is not None
    assert (arrays.everywhere("cost")[:, known.columns] == 20.0).all() and len(known.columns) == 3
    assert known.prices.tolist() == [20.0] * 3
    assert counted(arrays_of_text(facilities(False), ANNOTATION)) is None


def test_a_relaxed_second_stage_tells_what_whole_losses_would_add() -> None:
    """One lorry has room for 7, both for 16; loads are 3, 4, 5; 6, 2, 7; 8, 1, 2, and the heaviest are lost first."""
    found = SecondStage(loads(), relaxed=True).costs(np.array([[1.0, 0.0], [1.0, 1.0]]))
    assert found is not None and found.rounding is not None
    assert found.rounding == pytest.approx(np.array([[0.0, 20.0 * 5 / 6, 20.0 * 4 / 8], [0.0, 0.0, 0.0]]), abs=1e-6)


def test_prices_may_be_random_but_not_apart_from_each_other() -> None:
    arrays = loads()
    lost = counted(arrays)
    assert lost is not None
    alike = np.repeat([[20.0], [25.0], [30.0]], 3, axis=1)
    found = counted(replace(arrays, varying={**arrays.varying, "cost": Varying(lost.columns, alike)}))
    assert found is not None and found.prices.tolist() == [20.0, 25.0, 30.0]
    apart = alike + np.array([[0.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.0]])
    assert counted(replace(arrays, varying={**arrays.varying, "cost": Varying(lost.columns, apart)})) is None
