from __future__ import annotations

import time

import numpy as np
import pytest

from bilevel_lang.reformulation.nn_recourse import few_scenarios
from bilevel_lang.reformulation.nn_recourse.archive import Archive
from bilevel_lang.reformulation.nn_recourse.cuts import Cuts
from bilevel_lang.reformulation.nn_recourse.decisions import Decisions, domain_of
from bilevel_lang.reformulation.nn_recourse.few_scenarios import FewScenarios
from bilevel_lang.reformulation.nn_recourse.probe import Probe, Probed
from bilevel_lang.reformulation.options import Options
from bilevel_lang.reformulation.stochastic.recourse import recourse_at
from bilevel_lang.reformulation.stochastic.second_stage import SecondStage
from tests.reformulation.nn_recourse.programs import ANNOTATION, corners, facilities
from tests.reformulation.stochastic.test_extensive import arrays_of_text

ARRAYS = arrays_of_text(facilities(True), ANNOTATION)


def few(deadline: float | None = None) -> FewScenarios:
    decisions = Decisions(ARRAYS, ARRAYS.first.cost, domain_of(ARRAYS, ("a", "b", "c")), 0)
    archive = Archive(decisions, Cuts(ARRAYS), SecondStage(ARRAYS, relaxed=False, gap=1e-3))
    found = FewScenarios(ARRAYS, archive, Options(method="nn-embed", gap=1e-6), deadline, 1.0)
    found.every = corners()
    return found


def truth(x: np.ndarray) -> float:
    return float(ARRAYS.probabilities @ recourse_at(ARRAYS, x).values) + ARRAYS.first.objective_at(x)


def test_labels_of_all_scenarios_are_the_truth_and_those_of_some_are_between_relaxation_and_the_dearest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one = few()
    one.label(8, None)
    assert len(one.archive.estimated) == 8
    for known in one.archive.estimated:
        assert known.total == pytest.approx(truth(known.x), rel=1e-6)
        assert known.least <= truth(known.x) + 1e-6
    assert len(one.archive.labels()) == 8
    assert one.archive.best is None, "a label is no answer"
    monkeypatch.setattr(few_scenarios, "AT_A_TIME", 1)
    part = few()
    part.label(8, time.perf_counter() - 1.0)
    assert not part.archive.estimated, "there was no time"
    contender = part._contender(part.scout.ask(corners()[7:])[0])
    part._try(contender, 1, time.perf_counter() + 60.0, 1)
    assert contender.tried == 1


def test_what_time_ended_counts_as_half_way_between_its_value_and_its_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    one = few()
    scouted = one.scout.ask(corners()[7:])[0]
    monkeypatch.setattr(Probe, "__call__", lambda self, k, x, most: Probed(np.inf, -np.inf, None))
    monkeypatch.setattr(Probe, "least", lambda self, k, x, most: -np.inf)
    monkeypatch.setattr(Probe, "any_answer", lambda self, k, x: Probed(float(scouted.relaxed[k]) + 10.0, 0.0, None))
    contender = one._contender(scouted)
    one._try(contender, 3, time.perf_counter(), 1)
    assert contender.premiums() == pytest.approx(np.full(3, 5.0))


def test_a_decision_of_a_network_is_a_label_and_settles_nothing_where_it_is_worse() -> None:
    one = few()
    costs = {k: truth(x) for k, x in enumerate(corners())}
    best, worst = min(costs, key=lambda k: costs[k]), max(costs, key=lambda k: costs[k])
    assert one.estimate(corners()[best]) is not None
    assert one.settled
    found = one.estimate(corners()[worst])
    assert found is not None and found.total == pytest.approx(costs[worst], rel=1e-6)
    assert not one.settled
    one.settled = True
    one.estimate(corners()[worst])
    assert one.settled, "it was a label before"
    one.finish([found])
    assert one.archive.best is not None
    assert one.archive.best.total == pytest.approx(costs[best], rel=1e-6)
