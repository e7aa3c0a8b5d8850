"""The examiner must find what is wrong with an answer, whatever the method believed."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from pyomo.common.collections import ComponentMap

import bilevel_lang as bl
from bilevel_lang.scenario_verification import StochasticPoint, verify_scenarios
from bilevel_lang.solution import Certificate
from bilevel_lang.solvers.solver import SolverOptions
from tests.stochastic_models import LATE, THREE, newsvendor


def examined(
    x: float, answers: list[tuple[float, float, float]], m: Any = None, seconds: float = math.inf, loose: bool = False
) -> Certificate:
    """``answers``: sales, lost sales and stock in each scenario."""
    m = m or newsvendor()
    problem = bl.resolve(m, THREE + LATE)
    assert problem.stochastic is not None
    point = StochasticPoint(ComponentMap([(m.x, x)]), (m.s, m.l, m.i), np.array(answers))
    scenarios = problem.stochastic.scenarios(None, 0)
    return verify_scenarios(problem, point, scenarios, 1e-5, SolverOptions(), seconds, loose).certificate


GOOD = [(60.0, 30.0, 0.0), (60.0, 0.0, 0.0), (30.0, 0.0, 30.0)]


def test_the_right_answer() -> None:
    found = examined(60, GOOD)
    assert found.verified
    assert found.followers[0].objective == pytest.approx(1110)
    assert found.remarks == ()


def test_a_second_stage_that_could_be_better() -> None:
    found = examined(60, [(50.0, 40.0, 10.0), *GOOD[1:]])
    assert not found.verified
    assert "the second stage costs 810, but could cost 1110" in found.remarks[0]


def test_a_row_of_one_scenario_that_does_not_hold() -> None:
    found = examined(60, [(70.0, 20.0, 0.0), *GOOD[1:]])
    assert not found.verified
    assert found.follower_feasibility == pytest.approx(10, rel=0.2)


def test_a_first_stage_out_of_its_bounds() -> None:
    found = examined(-5, GOOD)
    assert not found.verified
    assert found.leader_feasibility == pytest.approx(5)


def test_a_first_stage_that_leaves_a_scenario_without_an_answer() -> None:
    m = newsvendor()
    m.l.setub(20)
    found = examined(60, GOOD, m)
    assert not found.verified
    assert "scenario 1, solved again, ended infeasible" in " ".join(found.remarks)


def test_without_time_one_scenario_is_solved_again_and_the_rows_of_all_are_measured() -> None:
    found = examined(60, GOOD, seconds=0.0)
    assert found.verified
    assert "1 of them solved again" in found.followers[0].how
    wrong = [(70.0, 20.0, 0.0), *GOOD[1:]], [GOOD[0], (70.0, -10.0, 0.0), GOOD[2]], [*GOOD[:2], (40.0, 20.0, 0.0)]
    assert not any(examined(60, answers, seconds=0.0).verified for answers in wrong)
    assert "solved again" not in examined(60, GOOD, seconds=60.0).followers[0].how


def test_a_tolerance_that_is_not_the_usual_one_is_told() -> None:
    assert "to a relative gap of 1e-05" in examined(60, GOOD, loose=True).followers[0].how
    assert "relative gap" not in examined(60, GOOD).followers[0].how
    assert "relative gap" not in examined(60, GOOD, seconds=60.0).followers[0].how


def test_the_modellers_model_is_left_alone() -> None:
    m = newsvendor()
    examined(60, GOOD, m)
    assert m.d.value == 60
    assert not m.x.fixed
    assert m.x.value is None


def test_better_second_stages_take_the_place_of_those_that_were_solved_to_a_gap() -> None:
    m = newsvendor()
    problem = bl.resolve(m, THREE + LATE)
    assert problem.stochastic is not None
    scenarios = problem.stochastic.scenarios(None, 0)
    poor = np.array([(50.0, 40.0, 10.0), GOOD[1], (20.0, 10.0, 40.0)])
    point = StochasticPoint(ComponentMap([(m.x, 60)]), (m.s, m.l, m.i), poor)
    found = verify_scenarios(problem, point, scenarios, 1e-5, SolverOptions(), loose=True)
    assert found.certificate.verified
    assert found.certificate.followers[0].objective == pytest.approx(1110)
    assert sorted(found.better) == [0, 2]
    assert found.better[0] == pytest.approx(GOOD[0])
    assert found.better[2] == pytest.approx(GOOD[2])
    assert verify_scenarios(problem, point, scenarios, 1e-5, SolverOptions()).better == {}
    poor[2] = (35.0, -5.0, 25.0)
    assert not verify_scenarios(problem, point, scenarios, 1e-5, SolverOptions(), loose=True).certificate.verified
