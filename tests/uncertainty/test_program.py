from __future__ import annotations

import pyomo.environ as pyo
import pytest

import bilevel_lang as bl
from bilevel_lang.errors import RefusedError, ResolutionError
from tests.stochastic_models import LATE, THREE, newsvendor


def test_all_scenarios_or_a_sample_of_them() -> None:
    program = bl.resolve(newsvendor(), THREE + LATE).stochastic
    assert program is not None
    assert program.scenarios(None, 0).values.ravel().tolist() == [90, 60, 30]
    drawn = program.scenarios(50, 0)
    assert drawn.size == 50
    assert set(drawn.values.ravel()) == {90, 60, 30}
    assert drawn.values.tolist() != program.fresh(50, 0).values.tolist()
    assert program.training(50, 0).values.tolist() not in (drawn.values.tolist(), program.fresh(50, 0).values.tolist())
    assert program.training(50, 0).values.tolist() == program.training(50, 0).values.tolist()


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


def test_parameters_keep_to_what_they_were_declared_to_hold() -> None:
    m = newsvendor()
    m.del_component(m.d)
    m.d = pyo.Param(initialize=60, mutable=True, within=pyo.NonNegativeIntegers)
    m.s.setub(m.d)
    for law, wrong in (("discrete 0.5 90 0.5 -30", "-30"), ("discrete 0.5 90 0.5 1.5", "1.5")):
        with pytest.raises(ResolutionError, match=f"`d` is to be {wrong}, and is declared to be in NonNegativeIntegers"):
            bl.solve(m, f"randvar d {law} stage 2 s l i demand stock")
    program = bl.resolve(m, "randvar d normal 45 10 stage 2 s l i demand stock").stochastic
    assert program is not None
    with pytest.raises(RefusedError, match="wider domain"):
        program.fresh(5, 0)
    fine = bl.resolve(m, "randvar d poisson 45 sample d 4 stage 2 s l i demand stock").stochastic
    assert fine is not None and fine.scenarios(None, 0).size == 4


def test_half_of_a_training_is_of_the_law_and_half_possible_but_unlikely() -> None:
    program = bl.resolve(newsvendor(), "randvar d normal 45 10\n" + LATE).stochastic
    assert program is not None
    values = program.training(4000, 0).values[:, 0]
    usual, far = values[:2000], values[2000:]
    assert usual.std() == pytest.approx(10.0, rel=0.05)
    assert far.std() > 1.05 * usual.std()


def test_unlikely_scenarios_that_a_parameter_does_not_take_are_left_out() -> None:
    m = newsvendor()
    m.del_component("d")
    m.d = pyo.Param(initialize=45, mutable=True, within=pyo.NonNegativeReals)
    m.del_component("demand")
    m.demand = pyo.Constraint(expr=m.s <= m.d)
    program = bl.resolve(m, "randvar d normal 42 10\n" + LATE).stochastic
    assert program is not None
    values = program.training(60, 0).values
    assert values.min() >= 0.0
    assert 30 < len(values) <= 60
