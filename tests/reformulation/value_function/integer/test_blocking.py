from __future__ import annotations

import time

import numpy as np
import pytest

from bilevel_lang.reformulation.value_function.integer.extended import extend
from bilevel_lang.reformulation.value_function.integer.follower import Follower, OutOfTimeError
from bilevel_lang.solvers.solver import SolverOptions
from tests.reformulation.value_function.integer.programs import knapsack


def oracle(deadline: float | None = None) -> Follower:
    return Follower(extend(knapsack()), SolverOptions(), deadline)


def test_an_answer_that_few_rows_can_block() -> None:
    follower = oracle()
    low, up = np.zeros(3), np.ones(3)
    # Worth at least 4: one item will do, and any of them can be forbidden.
    found = follower.hard_to_block(np.zeros(6), -4.0, low, up)
    assert found is not None
    assert found.y.sum() == 1
    assert follower.hard_to_block(np.zeros(6), -12.0, low, up) is None


def test_rows_that_the_leader_cannot_use_any_more_block_nothing() -> None:
    # Worth at least 7: two items. Where items 1 and 2 cannot be forbidden any more, these are the ones.
    found = oracle().hard_to_block(np.zeros(6), -7.0, np.zeros(3), np.array([0.0, 0.0, 1.0]))
    assert found is not None
    assert found.y.tolist() == [0, 0, 0, 1, 1, 0]


def test_the_deadline_ends_the_work() -> None:
    with pytest.raises(OutOfTimeError):
        oracle(time.perf_counter() - 1).hard_to_block(np.zeros(6), -4.0, np.zeros(3), np.ones(3))
