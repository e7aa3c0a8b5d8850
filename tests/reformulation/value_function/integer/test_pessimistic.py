"""The pessimistic position against enumeration, by both engines."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pyomo.environ as pyo
import pytest

import bilevel_lang as bl
from bilevel_lang.errors import RefusedError
from bilevel_lang.reformulation.options import Options
from bilevel_lang.reformulation.value_function.integer.arrays import BilevelProgram
from bilevel_lang.reformulation.value_function.integer.extended import extend
from bilevel_lang.reformulation.value_function.integer.master import Master
from bilevel_lang.reformulation.value_function.integer.pessimistic import PessimisticFollower, ties_matter
from bilevel_lang.reformulation.value_function.integer.search import ENGINES, find_optimum
from bilevel_lang.solution import Status
from bilevel_lang.solvers.solver import SolverOptions, Termination
from tests.reformulation.value_function.integer.enumeration import (
    best_by_enumeration,
    points,
    random_opposed,
    random_program,
    sure_by_enumeration,
)
from tests.reformulation.value_function.integer.programs import INF, knapsack, program

PESSIMISTIC = Options(position="pessimistic")

both = pytest.mark.parametrize("solver", list(ENGINES))


def compare(tiny: BilevelProgram, solver: str) -> None:
    known = sure_by_enumeration(tiny)
    found = find_optimum(tiny, solver, PESSIMISTIC)
    if known is None:
        assert found.termination is Termination.INFEASIBLE
        assert found.x is None
        return
    assert found.termination is Termination.OPTIMAL
    assert found.objective == pytest.approx(known, abs=1e-9)
    assert found.bound == pytest.approx(known, abs=1e-9)
    # The point is one of the box, and its follower's answer the worst of the best ones.
    assert found.x is not None
    assert tiny.relaxation.objective_at(found.x) == pytest.approx(known, abs=1e-9)
    assert (points(tiny) == found.x).all(axis=1).any()


@both
@pytest.mark.parametrize("seed", range(60))
def test_against_enumeration(solver: str, seed: int) -> None:
    compare(random_program(seed), solver)


@pytest.mark.slow
@both
@pytest.mark.parametrize("hundred", range(1, 31))
def test_thousands_against_enumeration(solver: str, hundred: int) -> None:
    for seed in range(100 * hundred, 100 * hundred + 100):
        compare(random_program(seed) if seed % 5 else random_opposed(seed), solver)


def test_the_positions_differ_often_enough_for_the_tests_to_mean_something() -> None:
    apart = [(best_by_enumeration(p), sure_by_enumeration(p)) for p in map(random_program, range(60))]
    assert sum(b != s for b, s in apart) >= 10
    assert sum(s is None for b, s in apart if b is not None) >= 3
    assert sum(s is not None and s != b for b, s in apart) >= 5


@both
def test_ties_go_against_the_leader(solver: str) -> None:
    # y1 + y2 = x for the indifferent follower; the leader wants y1, and pays for x from 1 to 4: it is sure of x = 1, y1 = 0.
    tied = program([1, -3, 0], [[-1, 1, 1]], [(0, 0)], [0, 0], [(1, 4), (0, 4), (0, 4)])
    assert find_optimum(tied, solver, PESSIMISTIC).objective == 1
    assert find_optimum(tied, solver, Options()).objective == -8


@both
def test_rows_of_the_leader_hold_for_every_best_answer(solver: str) -> None:
    # The follower does not mind y in 0..x; the leader's row y <= 2 lets x grow to 2 only, though y = 0 would do for any x.
    rows = [[-1, 1], [0, 1]]
    tied = program([-1, 0], rows, [(-INF, 0), (-INF, 2)], [0], [(0, 5), (0, 5)], own=1)
    assert find_optimum(tied, solver, PESSIMISTIC).objective == -2
    assert find_optimum(tied, solver, Options()).objective == -5


@both
def test_a_row_with_other_columns_of_the_leader_and_the_followers(solver: str) -> None:
    # y is 0 or anything up to x to the follower, u >= y is the leader's, u continuous: to be sure it takes u = x. min u - 2x.
    rows = [[0, -1, 1], [1, 0, -1]]
    tied = program([1, -2, 0], rows, [(-INF, 0), (0, INF)], [0], [(0, 9), (0, 3), (0, 9)], own=1, integer=[False, True, True])
    assert find_optimum(tied, solver, PESSIMISTIC).objective == pytest.approx(-3, abs=1e-6)
    assert find_optimum(tied, solver, Options()).objective == pytest.approx(-6, abs=1e-6)


@both
def test_a_continuous_follower(solver: str) -> None:
    # y1 + y2 = x / 2, whichever; the leader pays 3 for y1 and gets 1 for x: in the worst case x / 2, in the best -x.
    tied = program([-1, 3, 0], [[-0.5, 1, 1]], [(0, 0)], [1, 1], [(0, 4), (0, 9), (0, 9)], integer=[True, False, False])
    assert find_optimum(tied, solver, PESSIMISTIC).objective == pytest.approx(0, abs=1e-6)
    assert find_optimum(tied, solver, Options()).objective == pytest.approx(-4, abs=1e-6)


@both
def test_a_decision_whose_worst_case_has_no_limit_is_none(solver: str) -> None:
    # The follower does not mind y2: at most 10 - 10 x in the first program, without any limit in the second.
    loose = program([1, 0, 1], [[10.0, 1.0, 1.0]], [(-INF, 10)], [1, 0], [(0, 1), (0, 0), (0, 20)])
    assert find_optimum(loose, solver, PESSIMISTIC).objective == 1
    free = program([1, 0, 1], [[10.0, 1.0, 0.0]], [(-INF, 10)], [1, 0], [(0, 1), (0, 5), (0, INF)])
    found = find_optimum(free, solver, PESSIMISTIC)
    assert found.termination is Termination.INFEASIBLE
    assert found.x is None


def test_where_ties_do_not_matter_the_positions_are_one() -> None:
    assert not ties_matter(knapsack())
    assert ties_matter(program([1, -3, 0], [[-1, 1, 1]], [(0, 0)], [0, 0], [(1, 4), (0, 4), (0, 4)]))
    for solver in ENGINES:
        assert find_optimum(knapsack(), solver, PESSIMISTIC).objective == 9


def test_what_the_leader_can_be_sure_of_at_one_decision() -> None:
    tied = program([1, -3, 0], [[-1, 1, 1]], [(0, 0)], [0, 0], [(1, 4), (0, 4), (0, 4)])
    extended = extend(tied)
    oracle = PessimisticFollower(extended, SolverOptions())
    best, worst = (extended.complete(np.array(z, dtype=float)) for z in ([3, 3, 0], [3, 0, 3]))
    sure = oracle.favourable(best)
    assert sure is not None
    assert sure[:3].tolist() == [3, 0, 3]
    assert oracle.is_solution(worst)
    assert not oracle.is_solution(best)
    assert oracle.solves > 0


def test_a_linking_variable_without_bounds_is_for_the_tree() -> None:
    # HiGHS needs the range of x to take x = 3 out.
    extended = extend(program([1, -3, 0], [[-1, 1, 1]], [(0, 0)], [0, 0], [(1, 4), (0, 4), (0, 4)]))
    upper = extended.program.upper.copy()
    upper[0] = np.inf
    master = Master(dataclasses.replace(extended, program=dataclasses.replace(extended.program, upper=upper)))
    with pytest.raises(RefusedError, match=r"no bound of a linking variable[\s\S]*--solver scip"):
        master.exclude(np.array([3.0, 0.0, 3.0, 0.0]))


def two_followers(seed: int) -> tuple[pyo.ConcreteModel, str, float | None]:
    """Two followers with two columns each, the annotation, and what the leader can be sure of, by enumeration."""
    random = np.random.default_rng(seed)
    m = pyo.ConcreteModel()
    m.x = pyo.Var(range(2), bounds=(0, 2), domain=pyo.Integers)
    m.y = pyo.Var(range(2), range(2), bounds=(0, 2), domain=pyo.Integers)
    gain, cost = random.integers(-3, 4, (2, 2)), random.integers(-1, 2, (2, 2))
    a, b = random.integers(-2, 3, (2, 2)), random.integers(1, 3, (2, 2))
    own = random.integers(-3, 4, 2)
    m.goal = pyo.Objective(expr=sum(int(own[j]) * m.x[j] + sum(int(gain[j, k]) * m.y[j, k] for k in range(2)) for j in range(2)))
    m.f = pyo.Expression(range(2), rule=lambda b_, j: sum(int(cost[j, k]) * b_.y[j, k] for k in range(2)))
    m.r = pyo.Constraint(
        range(2),
        rule=lambda b_, j: sum(int(a[j, k]) * b_.x[k] for k in range(2)) + sum(int(b[j, k]) * b_.y[j, k] for k in range(2)) >= 2,
    )
    m.mine = pyo.Constraint(range(2), rule=lambda b_, j: b_.y[j, 0] + b_.x[j] <= 3)
    worst = []
    for x in itertools.product(range(3), repeat=2):
        parts = []
        for j in range(2):
            ys = [y for y in itertools.product(range(3), repeat=2) if a[j] @ x + b[j] @ y >= 2]
            best = [y for y in ys if cost[j] @ y == min(cost[j] @ z for z in ys)]
            parts.append(max(gain[j] @ y for y in best) if best and all(y[0] + x[j] <= 3 for y in best) else None)
        if None not in parts:
            worst.append(float(own @ x + sum(parts)))
    return m, "bilevel x\nmin f(0) y(0,*) r(0)\nmin f(1) y(1,*) r(1)\n", min(worst, default=None)


@pytest.mark.parametrize("seed", range(12))
def test_several_followers_that_do_not_see_each_other(seed: int) -> None:
    m, annotation, known = two_followers(seed)
    answer = bl.solve(m, annotation, position="pessimistic")
    if known is None:
        assert answer.status is Status.INFEASIBLE
    else:
        assert (answer.status, answer.position) == (Status.OPTIMAL, "pessimistic")
        assert answer.objective == pytest.approx(known)
        assert answer.verified


def test_the_followers_of_that_test_have_ties_and_no_answers_often_enough() -> None:
    known = [two_followers(seed)[2] for seed in range(12)]
    best = [bl.solve(*two_followers(seed)[:2], method="value-function").objective for seed in range(12)]
    assert sum(k != b for k, b in zip(known, best, strict=True)) >= 3


def test_a_row_of_the_leader_with_variables_of_two_followers_is_refused() -> None:
    m, annotation, _ = two_followers(0)
    m.joint = pyo.Constraint(expr=m.y[0, 0] + m.y[1, 0] <= 3)
    with pytest.raises(bl.RefusedError, match="row `joint` of the leader holds variables of min f"):
        bl.solve(m, annotation, position="pessimistic")
