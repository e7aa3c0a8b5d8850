from __future__ import annotations

from bilevel_lang.reformulation.value_function.integer.arrays import BilevelProgram
from bilevel_lang.reformulation.value_function.integer.choice import chosen_engine
from tests.reformulation.value_function.integer.programs import INF, knapsack, program


def wide(leader: float, follower: float, last: float) -> BilevelProgram:
    """Too many answers to be listed; one row that holds all columns."""
    boxes = [(0.0, leader), (0.0, 1.0), (0.0, last)]
    return program([-1, 1, follower], [[1, 1, 1]], [(-INF, 2 + last)], [-1, -2], boxes)


def test_small_problems_are_listed() -> None:
    assert chosen_engine(knapsack())[0] == "enumeration"


def test_the_tree_for_whole_links_and_for_opponents() -> None:
    assert chosen_engine(wide(2, -3, 1e5))[0] == "scip"
    items = 12
    caps = [[float(k in (j, j + items)) for k in range(2 * items)] for j in range(items)]
    barred = program([0] * items + [1] * items, caps, [(-INF, 1)] * items, [-1] * items, [(0, 1)] * (2 * items))
    assert chosen_engine(barred)[0] == "scip"


def test_both_in_turns_for_binary_links() -> None:
    assert chosen_engine(wide(1, -3, 1e5))[0] == "highs and scip"
    # Opponents, and rows that bar nothing by themselves.
    assert chosen_engine(wide(1, 2, 1e5))[0] == "highs and scip"
