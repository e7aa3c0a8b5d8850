from __future__ import annotations

import time

import pytest

from bilevel_lang.reformulation.nn_recourse.probe import Probe
from bilevel_lang.reformulation.stochastic.recourse import recourse_at
from tests.reformulation.nn_recourse.programs import ANNOTATION, corners, facilities
from tests.reformulation.stochastic.test_extensive import arrays_of_text
from tests.reformulation.stochastic.test_hot_recourse import CORNERS, apart, loads


def test_every_scenario_is_worth_what_the_other_way_says_and_its_answer_attains_it() -> None:
    arrays = arrays_of_text(facilities(True), ANNOTATION)
    probe = Probe(arrays, 1e-6)
    for x in corners()[::3]:
        expected = recourse_at(arrays, x).values
        for number in range(arrays.scenarios):
            found = probe(number, x)
            assert found is not None and found.y is not None
            assert found.value == pytest.approx(expected[number])
            assert found.bound <= found.value + 1e-6
            part = arrays.scenario(number)
            assert found.value == pytest.approx(part.cost @ found.y + part.constant)
            body = part.technology @ x + part.recourse @ found.y
            assert (body >= part.row_lower - 1e-6).all() and (body <= part.row_upper + 1e-6).all()
    assert probe.solves == 3 * arrays.scenarios


def test_no_time_is_told() -> None:
    arrays = arrays_of_text(facilities(True), ANNOTATION)
    assert Probe(arrays, 1e-6, time.perf_counter() - 1.0)(0, corners()[0]) is None


def test_any_answer_is_one_that_keeps_the_rows_whatever_the_deadline() -> None:
    arrays = arrays_of_text(facilities(True), ANNOTATION)
    probe, x = Probe(arrays, 1e-6, time.perf_counter() - 1.0), corners()[3]
    optima = recourse_at(arrays, x).values
    for number in range(arrays.scenarios):
        found = probe.any_answer(number, x)
        part = arrays.scenario(number)
        assert found.y is not None
        body = part.technology @ x + part.recourse @ found.y
        assert (body >= part.row_lower - 1e-6).all() and (body <= part.row_upper + 1e-6).all()
        assert found.value == pytest.approx(part.cost @ found.y + part.constant)
        assert found.bound - 1e-6 <= optima[number] <= found.value + 1e-6


def test_patterns_prove_a_cost_that_no_answer_undercuts() -> None:
    arrays = loads()
    probe = Probe(arrays, 1e-6)
    for x in CORNERS:
        for number in range(arrays.scenarios):
            least = probe.least(number, x)
            assert least is not None and least <= apart(arrays, number, x) + 1e-6
    # With both lorries everything but one load goes, and how many are lost is whole in the bound.
    whole = [probe.least(number, CORNERS[2]) for number in range(arrays.scenarios)]
    assert whole == pytest.approx([apart(arrays, number, CORNERS[2]) for number in range(arrays.scenarios)], rel=2e-3)
    assert Probe(arrays, 1e-6, time.perf_counter() - 1.0).least(0, CORNERS[0]) is None
