from __future__ import annotations

import pytest

import bilevel_lang as bl
from bilevel_lang.errors import RefusedError
from tests.stochastic_models import LATE, THREE, newsvendor


def test_all_scenarios_or_a_sample_of_them() -> None:
    program = bl.resolve(newsvendor(), THREE + LATE).stochastic
    assert program is not None
    assert program.scenarios(None, 0).values.ravel().tolist() == [90, 60, 30]
    drawn = program.scenarios(50, 0)
    assert drawn.size == 50
    assert set(drawn.values.ravel()) == {90, 60, 30}
    assert drawn.values.tolist() != program.fresh(50, 0).values.tolist()


def test_a_law_without_a_sample_is_refused_with_the_two_mends() -> None:
    program = bl.resolve(newsvendor(), "randvar d normal 45 10\n" + LATE).stochastic
    assert program is not None
    with pytest.raises(RefusedError, match=r"without a `sample`[\s\S]*--scenarios 1000[\s\S]*sample PARAMETER 100"):
        program.scenarios(None, 0)
    assert program.scenarios(10, 0).size == 10


def test_setseed_and_seed_both_count() -> None:
    def sample(text: str, seed: int) -> list[float]:
        program = bl.resolve(newsvendor(), text + LATE).stochastic
        assert program is not None
        return program.scenarios(None, seed).values.ravel().tolist()

    law = "randvar d normal 45 10 sample d 4\n"
    assert sample("setseed 3\n" + law, 0) == sample("setseed 3\n" + law, 0)
    assert sample("setseed 3\n" + law, 0) != sample("setseed 4\n" + law, 0)
    assert sample("setseed 3\n" + law, 0) != sample("setseed 3\n" + law, 1)
