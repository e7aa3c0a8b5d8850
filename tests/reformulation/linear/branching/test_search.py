from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bilevel_lang.reformulation.linear.branching.search import search
from bilevel_lang.reformulation.linear.branching.tree import Effort
from bilevel_lang.solvers.solver import SolverOptions, Termination
from tests.reformulation.linear.branching.programs import bilevel, coupled, enumerated

PLAIN = SolverOptions()


@pytest.mark.parametrize("seed", range(20, 35))
def test_the_run_speaks_of_the_program_in_its_own_sense(seed: int) -> None:
    program, left, right = coupled(seed)
    run, expected = search(program, left, right, PLAIN), enumerated(program, left, right)
    if np.isinf(expected):
        assert run.termination is Termination.INFEASIBLE
        assert run.x is None and run.bound is None
        return
    assert run.termination is Termination.OPTIMAL
    assert run.x is not None
    assert run.objective == pytest.approx(program.sense * expected + program.constant, abs=1e-6)
    assert run.bound == pytest.approx(run.objective, abs=1e-6)
    assert run.objective == pytest.approx(program.objective_at(run.x))
    assert program.violation(run.x) < 1e-7
    assert np.minimum(run.x[left], run.x[right]).max() < 1e-7


def test_an_unbounded_relaxation_claims_nothing() -> None:
    program, left, right = bilevel(0)
    away = replace(program, upper=np.full(program.columns, np.inf), cost=np.zeros(program.columns))
    away.cost[0] = -1.0
    free = replace(away, matrix=away.matrix.multiply(np.arange(program.columns) > 0).tocsr())
    run = search(free, left, right, PLAIN)
    assert run.termination is Termination.FAILED
    assert run.x is None and run.bound is None
    assert "unbounded" in run.message


def test_multipliers_that_never_exist_prove_infeasibility() -> None:
    # The follower is unbounded for every x: no multiplier at all.
    program, left, right = bilevel(0)
    rows = program.row_lower.copy()
    matrix = program.matrix.tolil()
    matrix[4, :] = 0
    matrix[4, 11] = -1.0
    rows[4] = 3.0
    run = search(replace(program, matrix=matrix.tocsr(), row_lower=rows, row_upper=rows), left, right, PLAIN)
    assert run.termination is Termination.INFEASIBLE


def test_effort_ends_it_early_and_verbose_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    for seed in range(40):
        program, left, right = bilevel(seed)
        run = search(program, left, right, SolverOptions(verbose=True), Effort(nodes=0))
        if run.termination is Termination.LIMIT:
            assert "stopped" in run.message
            assert "stopped" in capsys.readouterr().err
            return
    pytest.fail("no instance needed a node")


def test_no_time_no_claim() -> None:
    program, left, right = bilevel(3)
    run = search(program, left, right, SolverOptions(time_limit=1e-9))
    assert run.termination is Termination.LIMIT
    assert run.x is None and run.bound is None


def test_pairs_of_columns_without_rows() -> None:
    program, left, right = bilevel(4)
    run = search(replace(program, matrix=program.matrix[:0], row_lower=np.zeros(0), row_upper=np.zeros(0)), left, right, PLAIN)
    costs = program.cost < 0
    assert run.termination is (Termination.FAILED if (costs & np.isinf(program.upper)).any() else Termination.OPTIMAL)
