from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.sparse as sp

from bilevel_lang.solvers.highs import Highs
from bilevel_lang.solvers.matrix import MatrixProgram
from bilevel_lang.solvers.scip import Scip
from bilevel_lang.solvers.solver import SolverOptions, Termination


@pytest.mark.parametrize("seed", range(12))
def test_scip_and_highs_agree_on_the_same_arrays(seed):
    r = np.random.default_rng((3, seed))
    n, m = 6, 5
    a = r.integers(-3, 4, (m, n)).astype(float)
    inside = r.integers(0, 3, n)
    side = a @ inside
    program = MatrixProgram(
        lower=np.where(r.random(n) < 0.2, -4.0, 0.0),
        upper=np.full(n, 6.0),
        integer=r.random(n) < 0.5,
        cost=r.integers(-5, 6, n).astype(float),
        matrix=sp.csr_matrix(a),
        row_lower=np.where(r.random(m) < 0.5, side - 2, -math.inf),
        row_upper=side + 1,
        constant=float(r.integers(-3, 4)),
        sense=int(r.choice([1, -1])),
    )
    ours, theirs = Scip().run_matrix(program, SolverOptions()), Highs().run_matrix(program, SolverOptions())
    assert ours.termination is theirs.termination is Termination.OPTIMAL
    assert ours.objective == pytest.approx(theirs.objective, abs=1e-6)
    assert program.violation(ours.x) <= 1e-6


def test_only_better_points_than_a_cutoff_are_looked_for():
    program = MatrixProgram(
        np.zeros(1),
        np.full(1, 9.0),
        np.ones(1, dtype=bool),
        np.ones(1),
        sp.csr_matrix([[2.0]]),
        np.array([3.0]),
        np.array([math.inf]),
    )
    assert Scip().run_matrix(program, SolverOptions(extra={"cutoff": 3.0})).objective == pytest.approx(2)
    assert Scip().run_matrix(program, SolverOptions(extra={"cutoff": 2.0 - 1e-3})).termination is Termination.INFEASIBLE
