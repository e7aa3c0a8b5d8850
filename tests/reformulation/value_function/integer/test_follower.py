from __future__ import annotations

import time

import numpy as np
import pytest

from bilevel_lang.reformulation.options import Options
from bilevel_lang.reformulation.value_function.integer.extended import extend
from bilevel_lang.reformulation.value_function.integer.follower import Follower, OutOfTimeError
from bilevel_lang.reformulation.value_function.integer.leader_best import LeaderBest
from bilevel_lang.reformulation.value_function.integer.search import find_optimum
from bilevel_lang.solvers.hot_milp import MilpAnswer
from bilevel_lang.solvers.solver import SolverOptions, Termination
from tests.reformulation.value_function.integer.programs import INF, knapsack, moore90, program


def oracle(which: object, deadline: float | None = None) -> Follower:
    return Follower(extend(which), SolverOptions(), deadline)  # type: ignore[arg-type]


def at(x: float, n: int = 2) -> np.ndarray:
    return np.array([x, *[0.0] * (n - 1)])


@pytest.mark.parametrize(("x", "y"), [(1, 2), (2, 2), (3, 1), (4, 1), (5, 1), (6, 1), (7, 1), (8, 1)])
def test_best_answers_of_moore90(x: int, y: int) -> None:
    follower = oracle(moore90())
    assert follower.response(at(x)).y.tolist() == [0, y]
    solves = follower.solves
    follower.response(at(x))
    assert follower.solves == solves


def test_the_leader_chooses_among_best_answers() -> None:
    # The follower is indifferent; the leader likes y large, and its own row stops it at 2.
    free = program([0, -1], [[1, 1], [0, 1]], [(0, 9), (-INF, 2)], [0], [(0, 3), (0, 5)], own=1)
    found = oracle(free).favourable(at(1))
    assert found is not None
    assert found[:2].tolist() == [1, 2]


def test_no_best_answer_suits_the_leader() -> None:
    # The follower takes y = 0, and the leader's row wants 1.
    apart = program([0, 1], [[1, 1], [0, 1]], [(0, 9), (1, INF)], [1], [(0, 3), (0, 5)], own=1)
    assert oracle(apart).favourable(at(1)) is None


def test_unbounded_followers() -> None:
    row, sides = [[-1, 1]], [(0, INF)]
    assert oracle(program([1, 0], row, sides, [-1], [(0, 3), (0, INF)])).is_unbounded()
    assert not oracle(program([1, 0], row, sides, [1], [(0, 3), (0, INF)])).is_unbounded()
    assert not oracle(program([1, 0], row, [(-INF, 0)], [-1], [(0, 3), (0, INF)])).is_unbounded()


def test_an_answer_that_lasts_is_feasible_for_every_sigma() -> None:
    follower = oracle(knapsack())
    rows = follower.extended.rows
    # Only item 1 may be forbidden: items 2 and 3 last, for 9.
    _, up = rows.sigma_range(np.zeros(3), np.array([1.0, 0.0, 0.0]))
    found = follower.lasting(up)
    assert found is not None
    assert found.value == -9
    assert found.y.tolist() == [0, 0, 0, 0, 1, 1]
    assert follower.lasting(np.full(len(rows), INF)) is None


def test_the_deadline_ends_the_work() -> None:
    with pytest.raises(OutOfTimeError):
        oracle(moore90(), time.perf_counter() - 1).response(at(2))


@pytest.mark.parametrize("with_point", [True, False])
def test_what_the_deadline_leaves_of_the_leaders_choice_is_kept(with_point: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    # The follower takes y = 2; the leader's u <= 3 is its own. Stopped with u = 1 or nothing, it has a solution.
    cut_short = program([-1, 0, 0], [[0, -1, 1], [1, 0, 0]], [(0, INF), (-INF, 3)], [1], [(0, 9), (0, 2), (0, 9)], own=1)
    follower = oracle(cut_short)
    stopped = MilpAnswer(Termination.LIMIT, np.array([1.0, 2.0]) if with_point else None)
    monkeypatch.setattr(LeaderBest, "solve", lambda *_: stopped)
    with pytest.raises(OutOfTimeError):
        follower.favourable(np.array([0.0, 2.0, 5.0]))
    assert follower.late is not None
    assert follower.late[:3].tolist() == [float(with_point), 2.0, 2.0]


@pytest.mark.parametrize("solver", ["scip", "highs"])
def test_a_search_that_ends_there_gives_that_point(solver: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # Moore and Bard's example: the relaxation's first point is no solution, and the leader's choice there is cut short.
    monkeypatch.setattr(LeaderBest, "solve", lambda *_: MilpAnswer(Termination.LIMIT))
    found = find_optimum(moore90(), solver, Options())
    assert found.termination is Termination.LIMIT
    assert found.x is not None
    x, y = found.x
    assert y == (2 if x <= 2 else 1)
    assert found.objective == -x - 10 * y
    assert found.bound is not None
    assert found.bound <= -22
