from __future__ import annotations

import numpy as np
import pytest

from bilevel_lang.reformulation.value_function.integer.disjunctions import Disjunctions
from bilevel_lang.reformulation.value_function.integer.extended import extend
from bilevel_lang.reformulation.value_function.integer.follower import Response
from bilevel_lang.reformulation.value_function.integer.interdiction import ValueCuts, removable
from tests.reformulation.value_function.integer.enumeration import random_program, solutions
from tests.reformulation.value_function.integer.programs import INF, knapsack, program, random_interdiction


def test_items_of_a_knapsack_can_be_taken_out() -> None:
    assert removable(extend(knapsack())).column.tolist() == [3, 4, 5]


def test_what_a_covering_row_needs_cannot() -> None:
    # y1 + y2 >= 1: without y1 the row may break.
    rows = [[0, 0, 1, 1], [1, 0, 1, 0], [0, 1, 0, 1]]
    cover = program([0, 0, 1, 1], rows, [(1, INF), (-INF, 1), (-INF, 1)], [1, 1], [(0, 1)] * 4)
    assert removable(extend(cover)).column.tolist() == [-1, -1]


def test_the_cut_of_the_best_knapsack() -> None:
    # Items 1 and 2, worth 11: value <= -11 + 6 x1 + 5 x2.
    extended = extend(knapsack())
    pool, cuts = Disjunctions(extended), ValueCuts(extended)
    pool.add(Response(np.array([0, 0, 0, 1.0, 1, 0]), -11.0))
    cuts.grow(pool)
    found = cuts.violated(extended.complete(np.zeros(6)), 5)
    assert len(found) == 1
    # With item 1 forbidden item 3, worth 4, takes its place: -11 + (6 - 4) x1 + 5 x2 + 4 x3 is 9 there.
    (swapped,) = cuts.violated(extended.complete(np.array([1.0, 0, 0, 0, 0, 0])), 5)
    unit = swapped.coefficients[swapped.columns == extended.value][0]
    got = dict(zip(swapped.columns.tolist(), (swapped.coefficients / unit).tolist(), strict=True))
    assert got == pytest.approx({0: -2, 1: -5, 2: -4, extended.value: 1})
    (cut,) = found
    assert not cut.local
    scale = cut.coefficients[cut.columns == extended.value][0]
    got = dict(zip(cut.columns.tolist(), (cut.coefficients / scale).tolist(), strict=True))
    assert got == pytest.approx({0: -6, 1: -5, extended.value: 1})
    assert cut.upper / scale == pytest.approx(-11)


@pytest.mark.parametrize("seed", range(160))
def test_no_solution_violates_a_cut(seed: int) -> None:
    tiny = random_program(seed) if seed < 80 else random_interdiction(seed)
    extended = extend(tiny)
    if extended.infeasible:
        return
    solved, answers = solutions(tiny)
    pool, cuts = Disjunctions(extended), ValueCuts(extended)
    for point in answers:
        y = np.where(tiny.follower, point, 0.0)
        pool.add(Response(y, float(extended.value_cost @ y)))
    cuts.grow(pool)
    for point in solved:
        assert cuts.violated(extended.complete(point), 3) == []
