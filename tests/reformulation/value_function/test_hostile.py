"""Followers that have no answer to some decisions, several to others, or numbers of every size; against brute force."""

from __future__ import annotations

import pytest

import bilevel_lang as bl
from bilevel_lang.solution import Status
from tests.reformulation.value_function.hostile import hostile


@pytest.mark.parametrize("seed", range(36))
def test_against_brute_force(seed: int) -> None:
    compare(seed, "scip" if seed % 2 else None)


# The loop over HiGHS has a binary for every value that a row of general integers may be cut at: small boxes only.
NARROW = [seed for seed in range(40) if hostile(seed).narrow]


@pytest.mark.parametrize("seed", NARROW[:12])
def test_the_loop_against_brute_force(seed: int) -> None:
    compare(seed, "highs")


@pytest.mark.slow
@pytest.mark.parametrize("hundred", range(1, 4))
def test_hundreds_against_brute_force(hundred: int) -> None:
    for seed in range(100 * hundred, 100 * hundred + 100):
        compare(seed, "scip")
        if hostile(seed).narrow:
            compare(seed, "highs")


def compare(seed: int, solver: str | None) -> None:
    made = hostile(seed)
    answer = bl.solve(made.model, made.annotation, method="value-function", solver=solver)
    if made.best is None:
        assert answer.status is Status.INFEASIBLE
    else:
        assert (answer.status, answer.verified) == (Status.OPTIMAL, True)
        assert answer.objective == pytest.approx(made.best, rel=1e-6)


def test_the_problems_are_what_they_should_be() -> None:
    best = [hostile(seed).best for seed in range(36)]
    assert 1 <= sum(b is None for b in best) <= 20
    assert len(set(best)) > 15
