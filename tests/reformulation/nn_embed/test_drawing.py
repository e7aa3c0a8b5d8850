from __future__ import annotations

import itertools
import time

import numpy as np
import pytest

from bilevel_lang.reformulation.nn_embed.drawing import Drawing
from tests.reformulation.nn_embed.followers import continuous, interdiction
from tests.reformulation.nn_embed.test_rounds import rounds


def drawing(made: object, samples: int) -> Drawing:
    return rounds(made, samples=samples, layers=(4,)).drawing


def test_the_first_samples_end_with_their_share_of_the_time() -> None:
    one = drawing(continuous(), 60)
    one.deadline, one.until = time.perf_counter() + 1000.0, time.perf_counter() - 1.0
    one.begin(np.zeros((0, 1)))
    assert one.judge.known() == []


def test_small_boxes_are_enumerated_and_it_is_said() -> None:
    one = drawing(interdiction(), 16)
    one.begin(np.zeros((0, 4)))
    # Two of the four items at most may be forbidden.
    fit = {x for x in itertools.product((0.0, 1.0), repeat=4) if sum(x) <= 2}
    assert {tuple(v.x.tolist()) for v in one.judge.known() if v.point is not None} == fit
    assert one.report.said == ["all 16 decisions of the box were looked at, by enumeration"]
    assert one.report.drawn == one.judge.drawn and one.report.sampling_seconds > 0


def test_starts_are_asked_about_and_elsewhere_is_somewhere_new() -> None:
    one = drawing(continuous(), 20)
    one.begin(np.array([[1.2345]]))
    known = {v.x.tobytes() for v in one.judge.known()}
    assert np.array([1.2345]).tobytes() in known
    one.elsewhere()
    assert len({v.x.tobytes() for v in one.judge.known()} - known) >= one.budget.everywhere / 2


def test_what_the_rows_forbid_is_moved_to_where_they_allow_it() -> None:
    one = drawing(interdiction(), 10)
    one.elsewhere()
    assert all(v.x.sum() <= 2 + 1e-9 for v in one.judge.known())
    assert one.judge.best is not None


@pytest.mark.parametrize("late", [True, False])
def test_the_neighbourhood_of_the_best_is_looked_at_while_there_is_time(late: bool) -> None:
    one = drawing(interdiction(), 10)
    one.judge.ask(np.array([1.0, 0.0, 0.0, 0.0]))
    one.deadline = time.perf_counter() - 1.0 if late else None
    one.around_best()
    assert (len(one.judge.known()) > 1) is not late
