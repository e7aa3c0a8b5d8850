from __future__ import annotations

from bilevel_lang.reformulation.value_function.integer.choice import chosen_engine
from tests.reformulation.value_function.integer.programs import INF, knapsack, moore90, program


def test_the_tree_for_whole_links_and_for_opponents() -> None:
    assert chosen_engine(moore90())[0] == "scip"
    assert chosen_engine(knapsack())[0] == "scip"


def test_the_loop_for_binary_links() -> None:
    rows = [[1, 1, 1]]
    allied = program([-1, 1, -3], rows, [(-INF, 2)], [-1, -2], [(0, 1)] * 3)
    assert chosen_engine(allied)[0] == "highs"
    wider = program([-1, 1, -3], rows, [(-INF, 2)], [-1, -2], [(0, 2), (0, 1), (0, 1)])
    assert chosen_engine(wider)[0] == "scip"
    # Opponents, and rows that bar nothing by themselves.
    against = program([-1, 1, 2], rows, [(-INF, 2)], [-1, -2], [(0, 1)] * 3)
    assert chosen_engine(against)[0] == "highs"
