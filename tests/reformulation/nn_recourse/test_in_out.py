from __future__ import annotations

import numpy as np

from bilevel_lang.reformulation.nn_recourse.in_out import InOut


def test_the_point_is_between_and_moves_to_the_masters_where_that_gains_nothing() -> None:
    path = InOut(np.zeros(2))
    assert path.between(np.ones(2), -np.inf).tolist() == [0, 0]
    path.enter(np.zeros(2), 10.0)
    weights = []
    for _ in range(8):
        point = path.between(np.ones(2), 1.0)
        weights.append(float(point[0]))
        path.enter(point, 11.0)
    assert weights[0] == 0.5
    assert weights == sorted(weights)
    assert weights[-1] == 1.0


def test_a_better_point_is_the_next_centre() -> None:
    path = InOut(np.zeros(1))
    path.enter(np.zeros(1), 10.0)
    path.enter(np.array([0.5]), 7.0)
    path.enter(np.array([0.8]), 8.0)
    assert path.value == 7.0
    assert path.centre is not None and path.centre.tolist() == [0.5]
    assert path.between(np.ones(1), 0.0).tolist() == [0.75]


def test_a_start_that_has_no_answer_gives_way_to_the_master() -> None:
    path = InOut(np.zeros(1))
    path.enter(np.zeros(1), np.inf)
    assert path.between(np.ones(1), 0.0).tolist() == [1.0]
    assert InOut(None).between(np.ones(1), 0.0).tolist() == [1.0]


def test_a_bound_that_rises_keeps_the_weight() -> None:
    path = InOut(np.zeros(1))
    path.enter(np.zeros(1), 10.0)
    assert [path.between(np.ones(1), bound)[0] for bound in (0.0, 4.0, 8.0)] == [0.5, 0.5, 0.5]
