from __future__ import annotations

import itertools
import time

import numpy as np
import pytest

from bilevel_lang.reformulation.nn_recourse import contender
from bilevel_lang.reformulation.nn_recourse.archive import Archive
from bilevel_lang.reformulation.nn_recourse.contest import Contest, seconds_each, takes_long
from bilevel_lang.reformulation.nn_recourse.cuts import Cuts
from bilevel_lang.reformulation.nn_recourse.decisions import Decisions, domain_of
from bilevel_lang.reformulation.nn_recourse.probe import Probe, Probed
from bilevel_lang.reformulation.options import Options
from bilevel_lang.reformulation.stochastic.extensive import extensive_form
from bilevel_lang.reformulation.stochastic.recourse import recourse_at
from bilevel_lang.reformulation.stochastic.second_stage import SecondStage
from bilevel_lang.solvers.highs import Highs
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.solver import SolverOptions
from tests.reformulation.nn_recourse.programs import ANNOTATION, facilities
from tests.reformulation.stochastic.test_extensive import arrays_of_text
from tests.reformulation.stochastic.test_hot_recourse import loads


def contest(deadline: float | None = None) -> Contest:
    arrays = arrays_of_text(facilities(True), ANNOTATION)
    decisions = Decisions(arrays, arrays.first.cost, domain_of(arrays, ("a", "b", "c")), 0)
    archive = Archive(decisions, Cuts(arrays), SecondStage(arrays, relaxed=False, gap=1e-3))
    return Contest(arrays, archive, Options(method="nn-embed", verbose=True), deadline)


def test_the_best_decision_wins_and_is_known_scenario_by_scenario(capsys: pytest.CaptureFixture[str]) -> None:
    one = contest()
    one.run()
    optimum = Highs().run_matrix(extensive_form(one.arrays), SolverOptions()).objective
    best = one.archive.best
    assert best is not None and optimum is not None
    assert best.total == pytest.approx(optimum, rel=1e-3)
    assert best.least <= optimum + 1e-6 <= best.total + 2e-6
    found = one.archive.evaluation(best)
    assert found is not None
    for number, y in enumerate(found.y):
        part = one.arrays.scenario(number)
        assert part.cost @ y + part.constant == pytest.approx(found.values[number])
    assert "a finalist in all 3 scenarios" in capsys.readouterr().err
    assert one.archive.cuts.slopes


def test_without_time_there_is_no_decision() -> None:
    one = contest(time.perf_counter())
    one.seconds = 0.0
    one.run()
    assert one.archive.best is None


def test_the_estimate_says_when_samples_take_too_long() -> None:
    one = contest()
    each = seconds_each(one.arrays, one.archive.decisions)
    assert each > 0.0
    said = takes_long(each, one.arrays.scenarios, 1000, 0.0)
    assert said is not None and "all 3 about" in said and "1,000 of them" in said
    assert takes_long(each, one.arrays.scenarios, 1, np.inf) is None


def test_the_estimate_draws_on_where_rows_allow_none_of_the_first_decisions(monkeypatch: pytest.MonkeyPatch) -> None:
    one = contest()
    decisions, calls = one.archive.decisions, itertools.count()
    completed = decisions.completed
    monkeypatch.setattr(decisions, "completed", lambda point: None if next(calls) < 20 else completed(point))
    assert seconds_each(one.arrays, decisions) > 0.0
    assert next(calls) == 26


def test_where_the_first_search_has_no_time_the_decisions_to_begin_with_are_compared() -> None:
    one = lorries()
    one.visited = np.array([[0.0, 1.0], [1.0, 1.0]])
    for scout in (one.coarse, one.fine):
        scout.stop_at(one.began)
    one.run()
    assert one.archive.best is not None and len(one.fine.found) >= 2


def test_decisions_without_an_answer_are_not_the_ones_to_beat(monkeypatch: pytest.MonkeyPatch) -> None:
    one = contest()
    asked: list[bytes] = []
    solve = one.probe.__call__

    def first_has_none(self: Probe, number: int, point: Floats, most: float = np.inf) -> Probed | None:
        asked.append(point.tobytes())
        return Probed(np.inf, np.inf, None) if point.tobytes() == asked[0] else solve(number, point, most)

    monkeypatch.setattr(Probe, "__call__", first_has_none)
    monkeypatch.setattr(contender, "FEWEST", 2)
    one._scout()
    one._try_out(None)
    tried = {c.scouted.x.tobytes(): c for c in one.tried.values()}
    assert np.isinf(tried.pop(asked[0]).estimate())
    assert max(c.tried for c in tried.values()) == one.arrays.scenarios


def lorries() -> Contest:
    arrays = loads()
    decisions = Decisions(arrays, arrays.first.cost, domain_of(arrays, ("a", "b")), 0)
    archive = Archive(decisions, Cuts(arrays), SecondStage(arrays, relaxed=False, gap=1e-3))
    return Contest(arrays, archive, Options(method="nn-embed"), None)


def test_knapsacks_are_compared_by_bounds_of_patterns_first() -> None:
    one = lorries()
    one.visited = np.array([[0.3, 0.9], [1.0, 1.0]])
    one.run()
    optimum = Highs().run_matrix(extensive_form(one.arrays), SolverOptions()).objective
    best = one.archive.best
    assert best is not None and best.total == pytest.approx(optimum, rel=1e-3)
    assert one.patterns and one.tight and one.bounds.tried
    for key, found in one.tight.items():
        true = recourse_at(one.arrays, found.x).values
        assert (found.relaxed <= true + 1e-6).all()
        assert found.total <= one.arrays.first.objective_at(found.x) + float(one.arrays.probabilities @ true) + 1e-6
        assert (found.relaxed >= one.fine.found[key].relaxed).all()
    assert any("by patterns" in said for said in one.said)


def test_without_knapsacks_there_are_no_patterns() -> None:
    one = contest()
    one.run()
    assert not one.patterns and not one.tight and not one.bounds.tried


@pytest.mark.parametrize("early", [("trial_over", "close_over"), ("tight_over", "trial_over", "close_over")])
def test_where_no_time_is_left_for_trials_there_is_an_answer(early: tuple[str, ...]) -> None:
    one = lorries()
    for name in early:
        setattr(one, name, one.began)
    one.run()
    optimum = Highs().run_matrix(extensive_form(one.arrays), SolverOptions()).objective
    assert one.archive.best is not None and one.archive.best.total == pytest.approx(optimum, rel=1e-3)
