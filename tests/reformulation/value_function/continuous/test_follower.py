from __future__ import annotations

import numpy as np
import pytest

from bilevel_lang.reformulation.value_function.continuous.follower import LinkedFollower
from bilevel_lang.reformulation.value_function.continuous.master import Master
from bilevel_lang.reformulation.value_function.integer.arrays import BilevelProgram
from bilevel_lang.solvers.solver import SolverOptions
from tests.reformulation.value_function.continuous.programs import koeppe, mixed
from tests.reformulation.value_function.integer.programs import INF, program


def follower(source: BilevelProgram) -> LinkedFollower:
    return LinkedFollower(source, Master(source).most, SolverOptions(), None)


def test_the_best_answer_and_its_rule() -> None:
    oracle = follower(mixed())
    answer = oracle.answer(np.array([2.5, 0.0, 0.0, 0.0]))
    assert answer.value == pytest.approx(2.5)
    # The vertex w = x says what w is elsewhere.
    assert answer.policy.objective(np.array([7.0, 1.0, 0.0, 0.0])) == pytest.approx(7.0)
    assert oracle.solves == 2


def test_whole_columns_stay_in_the_rule() -> None:
    # min 3 y + 2 w with 2 y + w >= x: y = floor(x / 2) and w the rest, if that is cheaper than one more y.
    cost = [0.0, 0.0, 0.0, 1.0]
    rows = [[-1.0, 0.0, 2.0, 1.0]]
    source = program(cost, rows, [(0, INF)], [3, 2], [(0, 9), (0, 1), (0, 9), (0, INF)], integer=[False, False, True, False])
    answer = follower(source).answer(np.array([5.0, 0.0, 0.0, 0.0]))
    assert answer.value == pytest.approx(8.0)  # y = 2, w = 1; y = 3 costs 9
    assert answer.policy.objective(np.array([4.5, 0.0, 0.0, 0.0])) == pytest.approx(7.0)
    assert answer.policy.excess(np.array([3.5, 0.0, 0.0, 0.0])) == pytest.approx(0.5 / 4)  # w = x - 4 < 0, limit 4


def test_the_leaders_best_of_the_best_answers() -> None:
    # y1 + y2 >= x for the indifferent follower; the leader wants y2.
    source = program([0, 0, -1], [[-1, 1, 1]], [(0, 0.5)], [1, 1], [(0, 4), (0, 4), (0, 4)], integer=[False, True, True])
    z = follower(source).favourable(np.array([1.75, 0.0, 0.0]), 2.0)
    assert z is not None
    assert z.tolist() == [1.75, 0.0, 2.0]


def test_a_follower_that_improves_without_end() -> None:
    endless = program([1, 0], [[-1, 1]], [(0, INF)], [-1], [(0, 3), (0, INF)], integer=[False, True])
    assert follower(endless).improves_without_end()
    assert not follower(koeppe()).improves_without_end()


def test_an_answer_that_is_hard_to_violate() -> None:
    # y >= x: of the answers at x = 0.5 with a value of at most 3, y = 2 and 3 stay feasible for all x in [0, 2].
    source = program([1, 0], [[-1, 1]], [(0, INF)], [1], [(0, 2), (0, 9)], integer=[False, True])
    policy = follower(source).hard_to_violate(np.array([0.5, 3.0]), 3.0)
    assert policy is not None
    assert policy.worth in (2.0, 3.0)
    assert follower(source).hard_to_violate(np.array([0.5, 3.0]), 0.0) is None
