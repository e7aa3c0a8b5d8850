from __future__ import annotations

import numpy as np
import pytest

from bilevel_lang.reformulation.nn_recourse.archive import Archive
from bilevel_lang.reformulation.nn_recourse.cuts import Cuts
from bilevel_lang.reformulation.nn_recourse.decisions import Decisions, domain_of
from bilevel_lang.reformulation.nn_recourse.scout import Scout
from bilevel_lang.reformulation.nn_recourse.trials import Trials
from bilevel_lang.reformulation.stochastic.recourse import recourse_at
from bilevel_lang.reformulation.stochastic.second_stage import SecondStage
from bilevel_lang.solvers.program import Floats
from tests.reformulation.nn_recourse.programs import ANNOTATION, corners, facilities
from tests.reformulation.stochastic.test_extensive import arrays_of_text


def trials() -> tuple[Trials, Scout, list[tuple[int, bytes]]]:
    arrays = arrays_of_text(facilities(True), ANNOTATION)
    decisions = Decisions(arrays, arrays.first.cost, domain_of(arrays, ("a", "b", "c")), 0)
    archive = Archive(decisions, Cuts(arrays), SecondStage(arrays, relaxed=False, gap=1e-3))
    asked: list[tuple[int, bytes]] = []

    def ask(number: int, x: Floats) -> tuple[float, float]:
        asked.append((number, x.tobytes()))
        value = float(recourse_at(arrays, x).values[number])
        return value, value

    return Trials(archive, np.array([2, 0, 1]), arrays.probabilities, ask), Scout(arrays, decisions, None), asked


def test_decisions_are_tried_until_none_that_is_left_may_be_the_best() -> None:
    found, scout, asked = trials()
    pool, best = scout.ask(corners()), None
    while (chosen := found.next(pool, best)) is not None:
        one = found.begin(chosen)
        found.advance(one, 3, best, lambda: False)
        assert one.tried == 3
        best = one if best is None or one.estimate() < best.estimate() else best
    arrays = scout.arrays
    truth = [arrays.first.objective_at(x) + float(arrays.probabilities @ recourse_at(arrays, x).values) for x in corners()]
    assert best is not None and best.estimate() == pytest.approx(min(truth))
    assert [number for number, _ in asked[:3]] == [2, 0, 1]
    assert len(asked) == 3 * len(found.tried)


def test_time_ends_a_trial_and_what_was_tried_is_not_chosen_again() -> None:
    found, scout, asked = trials()
    pool = scout.ask(corners())
    first = found.next(pool, None)
    assert first is not None and first.total == min(s.total for s in pool)
    found.advance(found.begin(first), 3, None, lambda: bool(asked))
    assert len(asked) == 1
    second = found.next(pool, None)
    assert second is not None and second.key != first.key
    assert found.next(pool[:0], None) is None
    assert found.hoped([]).tolist() == []
