from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bilevel_lang.reformulation.options import Options
from bilevel_lang.reformulation.value_function.integer.arrays import BilevelProgram
from bilevel_lang.reformulation.value_function.integer.choice import chosen_engine
from bilevel_lang.reformulation.value_function.integer.listing import NAME, listed, small_boxes
from bilevel_lang.reformulation.value_function.integer.search import find_optimum
from bilevel_lang.solvers.matrix import MatrixRun
from bilevel_lang.solvers.solver import Termination
from tests.reformulation.value_function.integer.enumeration import best_by_enumeration, random_opposed, random_program
from tests.reformulation.value_function.integer.programs import INF, knapsack, moore90, program, random_interdiction


def answer(tiny: BilevelProgram) -> MatrixRun:
    boxes = small_boxes(tiny)
    assert boxes is not None
    return listed(tiny, boxes)


@pytest.mark.parametrize("kind", [random_program, random_opposed, random_interdiction])
@pytest.mark.parametrize("ten", range(12))
def test_against_enumeration(kind, ten: int) -> None:  # type: ignore[no-untyped-def]
    for seed in range(10 * ten, 10 * ten + 10):
        tiny = kind(seed)
        known, found = best_by_enumeration(tiny), answer(tiny)
        assert found.termination is (Termination.INFEASIBLE if known is None else Termination.OPTIMAL)
        assert found.objective == (None if known is None else pytest.approx(known, abs=1e-9))


def test_known_answers() -> None:
    found = answer(moore90())
    assert found.x is not None
    assert found.x.tolist() == [2, 2]
    assert (found.objective, found.bound) == (-22, -22)
    assert answer(knapsack()).objective == 9


def test_the_leaders_rows_bound_no_answer() -> None:
    # The follower takes y = x up to 5; the leader's row y <= 1 leaves it x = 1, and must not narrow the follower's choice.
    rows: list[list[float]] = [[-1, 1], [0, 1]]
    apart = program([-1, 0], rows, [(-INF, 0), (-INF, 1)], [-1], [(0, 5), (0, INF)], own=1)
    assert answer(apart).objective == -1


def test_ties_go_to_the_leader_as_far_as_its_rows_allow() -> None:
    # y1 + y2 = x for the indifferent follower; the leader wants y1, and may have 2 of it.
    rows: list[list[float]] = [[-1, 1, 1], [0, 1, 0]]
    tied = program([0, -1, 0], rows, [(0, 0), (-INF, 2)], [0, 0], [(0, 4), (0, 4), (0, 4)], own=1)
    assert answer(tied).objective == -2


def test_bounds_with_fractions() -> None:
    # x in {1, 2}, y <= x: the leader's max y is 2.
    apart = program([0, 1], [[-1, 1]], [(-INF, 0)], [-1], [(0.5, 2.5), (0, 7.5)], sense=-1)
    assert answer(apart).objective == 2


def test_no_answer_fits() -> None:
    assert answer(program([1, 1], [[2, 2]], [(9, 9)], [1], [(0, 2), (0, 2)])).termination is Termination.INFEASIBLE
    assert answer(program([1, 1], [[1, 2]], [(2, 2)], [1], [(1, 1), (0, 2)])).termination is Termination.INFEASIBLE


def test_what_is_not_listed() -> None:
    tiny = knapsack()
    half = replace(tiny, relaxation=replace(tiny.relaxation, integer=np.array([True] * 5 + [False])))
    assert small_boxes(half) is None
    assert small_boxes(program([1, 1], [[1, 1]], [(1, INF)], [1], [(0, INF), (0, 1)])) is None
    assert small_boxes(program([1, 1], [[1, 1]], [(1, INF)], [1], [(0, 1), (0, 50_000)])) is None
    assert small_boxes(program([1, 1], [[1, 1]], [(1, INF)], [1], [(0, 20_000), (0, 20_000)])) is None


def test_it_is_chosen_by_itself() -> None:
    assert chosen_engine(knapsack())[0] == NAME
    assert find_optimum(knapsack(), NAME, Options()).solver == NAME
    # What the leader can be sure of is another question where best answers differ for it.
    tied = program([0, -1, 1], [[-1, 1, 1]], [(0, 0)], [0, 0], [(0, 4), (0, 4), (0, 4)])
    assert chosen_engine(tied, "pessimistic")[0] != NAME
    assert chosen_engine(knapsack(), "pessimistic")[0] == NAME
