"""What an answer to a stochastic program is worth, and what is said where that is not told."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyomo.environ as pyo
import pytest

import bilevel_lang as bl
from bilevel_lang import stochastic_report
from bilevel_lang.reformulation.stochastic.arrays import TwoStageArrays
from bilevel_lang.reformulation.stochastic.recourse import Recourses, recourse_at
from tests.stochastic_models import LATE, PLANTS, THREE, newsvendor, plants


def test_fresh_scenarios_without_a_second_stage_are_counted() -> None:
    m = newsvendor()
    m.l.setub(0)
    m.x.setub(90)
    answer = bl.solve(m, "randvar d uniform 0 100 sample d 1\nsetseed 5\n" + LATE, evaluate=200)
    assert answer.stochastic is not None and answer.stochastic.out_of_sample is not None
    assert 0 < answer.stochastic.out_of_sample.infeasible < 200


def test_fresh_scenarios_obey_the_time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    # Each of them takes a MILP; the clock jumps when the first ones are done.
    m = newsvendor()
    m.x.domain = m.s.domain = pyo.Integers
    asked = []

    def slow(arrays: TwoStageArrays, x: Any, deadline: float | None = None, gap: float | None = None) -> Recourses:
        found = recourse_at(arrays, x, None, gap)
        if arrays.scenarios != 50:
            return found
        asked.append(deadline)
        late = np.arange(50) >= 30
        return Recourses(np.where(late, np.nan, found.values), np.where(late, np.nan, found.bounds), found.y)

    monkeypatch.setattr(stochastic_report, "recourse_at", slow)
    answer = bl.solve(m, "randvar d uniform 0 100 sample d 4\n" + LATE, evaluate=50, time_limit=30)
    assert answer.stochastic is not None and answer.stochastic.out_of_sample is not None
    assert asked[0] is not None
    assert answer.stochastic.out_of_sample.scenarios == 30
    assert answer.stochastic.out_of_sample.infeasible == 0
    assert any("within the time limit 30 of 50 fresh scenarios were solved" in said for said in answer.messages)


@pytest.mark.parametrize(
    ("model", "text"), [(newsvendor(), THREE + LATE + "cvarlo s 0.5"), (plants(), PLANTS + "chance serve 0.6")]
)
def test_what_is_not_told_of_measures_of_risk_is_said(model: Any, text: str) -> None:
    answer = bl.solve(model, text, evaluate=50)
    assert answer.stochastic is not None
    assert (answer.stochastic.evpi, answer.stochastic.out_of_sample) == (None, None)
    assert any(said.startswith("EVPI and VSS compare expected values") for said in answer.messages)
    assert any(said.startswith("--evaluate tries out expected values") for said in answer.messages)


@pytest.mark.parametrize("stopped", ["information", "recourse_at"])
def test_ctrl_c_when_the_answer_is_there_does_not_lose_it(stopped: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*given: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(stochastic_report, stopped, interrupted)
    answer = bl.solve(newsvendor(), THREE + LATE, evaluate=50)
    assert answer.status is bl.Status.OPTIMAL
    assert answer.objective == pytest.approx(1110)
    assert answer.stochastic is not None
    assert (answer.stochastic.evpi is None) == (stopped == "information")
    assert (answer.stochastic.out_of_sample is None) == (stopped == "recourse_at")
    what = "EVPI and VSS" if stopped == "information" else "--evaluate"
    assert f"{what}: stopped by Ctrl-C" in answer.messages
