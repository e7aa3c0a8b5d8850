from __future__ import annotations

import pytest

from bilevel_lang.reformulation.nn_options import NnOptions
from bilevel_lang.reformulation.nn_recourse import contest as contests
from bilevel_lang.reformulation.nn_recourse import few_scenarios, learning, long_scenarios, search_state
from bilevel_lang.reformulation.nn_recourse import rounds as all_rounds
from bilevel_lang.reformulation.nn_recourse.bounding import Bounded, Bounding
from bilevel_lang.reformulation.nn_recourse.decisions import domain_of
from bilevel_lang.reformulation.nn_recourse.rounds import Rounds
from bilevel_lang.reformulation.options import Options
from bilevel_lang.reformulation.stochastic.extensive import extensive_form
from bilevel_lang.solvers.highs import Highs
from bilevel_lang.solvers.solver import SolverOptions, Termination
from tests.reformulation.nn_recourse.programs import ANNOTATION, facilities
from tests.reformulation.stochastic.test_extensive import arrays_of_text

ARRAYS = arrays_of_text(facilities(True), ANNOTATION)


def test_rounds_hold_a_contest_where_samples_take_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contests, "LONG", 0.0)
    monkeypatch.setattr(search_state, "LISTED", 4)
    monkeypatch.setattr(search_state, "SAMPLES", 4)
    monkeypatch.setattr(all_rounds, "can_be_listed", lambda arrays: False)
    arrays = arrays_of_text(facilities(True), ANNOTATION)
    found = Rounds(arrays, domain_of(arrays, ("a", "b", "c")), Options(method="nn-embed")).run()
    optimum = Highs().run_matrix(extensive_form(arrays), SolverOptions()).objective
    assert found.best is not None and optimum is not None
    assert found.best.total == pytest.approx(optimum, rel=1e-3)
    assert found.bound <= optimum + 1e-6
    assert found.y is not None and found.y.shape == (3, len(arrays.lower))
    assert 0.0 <= found.within <= 2e-3
    assert any("no network is trained" in said for said in found.said)


def test_interrupted_before_the_contest_there_is_no_decision(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(self: Bounding, patterns: bool = True) -> Bounded:
        raise KeyboardInterrupt

    monkeypatch.setattr(contests, "LONG", 0.0)
    monkeypatch.setattr(search_state, "LISTED", 4)
    monkeypatch.setattr(search_state, "SAMPLES", 4)
    monkeypatch.setattr(all_rounds, "can_be_listed", lambda arrays: False)
    monkeypatch.setattr(Bounding, "run", interrupted)
    arrays = arrays_of_text(facilities(True), ANNOTATION)
    found = Rounds(arrays, domain_of(arrays, ("a", "b", "c")), Options(method="nn-embed")).run()
    assert found.termination is Termination.INTERRUPTED and found.best is None


@pytest.mark.parametrize("binary", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_a_network_that_is_asked_for_is_trained_where_samples_of_all_scenarios_take_too_long(
    binary: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torch")
    monkeypatch.setattr(long_scenarios, "takes_long", lambda *given: "it takes long")
    monkeypatch.setattr(few_scenarios, "AT_A_TIME", 1)
    monkeypatch.setattr(few_scenarios, "ALL_OVER", 5)
    arrays = arrays_of_text(facilities(True, binary=binary), ANNOTATION)
    options = Options(method="nn-embed", nn=NnOptions(network="icnn", samples=None if binary else 15, layers=(4,)))
    if binary:
        monkeypatch.setattr(few_scenarios, "LEAST_SAMPLES", 2)
        monkeypatch.setattr(learning, "LEAST_SAMPLES", 2)
    found = Rounds(arrays, domain_of(arrays, ("a", "b", "c")), options).run()
    optimum = Highs().run_matrix(extensive_form(arrays), SolverOptions()).objective
    assert optimum is not None and found.best is not None
    assert found.bound <= optimum + 1e-6
    assert optimum - 1e-6 <= found.best.total <= 1.05 * optimum
    assert found.surrogate["kind"] == "icnn"
    assert found.said[0] == "it takes long"
    assert any(text.startswith("icnn: held-out error") for text in found.said)
    assert "decisions to learn from: relaxed in all 3 scenarios" in found.said[-1]


def test_too_few_labels_for_a_network_are_told_with_the_time_that_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(long_scenarios, "takes_long", lambda *given: "it takes long")
    options = Options(method="nn-embed", nn=NnOptions(network="icnn"))
    found = Rounds(ARRAYS, domain_of(ARRAYS, ("a", "b", "c")), options).run()
    assert found.surrogate["kind"] is None
    assert any("no network was trained: it takes 10 decisions" in text for text in found.said)
    optimum = Highs().run_matrix(extensive_form(ARRAYS), SolverOptions()).objective
    assert found.best is not None
    assert found.best.total == pytest.approx(optimum)
