from __future__ import annotations

import time

import pytest

import bilevel_lang as bl
from bilevel_lang.reformulation.stochastic.compilation import compile_program
from bilevel_lang.reformulation.stochastic.information import Information, Seconds, information
from tests.stochastic_models import FARMER, LATE, THREE, farmer, newsvendor, profits


def told(m: object, text: str, seconds: float = 30.0) -> Information:
    problem = bl.resolve(m, text)
    assert problem.stochastic is not None
    scenarios = problem.stochastic.scenarios(None, 0)
    return information(problem, compile_program(problem, scenarios).arrays, scenarios, Seconds(seconds), None)


def test_the_farmer_of_the_textbook() -> None:
    found = told(farmer(), FARMER)
    # Birge and Louveaux, section 1.1: -115,406 with perfect information; -107,240 for the decision of the mean yields.
    assert found.wait_and_see == pytest.approx(-115_406, abs=0.6)
    assert found.mean_value_cost == pytest.approx(-107_240, abs=0.6)
    assert found.why == ()


def test_the_newsvendor_by_hand() -> None:
    found = told(newsvendor(), THREE + LATE)
    assert found.wait_and_see == pytest.approx(30 * (0.4 * 90 + 0.3 * 60 + 0.3 * 30))
    assert found.mean_value_cost == pytest.approx(sum(p * v for p, v in zip((0.4, 0.3, 0.3), profits(63), strict=True)))


def test_a_decision_for_the_mean_that_leaves_scenarios_without_an_answer() -> None:
    m = newsvendor()
    m.l.setub(20)
    found = told(m, THREE + LATE)
    assert found.mean_value_cost == float("-inf")
    assert "leaves scenarios without an answer" in found.why[0]


def test_without_time_there_is_no_figure_and_a_reason() -> None:
    found = told(farmer(), FARMER, seconds=1e-9)
    assert found.wait_and_see is None
    assert "there was time to solve 0 of 3 scenarios alone" in found.why[0]


def test_what_a_time_limit_leaves_is_shared() -> None:
    assert Seconds(30.0).now() == 30.0
    assert Seconds(30.0, 1.0, ends=0.0).now() == 1.0
    assert 50.0 < Seconds(60.0, 1.0, ends=time.perf_counter() + 55.0).now() <= 55.0
