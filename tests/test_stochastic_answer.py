"""The decision of a stochastic program with its second stages: when they are solved again, and which ones are kept."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyomo.environ as pyo
import pytest

import bilevel_lang as bl
from bilevel_lang import scenario_verification, stochastic_answer
from bilevel_lang.reformulation.stochastic.arrays import TwoStageArrays
from bilevel_lang.reformulation.stochastic.method import ExtensiveForm, StochasticRun
from bilevel_lang.reformulation.stochastic.recourse import Recourses, recourse_at
from bilevel_lang.scenario_verification import Examined, _Examiner, verify_scenarios
from bilevel_lang.solvers.solver import SolverRun, Termination
from tests.stochastic_models import LATE, THREE, newsvendor


def test_the_examination_keeps_to_its_part_of_the_time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[float] = []

    def spied(problem: Any, point: Any, scenarios: Any, tolerance: float, options: Any, seconds: float, **how: Any) -> Examined:
        given.append(seconds)
        return verify_scenarios(problem, point, scenarios, tolerance, options, seconds, **how)

    monkeypatch.setattr(stochastic_answer, "verify_scenarios", spied)
    assert bl.solve(newsvendor(), THREE + LATE, time_limit=1000).verified
    assert bl.solve(newsvendor(), THREE + LATE, time_limit=10).verified
    assert bl.solve(newsvendor(), THREE + LATE).verified
    # A tenth more than the limit, five seconds more at least, less what has passed by then.
    assert 1050 < given[0] <= 1100
    assert 10 < given[1] <= 15
    assert given[2] == np.inf


def test_scenarios_that_there_was_no_time_to_solve_by_themselves_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(arrays: TwoStageArrays, x: Any, deadline: float | None = None, gap: float | None = None) -> Recourses:
        found = recourse_at(arrays, x, None, gap)
        late = np.arange(arrays.scenarios) >= 2
        return Recourses(np.where(late, np.nan, found.values), np.where(late, np.nan, found.bounds), found.y)

    monkeypatch.setattr(stochastic_answer, "recourse_at", slow)
    answer = bl.solve(newsvendor(), THREE + LATE)
    assert answer.objective == pytest.approx(1110)
    assert any(said.startswith("there was time to solve 2 of 3 scenarios by themselves") for said in answer.messages)


@pytest.mark.parametrize("left", [2, 0])
def test_what_a_search_that_was_cut_short_left_is_not_called_wrong(left: int, monkeypatch: pytest.MonkeyPatch) -> None:
    run = ExtensiveForm.prepare

    def cut(self: ExtensiveForm, problem: Any, options: Any) -> Any:
        made = run(self, problem, options)

        def ended(options: Any) -> Any:
            found = made.run(options)
            assert isinstance(found, StochasticRun) and found.y is not None
            y = found.y.copy()
            y[2] += (-10.0, 10.0, 10.0)  # ten less are sold in the third scenario than could be
            return replace(found, y=y, termination=Termination.LIMIT, bound=2000.0, proven=False)

        return replace(made, run=ended)

    def slow(arrays: TwoStageArrays, x: Any, deadline: float | None = None, gap: float | None = None) -> Recourses:
        found = recourse_at(arrays, x, None, gap)
        late = np.arange(arrays.scenarios) >= left
        return Recourses(
            np.where(late, np.nan, found.values), np.where(late, np.nan, found.bounds), np.where(late[:, None], np.nan, found.y)
        )

    monkeypatch.setattr(ExtensiveForm, "prepare", cut)
    monkeypatch.setattr(stochastic_answer, "recourse_at", slow)
    answer = bl.solve(newsvendor(), THREE + LATE)
    assert answer.status.value == "limit"
    assert answer.verified
    assert answer.objective is not None and answer.objective < 1110 - 1
    assert any(said.startswith(f"there was time to solve {left} of 3 scenarios") for said in answer.messages)
    assert answer.certificate is not None
    assert f"{left} of them solved again" in answer.certificate.followers[0].how


def test_what_rounding_left_in_a_decision_takes_no_room_from_the_second_stage(monkeypatch: pytest.MonkeyPatch) -> None:
    m = pyo.ConcreteModel()
    m.r = pyo.Param(initialize=6.0, mutable=True)
    m.x, m.y = pyo.Var(bounds=(0, 5)), pyo.Var(range(4), domain=pyo.Binary)
    m.room = pyo.Constraint(expr=pyo.quicksum(w * m.y[j] for j, w in enumerate((6, 1, 3, 2))) + m.x <= m.r)
    m.cost = pyo.Objective(expr=-4 * m.x - pyo.quicksum(gain * m.y[j] for j, gain in enumerate((16, 19, 23, 28))))
    m.time = pyo.Constraint(expr=pyo.quicksum(w * m.y[j] for j, w in enumerate((2, 3, 4, 5))) <= 5)
    text = "randvar r discrete 0.5 6 0.5 6.5\nstage 2 y room time\n"
    expected = bl.solve(m, text).objective
    prepare = ExtensiveForm.prepare

    def noisy(self: ExtensiveForm, problem: Any, options: Any) -> Any:
        made = prepare(self, problem, options)

        def run(options: Any) -> Any:
            found = made.run(options)
            return replace(found, x=found.x + 4e-12)

        return replace(made, run=run)

    monkeypatch.setattr(ExtensiveForm, "prepare", noisy)
    answer = bl.solve(m, text)
    assert answer.verified
    assert answer.objective == pytest.approx(expected, abs=1e-7)


def test_what_was_solved_scenario_by_scenario_is_not_solved_once_more(monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.reformulation.stochastic.test_decomposition import servers

    m, text = servers(2)
    expected = bl.solve(m, text, method="extensive-form").objective

    def never(*given: Any) -> Recourses:
        raise AssertionError("solved again")

    monkeypatch.setattr(stochastic_answer, "recourse_at", never)
    assert bl.solve(m, text, method="l-shaped").objective == pytest.approx(expected)


def test_better_second_stages_of_the_examination_are_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    from bilevel_lang.reformulation.stochastic import l_shaped
    from bilevel_lang.reformulation.stochastic.decomposition import search
    from bilevel_lang.reformulation.stochastic.incumbent import Found
    from tests.reformulation.stochastic.test_decomposition import servers

    m, text = servers(2)
    exact = bl.solve(m, text, method="extensive-form")

    def hurried(arrays: TwoStageArrays, limit: float | None, gap: float | None) -> Found:
        found = search(arrays)
        assert found.y is not None
        y = found.y.copy()
        y[0, np.flatnonzero(arrays.cost == 30)] += 0.01  # an overflow that nobody needs
        value = found.value + 0.3 * len(np.flatnonzero(arrays.cost == 30)) / 6
        return replace(found, termination=Termination.LIMIT, y=y, value=value)

    monkeypatch.setattr(l_shaped, "search", hurried)
    answer = bl.solve(m, text, method="l-shaped")
    assert answer.objective == pytest.approx(exact.objective)
    assert answer.verified
    assert answer.gap == pytest.approx(0, abs=1e-9)
    assert "a better second stage in 1 of 6 scenarios" in " ".join(answer.messages)


@pytest.mark.parametrize("how", ["raised", "told"])
def test_ctrl_c_in_the_examination_leaves_the_answer_and_says_so(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    solve = _Examiner._solved_again

    def interrupted(self: Any, number: int, found: Any) -> Any:
        calls.append(number)
        if len(calls) == 2 and how == "raised":
            raise KeyboardInterrupt
        if len(calls) == 2:
            stopped = SimpleNamespace(run=lambda model, options: SolverRun(Termination.INTERRUPTED, "HiGHS"))
            monkeypatch.setattr(scenario_verification, "pick", lambda features: [stopped])
        return solve(self, number, found)

    monkeypatch.setattr(_Examiner, "_solved_again", interrupted)
    answer = bl.solve(newsvendor(), THREE + LATE, evaluate=50)
    assert answer.status.value == "interrupted"
    assert len(calls) == 2
    assert answer.objective == pytest.approx(1110)
    assert not answer.verified
    assert "not verified: Ctrl-C stopped the examination after 1 of 3 scenarios" in answer.messages
    assert answer.stochastic is not None
    assert (answer.stochastic.evpi, answer.stochastic.out_of_sample) == (None, None)


def test_ctrl_c_before_the_examination_leaves_the_second_stage_of_the_solver(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*given: Any) -> Recourses:
        raise KeyboardInterrupt

    monkeypatch.setattr(stochastic_answer, "recourse_at", interrupted)
    answer = bl.solve(newsvendor(), THREE + LATE)
    assert answer.status.value == "interrupted"
    assert answer.objective == pytest.approx(1110)
    assert not answer.verified
    assert "not verified: Ctrl-C came before the second stage was solved again" in answer.messages
