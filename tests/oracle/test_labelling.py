"""Which way is taken, and that it travels to workers."""

from __future__ import annotations

import pickle

import numpy as np
import pyomo.environ as pyo
import pytest

import bilevel_lang
from bilevel_lang.errors import RefusedError
from bilevel_lang.oracle.labelling import Labelling, labelling, labelling_of
from bilevel_lang.solvers.solver import SolverOptions
from bilevel_lang.surrogate.sampling.designs.latin_hypercube import LatinHypercube
from bilevel_lang.surrogate.sampling.executors import executor_for
from bilevel_lang.surrogate.sampling.run import Plan, sample
from tests.oracle.followers import Sampled, random_follower


def way(follower: Sampled) -> Labelling:
    return labelling(follower.problem, follower.agent)


def nonlinear() -> Sampled:
    follower = random_follower(3, costs=True)
    m = follower.model
    m.cost.set_value(m.cost.expr + pyo.exp(m.y[0]))
    return Sampled(m, bilevel_lang.resolve(m, "bilevel x\nmin cost y rows single other"), follower.agent, follower.arrays)


@pytest.mark.parametrize(
    ("kind", "name", "words"),
    [
        ({}, "highs", "a LP in one"),
        ({"curved": True}, "highs", "convex QP"),
        ({"whole": 3}, "highs", "MILP"),
        ({"whole": 5}, "enumeration", "whole answers"),
        ({"whole": 1, "curved": True}, "general", "integer variables and a quadratic"),
    ],
)
def test_the_way_follows_the_problem(kind: dict[str, object], name: str, words: str) -> None:
    found = way(random_follower(3, **kind))  # type: ignore[arg-type]
    assert found.way == name and words in found.why
    assert found.space.names == ("x[0]", "x[1]", "x[2]")


def test_nonlinear_followers_go_the_general_way() -> None:
    follower = nonlinear()
    found = labelling(follower.problem, follower.problem.agents[0])
    assert found.way == "general" and "objective" in found.why
    assert found.build()(np.ones((1, 3))).feasible.all()


@pytest.mark.parametrize("kind", [{"costs": True}, {"whole": 5}, {"whole": 1, "curved": True}], ids=str)
def test_pickled_and_built_again_it_says_the_same(kind: dict[str, object]) -> None:
    found = way(random_follower(3, **kind))  # type: ignore[arg-type]
    again = pickle.loads(pickle.dumps(found))
    points = found.space.from_unit(np.random.default_rng(0).random((3, 3)))
    assert again.fingerprint() == found.fingerprint()
    assert again.build()(points).content_hash() == found.build()(points).content_hash()


def test_options_that_labels_depend_on_are_in_the_fingerprint() -> None:
    arrays = random_follower(3, whole=3).arrays
    plain, loose = labelling_of(arrays), labelling_of(arrays, SolverOptions(gap=0.05))
    assert plain is not None and loose is not None and plain.fingerprint() != loose.fingerprint()


def test_a_vi_is_refused() -> None:
    follower = random_follower(3)
    problem = bilevel_lang.resolve(follower.model, "bilevel x\nvi cost y[0]")
    with pytest.raises(RefusedError, match="no objective"):
        labelling(problem, problem.agents[0])


@pytest.mark.slow
def test_two_processes_make_the_data_set_of_one() -> None:
    found = way(random_follower(3, costs=True))
    plan = Plan(found.space, LatinHypercube(), samples=60, seed=1, shard_size=20)
    with executor_for(2) as executor:
        assert sample(found, plan, executor).data.content_hash() == sample(found, plan).data.content_hash()
