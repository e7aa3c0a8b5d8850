from __future__ import annotations

import numpy as np
import pytest

import bilevel_lang as bl
from bilevel_lang.reformulation.stochastic.arrays import SLOTS, TwoStageArrays
from bilevel_lang.reformulation.stochastic.compilation import compile_program
from tests.stochastic_models import FARMER, farmer


def arrays() -> TwoStageArrays:
    problem = bl.resolve(farmer(), FARMER)
    assert problem.stochastic is not None
    return compile_program(problem, problem.stochastic.scenarios(None, 0)).arrays


def test_a_scenario_has_its_own_data_in_every_slot() -> None:
    found = arrays()
    for number in range(3):
        part = found.scenario(number)
        for name in SLOTS:
            mine = getattr(part, name)
            mine = mine.data if name in ("technology", "recourse") else np.atleast_1d(mine)
            assert mine.tolist() == found.everywhere(name)[number].tolist()
    # Yields of wheat and corn in `feed`, of beets in `sugar`, which is stored with them on the left.
    assert [sorted(abs(found.scenario(k).technology.data)) for k in range(3)] == [[3, 3.6, 24], [2.5, 3, 20], [2, 2.4, 16]]


def test_the_mean_of_a_slot() -> None:
    assert sorted(abs(arrays().mean("technology"))) == pytest.approx([2.5, 3, 20])
    assert arrays().mean("cost").tolist() == arrays().cost.tolist()


def test_some_of_the_scenarios_only() -> None:
    found = arrays().restricted(np.array([2]), np.ones(1))
    assert found.scenarios == 1
    assert sorted(abs(found.scenario(0).technology.data)) == [2, 2.4, 16]
