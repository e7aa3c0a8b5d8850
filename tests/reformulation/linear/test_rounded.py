from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bilevel_lang.reformulation.linear.rounded import solved_on_its_piece
from bilevel_lang.reformulation.linear.sos1 import LinearSos1
from bilevel_lang.reformulation.options import Options
from bilevel_lang.solvers.matrix import MatrixRun
from bilevel_lang.solvers.solver import SolverOptions, Termination
from tests.reformulation.linear.random_followers import mpec_of
from tests.reformulation.problems import linear


def solved() -> tuple:  # type: ignore[type-arg]
    mpec = mpec_of(linear(), "bilevel x\nmin f y e1 e2 e3 e4")
    return mpec, LinearSos1().encode(mpec, "scip", Options()).run(Options(), None)


def test_a_true_answer_stands() -> None:
    mpec, run = solved()
    again = solved_on_its_piece(mpec, run, SolverOptions())
    assert (again.termination, again.doubts) == (Termination.OPTIMAL, ())
    assert again.objective == pytest.approx(-12, abs=1e-9)


def test_an_answer_that_lives_on_a_leak_is_withdrawn() -> None:
    # At (4, 4) the objective is -12; a point that lets a little through both sides of a pair claims -13.
    mpec, run = solved()
    again = solved_on_its_piece(mpec, replace(run, objective=-13.0, bound=-13.0), SolverOptions())
    assert again.termination is Termination.LOCALLY_OPTIMAL
    assert again.objective == pytest.approx(-12, abs=1e-6)
    assert again.bound == -13.0
    assert "with every pair decided the objective is -12, not -13" in again.doubts[0]


def test_a_bound_that_the_piece_beats_is_withdrawn() -> None:
    mpec, run = solved()
    again = solved_on_its_piece(mpec, replace(run, objective=-5.0, bound=-5.0), SolverOptions())
    assert again.bound is None
    assert "beyond the claimed bound" in again.doubts[0]


def test_a_gap_that_was_asked_for_is_no_contradiction() -> None:
    mpec, run = solved()
    again = solved_on_its_piece(mpec, replace(run, objective=-11.5, bound=-12.0), SolverOptions())
    assert (again.doubts, again.termination) == ((), Termination.OPTIMAL)


def test_a_piece_without_points_is_told() -> None:
    mpec, run = solved()
    x = run.x.copy()
    # All slacks called 0: y cannot be at both of its bounds.
    x[mpec.right], x[mpec.left] = 1.0, 0.0
    again = solved_on_its_piece(mpec, replace(run, x=x), SolverOptions())
    assert again.termination is Termination.LOCALLY_OPTIMAL
    assert "says infeasible" in again.doubts[0]


@pytest.mark.parametrize("termination", [Termination.LIMIT, Termination.INFEASIBLE])
def test_a_run_that_claims_nothing_is_left_alone(termination: Termination) -> None:
    mpec, _ = solved()
    run = MatrixRun(termination, "somebody", x=np.zeros(mpec.program.columns), objective=0.0)
    assert solved_on_its_piece(mpec, run, SolverOptions()) is run
