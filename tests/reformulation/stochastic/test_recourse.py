from __future__ import annotations

import time
from typing import Any

import numpy as np
import pyomo.environ as pyo
import pytest

from bilevel_lang.reformulation.stochastic import recourse
from bilevel_lang.reformulation.stochastic.extensive import extensive_form
from bilevel_lang.reformulation.stochastic.hot_recourse import HotRecourse
from bilevel_lang.reformulation.stochastic.recourse import all_second, recourse_at
from bilevel_lang.solvers.highs import Highs
from bilevel_lang.solvers.hot_milp import MilpAnswer
from bilevel_lang.solvers.matrix import MatrixRun
from bilevel_lang.solvers.solver import SolverOptions, Termination
from tests.reformulation.stochastic.test_compilation import EVERYWHERE, everywhere
from tests.reformulation.stochastic.test_extensive import arrays_of_text
from tests.stochastic_models import FARMER, LATE, THREE, farmer, newsvendor, profits


@pytest.mark.parametrize("batch", [20_000, 1])
def test_the_newsvendors_profits(batch: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recourse, "BATCH", batch)
    arrays = arrays_of_text(newsvendor(), THREE + LATE)
    for x in (0.0, 45.0, 120.0):
        found = recourse_at(arrays, np.array([x]))
        assert found.values + arrays.first.objective_at(np.array([x])) == pytest.approx(profits(x))
        assert found.finished


def test_integers_are_solved_as_such_and_scenarios_without_an_answer_are_infinite() -> None:
    m: Any = newsvendor()
    m.s.domain = m.i.domain = m.l.domain = pyo.NonNegativeIntegers
    arrays = arrays_of_text(m, "randvar d discrete 0.5 3 0.5 2.5\n" + LATE)
    found = recourse_at(arrays, np.array([2.0]))
    assert found.values[0] == pytest.approx(60 * 2 - 5)
    assert found.values[1] == -np.inf  # of a maximum: the worst there is
    assert np.isnan(found.y[1]).all()


def test_one_scenario_without_an_answer_does_not_spoil_its_batch() -> None:
    m: Any = newsvendor()
    m.l.setub(20)
    found = recourse_at(arrays_of_text(m, THREE + LATE), np.array([60.0]))
    assert np.isfinite(found.values).tolist() == [False, True, True]


def test_a_deadline_leaves_nan() -> None:
    found = recourse_at(arrays_of_text(newsvendor(), THREE + LATE), np.array([1.0]), deadline=time.perf_counter() - 1)
    assert np.isnan(found.values).all()
    assert not found.finished


@pytest.mark.parametrize(("make", "text"), [(farmer, FARMER), (newsvendor, THREE + LATE), (everywhere, EVERYWHERE)])
def test_each_scenario_decides_for_itself(make: Any, text: str) -> None:
    arrays = arrays_of_text(make(), text)
    together = recourse_at(all_second(arrays), np.zeros(0)).values
    alone = []
    for number in range(arrays.scenarios):
        one = arrays.restricted(np.array([number]), np.ones(1))
        alone.append(Highs().run_matrix(extensive_form(one), SolverOptions()).objective)
    assert together == pytest.approx(alone)


@pytest.mark.parametrize("whole", [False, True])
def test_ctrl_c_that_ended_a_solver_is_not_taken_for_a_scenario_without_an_answer(
    whole: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    m: Any = newsvendor()
    if whole:
        m.s.domain = m.i.domain = m.l.domain = pyo.NonNegativeIntegers
        stopped: Any = MilpAnswer(Termination.INTERRUPTED)
        monkeypatch.setattr(HotRecourse, "solve", lambda self, number, part, shift: stopped)
    else:
        monkeypatch.setattr(Highs, "run_matrix", lambda self, form, options: MatrixRun(Termination.INTERRUPTED, "HiGHS"))
    with pytest.raises(KeyboardInterrupt):
        recourse_at(arrays_of_text(m, THREE + LATE), np.array([2.0]))
