from __future__ import annotations

import time

import numpy as np
import pytest

from bilevel_lang.reformulation.nn_recourse import archive as archives
from bilevel_lang.reformulation.nn_recourse.archive import Archive
from bilevel_lang.reformulation.nn_recourse.bounding import Bounding
from bilevel_lang.reformulation.nn_recourse.cuts import Cuts
from bilevel_lang.reformulation.nn_recourse.decisions import Decisions, domain_of
from bilevel_lang.reformulation.stochastic.recourse import recourse_at
from bilevel_lang.reformulation.stochastic.second_stage import SecondStage
from tests.reformulation.nn_recourse.programs import ANNOTATION, corners, facilities
from tests.reformulation.stochastic.test_extensive import arrays_of_text


def archive(deadline: float | None = None) -> Archive:
    arrays = arrays_of_text(facilities(True), ANNOTATION)
    decisions = Decisions(arrays, arrays.first.cost, domain_of(arrays, ("a", "b", "c")), 0)
    return Archive(decisions, Cuts(arrays), SecondStage(arrays, relaxed=False, deadline=deadline))


def test_each_decision_is_solved_once_and_worth_what_its_scenarios_say() -> None:
    found = archive()
    found.ask(np.vstack([corners(), corners()[:3]]))
    found.ask(corners())
    arrays = found.stage.arrays
    assert found.stage.solves == 8 * arrays.scenarios
    for known in found.answered():
        second = float(arrays.probabilities @ recourse_at(arrays, known.x).values)
        assert known.second == pytest.approx(second)
        assert known.total == pytest.approx(second + arrays.first.objective_at(known.x))
        assert known.least <= known.total + 1e-9
    best = found.best
    assert best is not None
    assert best.total == min(k.total for k in found.answered())
    labels = found.labels()
    assert labels.weights is not None
    assert int(np.argmax(labels.weights)) == int(np.argmin([k.total for k in found.answered()]))
    assert labels.targets[:, 0] == pytest.approx([k.second for k in found.answered()])


def test_time_that_is_over_is_told() -> None:
    found = archive(time.perf_counter() - 1)
    found.ask(corners())
    assert found.late
    assert found.best is None


def test_a_search_finds_the_best_and_proves_the_others_worse() -> None:
    arrays = arrays_of_text(facilities(True), ANNOTATION)
    bounding = Bounding(arrays, None, None)
    bounding.run()
    decisions = Decisions(arrays, arrays.first.cost, domain_of(arrays, ("a", "b", "c")), 0)
    found = Archive(decisions, bounding.cuts, SecondStage(arrays, relaxed=False), bounding.stage)
    found.search(corners())
    found.search(corners())
    totals = {
        x.tobytes(): float(arrays.probabilities @ recourse_at(arrays, x).values) + arrays.first.objective_at(x) for x in corners()
    }
    assert found.best is not None
    assert found.best.total == pytest.approx(min(totals.values()))
    assert len(found.known) + len(found.worse) == 8
    assert found.worse
    assert found.stage.solves < 8 * arrays.scenarios
    for key, proven in found.worse.items():
        assert found.best.total - 1e-9 <= proven <= totals[key] + 1e-6


def test_labels_of_many_decisions_are_the_best_and_others_all_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "LABELS", 4)
    found = archive()
    found.ask(corners())
    ranked = sorted(k.total for k in found.answered())
    chosen = sorted(k.total for k in found.chosen())
    assert len(chosen) == 4
    assert chosen[:2] == ranked[:2]
    assert chosen[3] > ranked[4]


def test_what_a_gap_leaves_open_is_solved_again_without_one() -> None:
    arrays = arrays_of_text(facilities(True), ANNOTATION)
    decisions = Decisions(arrays, arrays.first.cost, domain_of(arrays, ("a", "b", "c")), 0)
    found = Archive(decisions, Cuts(arrays), SecondStage(arrays, relaxed=False, gap=0.5))
    found.ask(corners())
    found.sharpen(SecondStage(arrays, relaxed=False))
    second = [float(arrays.probabilities @ recourse_at(arrays, x).values) for x in corners()]
    totals = [q + arrays.first.objective_at(x) for x, q in zip(corners(), second, strict=True)]
    assert found.best is not None
    assert found.best.total == pytest.approx(min(totals))
    assert min(k.least for k in found.answered()) == pytest.approx(min(totals))
