from __future__ import annotations

import numpy as np

from bilevel_lang.reformulation.value_function.integer.disjunctions import Change
from bilevel_lang.reformulation.value_function.integer.features import Features
from bilevel_lang.reformulation.value_function.integer.follower import Follower
from bilevel_lang.reformulation.value_function.integer.judge import TreeJudge
from bilevel_lang.reformulation.value_function.integer.progress import Progress
from bilevel_lang.solvers.solver import SolverOptions
from tests.reformulation.value_function.integer.programs import moore90_extended

EXTENDED = moore90_extended()


def judge() -> TreeJudge:
    return TreeJudge(
        EXTENDED, Follower(EXTENDED, SolverOptions()), Progress(False), Features(intersection=False, directions=False)
    )


def bounds(x_low: float, x_up: float) -> tuple[np.ndarray, np.ndarray]:
    """Of the watched columns, with x between those."""
    low, up = EXTENDED.program.lower.copy(), EXTENDED.program.upper.copy()
    low[0], up[0] = x_low, x_up
    watched = judge().watched
    return low[watched], up[watched]


def z(x: float, y: float) -> np.ndarray:
    return EXTENDED.complete(np.array([x, y]))


def test_points_are_admitted_where_the_follower_agrees() -> None:
    asked = judge()
    assert asked.admits(z(2, 2))
    assert not asked.admits(z(2, 4))
    assert not asked.admits(z(6, 2))
    # The answers it has seen at x = 2 and x = 6 are points for SCIP: (6, 1) is worse than what is known.
    assert asked.best_objective == -22
    assert asked.best is not None
    assert asked.best[:2].tolist() == [2, 2]


def test_a_point_that_breaks_a_row_is_no_solution() -> None:
    # It breaks 2x + 10y >= 15; the follower can do no better than 2 there, so that its value alone would pass.
    asked = judge()
    assert not asked.admits(z(1, 1))
    assert asked.best is None


def test_a_part_of_the_tree_is_divided_by_an_answer() -> None:
    # At (6, 2) the follower prefers 1, feasible for 3 <= x <= 8.
    decision = judge().decide(z(6, 2), *bounds(0, 9), lambda: None)
    first, *others = decision.children
    assert Change(EXTENDED.value, True, 1.0) in first
    assert Change(0, False, 3.0) in first
    assert Change(0, True, 8.0) in first
    blocked = {change for child in others for change in (child[-1],)}
    assert blocked == {Change(0, True, 2.0), Change(0, False, 9.0)}


def test_nothing_is_left_where_the_leader_has_decided() -> None:
    assert judge().decide(z(6, 2), *bounds(6, 6), lambda: None).cut_off


def test_an_answer_that_nothing_blocks_bounds_the_value() -> None:
    decision = judge().decide(z(6, 2), *bounds(3, 8), lambda: None)
    assert list(decision.changes) == [Change(EXTENDED.value, True, 1.0)]
