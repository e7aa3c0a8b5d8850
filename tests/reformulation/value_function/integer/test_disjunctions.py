from __future__ import annotations

import numpy as np
import pytest

from bilevel_lang.reformulation.value_function.integer.disjunctions import Change, Disjunctions
from bilevel_lang.reformulation.value_function.integer.extended import extend
from bilevel_lang.reformulation.value_function.integer.follower import Response
from tests.reformulation.value_function.integer.enumeration import random_program, solutions
from tests.reformulation.value_function.integer.programs import moore90_extended


def pool_with(*answers: float) -> Disjunctions:
    pool = Disjunctions(moore90_extended())
    for y in answers:
        pool.add(Response(np.array([0.0, y]), y))
    return pool


def test_an_answer_comes_in_once() -> None:
    pool = pool_with(1, 2)
    assert pool.add(Response(np.array([0.0, 1.0]), 1.0)) == 0
    assert len(pool) == 2


def test_y_1_is_feasible_from_x_3_on() -> None:
    # -2x - 10 <= -15 asks for x >= 3 (2.5 rounded), and 2x - 1 <= 15 for x <= 8.
    pool = pool_with(1)
    value = pool._extended.value
    everywhere = pool.consequences(np.array([3.0]), np.array([8.0]), 1.0, 4.0)
    assert everywhere == [Change(value, True, 1.0)]
    assert pool.consequences(np.array([1.0]), np.array([2.0]), 1.0, 4.0) == []
    # Between 2 and 8 one row alone can block it: a value of at least 2 needs x <= 2.
    assert pool.consequences(np.array([2.0]), np.array([8.0]), 2.0, 4.0) == [Change(0, True, 2.0)]


def test_violated_answers() -> None:
    pool = pool_with(1, 2)
    sigma = pool._extended.rows.sigma
    assert pool.violated(sigma(np.array([6.0, 0.0])), 2.0).tolist() == [0]
    assert pool.violated(sigma(np.array([2.0, 0.0])), 4.0).tolist() == [1]


@pytest.mark.parametrize("seed", range(60))
def test_consequences_lose_no_solution(seed: int) -> None:
    # A solution is a point whose value no feasible answer beats; every answer there is comes into the pool.
    tiny = random_program(seed)
    extended = extend(tiny)
    if extended.infeasible:
        return
    solved, answers = solutions(tiny)
    pool = Disjunctions(extended)
    for point in answers:
        y = np.where(tiny.follower, point, 0.0)
        pool.add(Response(y, float(extended.value_cost @ y)))
    activities = extended.activity_columns
    low, up = extended.program.lower, extended.program.upper
    changes = pool.consequences(low[activities], up[activities], low[extended.value], up[extended.value])
    for point in solved:
        full = extended.complete(point)
        for change in changes:
            excess = full[change.column] - change.bound
            assert (excess if change.is_upper else -excess) <= 1e-9
