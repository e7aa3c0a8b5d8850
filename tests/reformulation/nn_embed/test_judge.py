"""The truth at one decision, against formulas and enumeration."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from bilevel_lang.reformulation.nn_embed.answers import Answer, Answers
from bilevel_lang.reformulation.nn_embed.judge import Judge
from bilevel_lang.solvers.solver import SolverOptions
from bilevel_lang.surrogate.dataset import Outcome
from tests.reformulation.nn_embed.followers import arrays, continuous, interdiction, knapsack_value


def judge(made: object) -> Judge:
    source, inputs, _ = arrays(made)  # type: ignore[arg-type]
    return Judge(source, inputs, SolverOptions())


@pytest.mark.parametrize(("x", "value", "slope"), [(0.5, 2.5, -1.0), (3.0, 2.0, 1.0), (4.4, 3.4, 1.0)])
def test_value_gradient_and_leader_of_an_lp(x: float, value: float, slope: float) -> None:
    found = judge(continuous()).ask(np.array([x]))
    assert found.value == pytest.approx(value, abs=1e-8)
    assert found.gradient is not None and found.gradient[0] == pytest.approx(slope)
    assert found.objective == pytest.approx(x - 4 * value, abs=1e-7)
    assert found.point is not None


def test_an_answer_that_breaks_the_leaders_row_is_no_point() -> None:
    found = judge(continuous()).ask(np.array([5.0]))  # y = 4, x + y = 9
    assert found.answered and found.point is None and found.objective == np.inf


def test_a_knapsack_against_enumeration() -> None:
    asked = judge(interdiction())
    for x in itertools.product((0.0, 1.0), repeat=4):
        found = asked.ask(np.array(x))
        assert found.value == pytest.approx(-knapsack_value(np.array(x)))
        assert found.gradient is None
        assert (found.point is None) == (sum(x) > 2)
    best = min(knapsack_value(np.array(x)) for x in itertools.product((0.0, 1.0), repeat=4) if sum(x) <= 2)
    assert asked.best is not None and asked.best.objective == pytest.approx(best)


def test_a_question_is_asked_once_and_whole_inputs_are_rounded() -> None:
    asked = judge(interdiction())
    first = asked.ask(np.zeros(4))
    solves = asked.solves
    assert asked.ask(np.full(4, 0.2)) is first and asked.solves == solves and asked.drawn == 1
    assert asked.known() == [first]


def test_what_time_cut_off_may_be_the_answer_and_is_no_lesson() -> None:
    source, inputs, _ = arrays(interdiction())
    answer = Answers(source, inputs, SolverOptions()).at(np.zeros(4))

    def cut_off(points: np.ndarray, over: Callable[[], bool]) -> tuple[np.ndarray, list[Answer]]:
        return points, [replace(answer, outcome=Outcome.LIMIT)]

    late = Judge(source, inputs, SolverOptions(), sampler=cut_off)  # type: ignore[arg-type]
    assert late.ask_all(np.zeros((1, 4))) == [] and late.known() == []
    assert late.best is not None and late.best.objective == pytest.approx(knapsack_value(np.zeros(4)))
