from __future__ import annotations

import numpy as np
import pytest

from bilevel_lang.reformulation.options import Options
from bilevel_lang.reformulation.value_function.integer.extended import extend
from bilevel_lang.reformulation.value_function.integer.opposition import as_opposed
from bilevel_lang.reformulation.value_function.integer.search import find_optimum
from bilevel_lang.solvers.solver import Termination
from tests.reformulation.value_function.integer.enumeration import best_by_enumeration, random_opposed, random_program
from tests.reformulation.value_function.integer.programs import INF, knapsack, program


def test_interdiction_is_opposed() -> None:
    extended = extend(knapsack())
    found = as_opposed(extended)
    assert found is not None
    # The leader minimises 6 y1 + 5 y2 + 4 y3, which is minus the follower's value.
    assert found.program.cost[:6].tolist() == [0] * 6
    assert found.program.cost[found.value] == -1
    assert found.program.integer[:6].tolist() == [True] * 3 + [False] * 3
    point = extended.complete(np.array([1.0, 0, 0, 0, 1, 1]))
    assert found.program.objective_at(point) == extended.program.objective_at(point) == 9


def test_who_is_not_opposed() -> None:
    # Opposite wishes, and a row of the leader that tells best answers apart.
    rows = [[0, 1, 1], [1, 1, 0], [0, 0, 1]]
    sides = [(-INF, 3), (-INF, 2), (-INF, 1)]
    boxes: list[tuple[float, float]] = [(0, 2)] * 3
    assert as_opposed(extend(program([0, 1, 1], rows, sides, [-1, -1], boxes, own=2))) is None
    # One wish.
    assert as_opposed(extend(program([0, -1, -1], rows, sides, [-1, -1], boxes))) is None
    assert as_opposed(extend(program([0, 1, 1], rows, sides, [-1, -1], boxes))) is not None
    assert as_opposed(extend(program([0, 1, 2], rows, sides, [-1, -1], boxes))) is None


def test_decisions_that_leave_the_follower_no_whole_answer() -> None:
    # 2y = x: only for even x. The leader maximises x + y, the follower minimises y: x = 4, y = 2; at x = 5 y would be 2.5.
    halves = program([1, 1], [[-1, 2]], [(0, 0)], [1], [(0, 5), (0, 3)], sense=-1)
    assert as_opposed(extend(halves)) is not None
    assert find_optimum(halves, "scip", Options()).objective == 6


@pytest.mark.parametrize("seed", range(120))
def test_against_enumeration(seed: int) -> None:
    compare(seed)


@pytest.mark.slow
def test_thousands_against_enumeration() -> None:
    for seed in range(1000, 3000):
        compare(seed)


def compare(seed: int) -> None:
    tiny = random_opposed(seed)
    known = best_by_enumeration(tiny)
    found = find_optimum(tiny, "scip", Options())
    if known is None:
        assert found.termination is Termination.INFEASIBLE
        return
    assert found.termination is Termination.OPTIMAL
    assert found.objective == pytest.approx(known, abs=1e-9)
    assert found.bound == pytest.approx(known, abs=1e-9)
    assert found.x is not None
    assert np.abs(found.x - np.rint(found.x)).max() < 1e-9


def test_the_random_programs_are_opposed() -> None:
    kinds = [
        as_opposed(extend(random_opposed(seed))) is not None for seed in range(30) if random_opposed(seed).follower_cost.any()
    ]
    assert all(kinds)
    plain = [as_opposed(extend(random_program(seed))) is not None for seed in range(30)]
    assert not all(plain)
