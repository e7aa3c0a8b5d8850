from __future__ import annotations

import numpy as np
import pytest

from bilevel_lang.reformulation.options import Options
from bilevel_lang.reformulation.value_function.integer.arrays import BilevelProgram
from bilevel_lang.reformulation.value_function.integer.search import ENGINES, find_optimum
from bilevel_lang.solvers.solver import Termination
from tests.reformulation.value_function.integer.enumeration import best_by_enumeration, random_program
from tests.reformulation.value_function.integer.programs import INF, knapsack, moore90, program, random_interdiction

both = pytest.mark.parametrize("solver", list(ENGINES))


@pytest.mark.parametrize(("solver", "seed"), [*(("scip", s) for s in [*range(150), 1492]), *(("highs", s) for s in range(100))])
def test_against_enumeration(solver: str, seed: int) -> None:
    compare(random_program(seed), solver)


@pytest.mark.parametrize(("solver", "seed"), [(solver, s) for s in range(25) for solver in ("scip", "highs")])
def test_interdiction_against_enumeration(solver: str, seed: int) -> None:
    compare(random_interdiction(seed), solver)


@pytest.mark.slow
@pytest.mark.parametrize("solver", ["scip", "highs"])
@pytest.mark.parametrize("hundred", range(2, 32))
def test_thousands_against_enumeration(solver: str, hundred: int) -> None:
    for seed in range(100 * hundred, 100 * hundred + 100):
        compare(random_program(seed) if seed % 4 else random_interdiction(seed), solver)


def compare(tiny: BilevelProgram, solver: str) -> None:
    known = best_by_enumeration(tiny)
    found = find_optimum(tiny, solver, Options())
    if known is None:
        assert found.termination is Termination.INFEASIBLE
        assert found.x is None
    else:
        assert found.termination is Termination.OPTIMAL
        assert found.objective == pytest.approx(known, abs=1e-9)
        assert found.bound == pytest.approx(known, abs=1e-9)


@both
def test_moore90(solver: str) -> None:
    found = find_optimum(moore90(), solver, Options())
    assert found.objective == -22
    assert found.x is not None
    assert found.x.tolist() == [2, 2]


@both
def test_knapsack_interdiction(solver: str) -> None:
    assert find_optimum(knapsack(), solver, Options()).objective == 9


@both
def test_ties_go_to_the_leader_as_far_as_its_rows_allow(solver: str) -> None:
    # y1 + y2 = x for the indifferent follower; the leader wants y1, and may have 2 of it.
    rows = [[-1, 1, 1], [0, 1, 0]]
    tied = program([0, -1, 0], rows, [(0, 0), (-INF, 2)], [0, 0], [(0, 4), (0, 4), (0, 4)], own=1)
    assert find_optimum(tied, solver, Options()).objective == -2


@both
def test_leader_rows_that_the_follower_breaks(solver: str) -> None:
    # The follower takes y = x, the leader's row wants y <= 1 and the leader a large x: it has to keep to x = 1.
    rows = [[-1, 1], [0, 1]]
    apart = program([-1, 0], rows, [(-INF, 0), (-INF, 1)], [-1], [(0, 5), (0, 5)], own=1)
    assert find_optimum(apart, solver, Options()).objective == -1


@both
def test_continuous_columns_of_both(solver: str) -> None:
    # The follower's y >= x / 2 falls to x / 2; the leader's continuous u <= y; max 3u - x has x = 5, u = 2.5.
    rows = [[0, -0.5, 1], [1, 0, -1]]
    mixed = program(
        [3, -1, 0], rows, [(0, INF), (-INF, 0)], [1], [(0, 9), (0, 5), (0, 9)], own=1, integer=[False, True, False], sense=-1
    )
    found = find_optimum(mixed, solver, Options())
    assert found.objective == pytest.approx(2.5, abs=1e-6)


@both
def test_an_unbounded_follower_has_no_answer(solver: str) -> None:
    endless = program([1, 0], [[-1, 1]], [(0, INF)], [-1], [(0, 3), (0, INF)])
    found = find_optimum(endless, solver, Options())
    assert found.termination is Termination.INFEASIBLE
    assert "unbounded" in found.message


@both
def test_the_follower_bounds_what_the_relaxation_does_not(solver: str) -> None:
    # max y with y >= x: only the follower's own minimum keeps it down. x = 3.
    held = program([0, 1], [[-1, 1]], [(0, INF)], [1], [(0, 3), (0, INF)], sense=-1)
    assert find_optimum(held, solver, Options()).objective == 3


@both
def test_an_unbounded_relaxation_is_told(solver: str) -> None:
    loose = program([-1, 0], [[-1, 1]], [(0, INF)], [1], [(0, INF), (0, INF)])
    found = find_optimum(loose, solver, Options())
    assert found.termination is Termination.INFEASIBLE_OR_UNBOUNDED
    assert "give the leader's variables bounds" in found.message


@both
def test_a_limit_gives_the_best_point_and_a_bound(solver: str) -> None:
    random = np.random.default_rng(5)
    n = 24
    weights, profits, prices = (random.integers(20, 90, n).astype(float) for _ in range(3))
    rows = [[*np.zeros(n), *weights], *(np.eye(n, 2 * n)[j] + np.eye(n, 2 * n, n)[j] for j in range(n)), [*prices, *np.zeros(n)]]
    sides = [(-INF, weights.sum() // 2), *[(-INF, 1.0)] * n, (-INF, prices.sum() // 3)]
    hard = program([*np.zeros(n), *profits], [list(r) for r in rows], sides, list(-profits), [(0, 1)] * (2 * n), own=n + 1)
    found = find_optimum(hard, solver, Options(time_limit=0.6))
    assert found.termination in (Termination.LIMIT, Termination.OPTIMAL)
    if found.x is not None and found.bound is not None:
        assert found.bound <= found.objective + 1e-6
        # What is handed over is a solution: the follower, solved by the other tests' means, gets no more.
        assert found.objective == pytest.approx(float(profits @ found.x[n:]))
