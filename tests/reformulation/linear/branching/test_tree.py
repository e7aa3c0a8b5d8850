from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from bilevel_lang.reformulation.linear.branching.blocks import split
from bilevel_lang.reformulation.linear.branching.tree import Effort, Tree
from bilevel_lang.solvers.matrix import Ints, MatrixProgram
from bilevel_lang.solvers.solver import SolverOptions, Termination
from tests.reformulation.linear.branching.programs import Lpcc, bilevel, coupled, enumerated

PLAIN = SolverOptions()


UNLIMITED = Effort()


def tree(made: Lpcc, effort: Effort = UNLIMITED, deadline: float | None = None, gap: float | None = None) -> Tree:
    return Tree(split(*made), SolverOptions(gap=gap), effort, deadline)


@pytest.mark.parametrize("made", [bilevel, coupled], ids=["bilevel", "coupled"])
@pytest.mark.parametrize("seed", range(15))
def test_the_optimum_is_that_of_the_enumeration(made: Callable[[int], Lpcc], seed: int) -> None:
    lpcc = made(seed)
    found = tree(lpcc)
    termination, expected = found.run(), enumerated(*lpcc)
    if np.isinf(expected):
        assert termination is Termination.INFEASIBLE
        assert found.best is None
    else:
        assert termination is Termination.OPTIMAL
        assert found.objective == pytest.approx(expected, abs=1e-6)
        assert found.bound == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("seed", range(2))
def test_several_followers(seed: int) -> None:
    lpcc = bilevel(seed, followers=3)
    found = tree(lpcc)
    assert found.run() is Termination.OPTIMAL
    # The followers share nothing: the optimum is the sum of three.
    whole = lpcc[0]
    alone = 0.0
    for i in range(3):
        mine = np.concatenate([[i], 3 + 12 * i + np.arange(12)])
        alone += enumerated(*_part(whole, mine, lpcc[1][6 * i : 6 * i + 6], lpcc[2][6 * i : 6 * i + 6]))
    assert found.objective == pytest.approx(alone, abs=1e-6)


def _part(program: MatrixProgram, columns: Ints, left: Ints, right: Ints) -> Lpcc:
    rows = np.flatnonzero(np.abs(program.matrix[:, columns]).sum(axis=1))
    place = {int(j): i for i, j in enumerate(columns)}
    part = replace(
        program,
        lower=program.lower[columns],
        upper=program.upper[columns],
        integer=program.integer[columns],
        cost=program.cost[columns],
        matrix=program.matrix[rows][:, columns],
        row_lower=program.row_lower[rows],
        row_upper=program.row_upper[rows],
    )
    return part, np.array([place[int(j)] for j in left]), np.array([place[int(j)] for j in right])


def test_a_search_cut_short_has_a_true_bound() -> None:
    cut = 0
    for seed in range(10):
        lpcc = bilevel(seed, followers=1)
        found = tree(lpcc, Effort(nodes=1))
        termination, expected = found.run(), enumerated(*lpcc)
        assert found.bound <= expected + 1e-6
        assert found.objective >= expected - 1e-6
        cut += termination is Termination.LIMIT
    assert cut


def test_the_deadline_is_kept() -> None:
    found = tree(coupled(1), deadline=time.perf_counter() - 1)
    assert found.run() is Termination.LIMIT
    assert found.bound == -np.inf


def test_a_wider_gap_closes_sooner_and_keeps_its_word() -> None:
    for seed in range(10):
        lpcc = bilevel(seed)
        wide, narrow = tree(lpcc, gap=0.5), tree(lpcc)
        if narrow.run() is Termination.OPTIMAL:
            assert wide.run() is Termination.OPTIMAL
            assert wide.bound <= narrow.objective + 1e-9 <= wide.objective + 2e-9
            assert wide.objective - wide.bound <= 0.5 * max(1.0, abs(wide.objective)) + 1e-9
            assert wide.nodes <= narrow.nodes


def test_after_the_trial_only_a_promising_search_goes_on() -> None:
    stopped = 0
    for seed in range(15):
        lpcc = bilevel(seed)
        strict, lenient = tree(lpcc, Effort(trial=0, promising=0.0)), tree(lpcc, Effort(trial=0, promising=np.inf))
        ends = strict.run()
        assert lenient.run() in (Termination.OPTIMAL, Termination.INFEASIBLE)
        if ends is Termination.LIMIT:
            stopped += 1
            assert strict.nodes == 0
            assert strict.bound < strict.objective
        else:
            assert strict.objective == lenient.objective
    assert stopped
