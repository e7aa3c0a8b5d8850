"""What a worker is asked: the same for the same decisions, whatever came before, and the same after the way through arrays."""

from __future__ import annotations

import itertools
import pickle
import time
from dataclasses import replace

import numpy as np
import pytest

from bilevel_lang.reformulation.nn_embed.answers import AnswerRecipe, Answers, from_data
from bilevel_lang.solvers.solver import SolverOptions
from bilevel_lang.surrogate.dataset import Outcome
from tests.reformulation.nn_embed.followers import arrays, continuous, interdiction, knapsack_value

EVERY = np.array(list(itertools.product((0.0, 1.0), repeat=4)))


def recipe(made: object = None) -> AnswerRecipe:
    source, inputs, _ = arrays(made or interdiction())  # type: ignore[arg-type]
    return AnswerRecipe(source, inputs)


def test_a_recipe_travels_and_its_answers_are_those_of_enumeration() -> None:
    travelled = pickle.loads(pickle.dumps(recipe()))
    assert travelled.fingerprint() == recipe().fingerprint()
    data = travelled.build()(EVERY)
    assert np.allclose(data.values, [-knapsack_value(x) for x in EVERY])
    for x, answer in zip(EVERY, from_data(data, travelled.source), strict=True):
        assert (answer.point is None) == (x.sum() > 2)
        assert answer.response is not None and (answer.response + x <= 1 + 1e-9).all()


def test_labels_do_not_depend_on_the_calls_before() -> None:
    label, fresh = recipe(continuous()).build(), recipe(continuous()).build()
    points = np.linspace(0, 6, 13)[:, None]
    label(points[::-1])
    assert label(points).content_hash() == fresh(points).content_hash()


def test_gradients_come_back_where_there_are_some() -> None:
    made = recipe(continuous())
    found = from_data(made.build()(np.array([[0.5], [3.0]])), made.source)
    assert [float(answer.gradient[0]) for answer in found if answer.gradient is not None] == pytest.approx([-1.0, 1.0])


@pytest.mark.parametrize("change", ["source", "seed", "as_it_comes"])
def test_what_answers_depend_on_is_in_the_fingerprint(change: str) -> None:
    made = recipe()
    source, _, _ = arrays(continuous())
    other = {"source": source, "seed": 1, "as_it_comes": True}[change]
    assert replace(made, **{change: other}).fingerprint() != made.fingerprint()  # type: ignore[arg-type]
    assert replace(made, until=1.0).fingerprint() == made.fingerprint()


def test_past_the_deadline_nothing_is_known() -> None:
    source, inputs, _ = arrays(interdiction())
    late = Answers(source, inputs, SolverOptions(), deadline=time.perf_counter() - 1.0)
    assert late.at(np.zeros(4)).outcome is Outcome.LIMIT
    assert replace(recipe(), until=time.time() - 1.0).build()(EVERY).outcome_counts()[Outcome.LIMIT] == 16


def test_one_problem_is_solved_where_the_leader_has_no_choice() -> None:
    source, inputs, _ = arrays(interdiction())
    answers = Answers(source, inputs, SolverOptions())
    for x in EVERY:
        before, found = answers.solves, answers.at(x)
        allowed = x.sum() <= 2
        assert answers.solves - before == (
            1 if allowed else 3
        )  # beyond the budget the leader's rows are tried with both tolerances
        assert (found.point is not None) == allowed
        if found.point is not None:
            assert source.relaxation.violation(found.point) <= 1e-9
            assert source.relaxation.objective_at(found.point) == pytest.approx(knapsack_value(x))
