from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.lplp.contenders import HERE, pyomo_model
from benchmarks.lplp.elsewhere import ELSEWHERE
from benchmarks.lplp.instances import FAMILIES, instance
from benchmarks.lplp.measured import Measured, disagreement, shifted_mean


def test_a_seed_is_a_problem() -> None:
    one, same, other = instance("plain", 6, 4), instance("plain", 6, 4), instance("plain", 6, 5)
    assert (one.a == same.a).all() and (one.high == same.high).all()
    assert not (one.a == other.a).all()


def test_plain_problems_have_the_coefficients_they_say() -> None:
    # The first draws of numpy's generator for seed 3, as the docstring describes the problem.
    r = np.random.default_rng(3)
    found = instance("plain", 5, 3)
    assert (found.a == r.integers(-3, 4, (5, 5))).all()
    assert (found.b == r.integers(0, 5, (5, 5))).all()
    assert (found.high == r.integers(20, 60, 5)).all()


@pytest.mark.parametrize("family", [*FAMILIES])
def test_the_contenders_mean_the_same_problem(family: str) -> None:
    for seed in range(2):
        problem = instance(family, 5, seed)
        results = [solve(problem, 20.0) for solve in HERE.values()]
        assert {r.contender for r in results} == set(HERE)
        exact = [r for r in results if r.proven]
        assert len(exact) >= 2 and disagreement(results) is None
        # A big-M can only cut off.
        assert all(r.objective is None or r.objective >= exact[0].objective - 1e-6 for r in results)


def test_a_follower_and_a_leader_without_cost_can_be_written() -> None:
    problem = instance("plain", 3, 0)
    model = pyomo_model(replace(problem, d=np.zeros(3, dtype=int), cx=np.zeros(3, dtype=int), cy=np.zeros(3, dtype=int)))
    assert len(model.c) == 3


def test_shifted_geometric_mean() -> None:
    assert shifted_mean([1.0, 100.0], 0.0) == pytest.approx(10.0)
    assert shifted_mean([0.0, 3.0], 1.0) == pytest.approx(1.0)


def test_only_two_claims_can_disagree() -> None:
    one = Measured("a", "i", 1.0, True, 5.0)
    assert disagreement([one, replace(one, contender="b", objective=6.0, proven=False)]) is None
    assert disagreement([one, replace(one, contender="b", objective=5.0 + 1e-7)]) is None
    said = disagreement([one, replace(one, contender="b", objective=6.0)])
    assert said is not None and "a 5" in said and "b 6" in said


def test_peers_live_in_folders_that_git_does_not_see() -> None:
    assert all(peer.folder.startswith(".venv-") and peer.program.endswith(".py") for peer in ELSEWHERE)
