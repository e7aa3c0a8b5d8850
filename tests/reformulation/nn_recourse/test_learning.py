from __future__ import annotations

import numpy as np
import pytest

from bilevel_lang.reformulation.nn_options import NnOptions
from bilevel_lang.reformulation.nn_recourse.archive import Known
from bilevel_lang.reformulation.nn_recourse.bounding import Bounding
from bilevel_lang.reformulation.nn_recourse.decisions import domain_of
from bilevel_lang.reformulation.nn_recourse.learning import Learning, Tried, errors_of
from bilevel_lang.reformulation.nn_recourse.search_state import SearchState
from bilevel_lang.reformulation.nn_recourse.time_shares import TimeShares
from bilevel_lang.reformulation.options import Options
from bilevel_lang.reformulation.stochastic.recourse import recourse_at
from bilevel_lang.solvers.program import Floats
from tests.reformulation.nn_recourse.programs import ANNOTATION, facilities
from tests.reformulation.stochastic.test_extensive import arrays_of_text

pytest.importorskip("torch")


def learning(network: str) -> Learning:
    arrays = arrays_of_text(facilities(True, binary=False), ANNOTATION)
    options = Options(method="nn-embed", nn=NnOptions(network=network, layers=(6,)))
    bounding = Bounding(arrays, None, None)
    state = SearchState.begun(arrays, domain_of(arrays, ("a", "b", "c")), options, bounding, TimeShares(None))
    state.archive.ask(state.decisions.sample(20))
    return Learning(state)


def test_a_network_leads_to_a_decision_whose_true_cost_is_known() -> None:
    one = learning("icnn")
    then: list[Tried] = []
    assert one.learn(one.state.archive.value, then.append)
    (tried,) = one.tried.values()
    assert then == [tried] and one.best is tried and tried.kind == "icnn"
    arrays = one.state.arrays
    truth = arrays.first.objective_at(tried.known.x) + arrays.probabilities @ recourse_at(arrays, tried.known.x).values
    assert tried.known.total == pytest.approx(float(truth), rel=2e-3)
    assert one.seconds > 0.0
    assert errors_of(tried).startswith(f"icnn: held-out error {tried.fitted.mae:.4g}")


def test_a_decision_that_cannot_be_evaluated_counts_for_nothing() -> None:
    one = learning("icnn")
    asked: list[Floats] = []

    def unknown(point: Floats) -> Known | None:
        asked.append(point)
        return None

    assert one.learn(unknown)
    assert len(asked) == 1 and not one.tried and one.best is None


def test_too_few_decisions_are_told() -> None:
    one = learning("relu")
    one.state.archive.known.clear()
    one.state.archive.ask(np.array([[1.0, 1.0, 1.0]]))
    assert not one.learn(one.state.archive.value)
    assert "too few to train a network on" in one.state.said[-1]
