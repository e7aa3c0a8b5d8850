"""The bound from below holds at every decision, and is the truth where the answers seen say enough."""

from __future__ import annotations

import math

import numpy as np
import pytest

from bilevel_lang.reformulation.nn_embed.judge import Judge
from bilevel_lang.reformulation.nn_embed.room import Room
from bilevel_lang.solvers.solver import SolverOptions
from tests.reformulation.nn_embed.followers import arrays, continuous, interdiction
from tests.reformulation.nn_embed.test_answers import EVERY


@pytest.mark.parametrize("told", [0, 3, 16])
def test_no_decision_is_better_than_its_bound(told: int) -> None:
    source, inputs, _ = arrays(interdiction())
    judge, room = Judge(source, inputs, SolverOptions()), Room(source, inputs, SolverOptions())
    verdicts = judge.ask_all(EVERY)
    for verdict in verdicts[:told]:
        room.learn(verdict.response)
    for verdict in verdicts:
        bound = room.bound(verdict.x)
        assert bound <= verdict.objective + 1e-6
        if told == 16 and verdict.point is not None:
            # Both want the same number, one large and one small: the best answer seen is all that there is to say.
            assert bound == pytest.approx(verdict.objective, abs=1e-5)


def test_what_is_enough_costs_no_lp_and_holds() -> None:
    source, inputs, _ = arrays(interdiction())
    judge, room = Judge(source, inputs, SolverOptions()), Room(source, inputs, SolverOptions())
    for verdict in judge.ask_all(EVERY):
        room.learn(verdict.response)
    for x in EVERY[EVERY.sum(axis=1) <= 2]:
        truth, before = judge.ask(x).objective, room.solves
        assert room.bound(x, enough=truth - 0.5) == pytest.approx(truth, abs=1e-5) and room.solves == before
        assert room.bound(x, enough=truth + 0.5) == pytest.approx(truth, abs=1e-5) and room.solves == before + 1


def test_answers_are_found_beyond_the_first_that_are_looked_at() -> None:
    source, inputs, _ = arrays(continuous())
    room = Room(source, inputs, SolverOptions())
    for y in np.linspace(0.0, 3.0, 301):
        room.learn(np.array([y]))
    for x in (0.5, 1.0, 2.0, 3.5):
        assert room.ceiling(np.array([x])) == pytest.approx(max(3 - x, x - 1), abs=1e-9)


def test_the_ceiling_holds_answers_that_are_feasible_alone() -> None:
    source, inputs, _ = arrays(continuous())
    room = Room(source, inputs, SolverOptions())
    assert room.ceiling(np.array([1.0])) == math.inf
    room.learn(np.array([2.0]))
    room.learn(None)
    assert room.ceiling(np.array([1.0])) == 2.0  # y >= 3 - x and y >= x - 1 hold
    assert room.ceiling(np.array([0.5])) == math.inf
    assert room.bound(np.array([1.0])) == pytest.approx(1.0 - 8.0, abs=1e-5)


def test_where_the_rows_leave_no_point_there_is_no_room() -> None:
    source, inputs, _ = arrays(continuous())
    assert Room(source, inputs, SolverOptions()).bound(np.array([9.0])) == math.inf  # x + y <= 8 and y >= x - 1
