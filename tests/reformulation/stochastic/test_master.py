from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from bilevel_lang.reformulation.stochastic.master import CutRows, Estimates, master_program
from bilevel_lang.solvers.highs import Highs
from bilevel_lang.solvers.matrix import MatrixProgram
from bilevel_lang.solvers.solver import SolverOptions


def first_stage() -> MatrixProgram:
    """Three binaries of which two at least are 1."""
    ones, whole = np.ones(3), np.ones(3, dtype=bool)
    return MatrixProgram(np.zeros(3), ones, whole, 9 * ones, sp.csr_matrix(ones[None, :]), np.array([2.0]), np.array([np.inf]))


def test_it_is_the_least_over_all_decisions_of_costs_and_highest_cuts() -> None:
    r = np.random.default_rng(0)
    cost, weights, cuts = r.normal(size=3), np.array([0.3, 0.7]), CutRows()
    for _ in range(8):
        cuts.add(int(r.integers(2)), r.normal(size=3) * 5, float(r.normal()))
    thetas = Estimates(np.full(2, -4.0), np.full(2, np.inf), weights)
    forbidden = np.array([1.0, 1.0, 0.0])
    cut_off = (1.0 - 2.0 * forbidden[None, :], 1.0 - forbidden.sum(keepdims=True), np.array([np.inf]))
    program = master_program(first_stage(), cost, np.ones(3, dtype=bool), thetas, cuts, [cut_off])
    left = [np.array(x) for x in ([1.0, 0, 1], [0, 1.0, 1], [1.0, 1, 1])]

    def total(x: np.ndarray) -> float:
        highest = np.full(2, -4.0)
        for slope, offset, place in zip(cuts.slopes, cuts.offsets, cuts.places, strict=True):
            highest[place] = max(highest[place], float(slope @ x) + offset)
        return float(cost @ x + weights @ highest)

    run = Highs().run_matrix(program, SolverOptions())
    assert run.objective == pytest.approx(min(map(total, left)))


def test_without_cuts_the_estimates_are_at_their_bounds() -> None:
    thetas = Estimates(np.array([-3.0]), np.array([np.inf]), np.array([2.0]))
    program = master_program(first_stage(), np.array([1.0, 2.0, 4.0]), np.zeros(3, dtype=bool), thetas, CutRows())
    assert Highs().run_matrix(program, SolverOptions()).objective == pytest.approx(3.0 - 6.0)
