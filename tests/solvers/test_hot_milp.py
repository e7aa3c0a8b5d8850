from __future__ import annotations

import time

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.optimize import LinearConstraint, milp

from bilevel_lang.solvers.hot_milp import HotMilp
from bilevel_lang.solvers.matrix import MatrixProgram
from bilevel_lang.solvers.solver import SolverOptions, Termination


def random_milp(seed: int) -> MatrixProgram:
    r = np.random.default_rng(seed)
    m, n = 4, 6
    return MatrixProgram(
        lower=np.zeros(n),
        upper=np.full(n, 5.0),
        integer=np.arange(n) < 4,
        cost=r.integers(-6, 7, n).astype(float),
        matrix=sp.csr_matrix(r.integers(-3, 5, (m, n)).astype(float)),
        row_lower=np.full(m, -np.inf),
        row_upper=r.integers(2, 12, m).astype(float),
    )


@pytest.mark.parametrize("seed", range(8))
def test_every_solve_is_the_optimum_of_the_program_as_it_is_then(seed: int) -> None:
    program = random_milp(seed)
    r = np.random.default_rng(seed + 100)
    hot = HotMilp(program, SolverOptions())
    for _ in range(5):
        cost, upper = r.integers(-6, 7, 6).astype(float), r.integers(1, 6, 6).astype(float)
        low, side = np.full(4, -np.inf), r.integers(-1, 12, 4).astype(float)
        hot.set_cost(cost)
        hot.set_bounds(np.zeros(6), upper)
        hot.set_sides(low, side)
        answer = hot.solve()
        known = milp(
            cost,
            integrality=program.integer.astype(int),
            bounds=(np.zeros(6), upper),
            constraints=LinearConstraint(program.matrix, low, side),
        )
        assert (answer.x is not None) == (known.status == 0)
        if known.status == 0:
            assert answer.objective == pytest.approx(known.fun, abs=1e-6)
            assert answer.bound == pytest.approx(known.fun, abs=1e-6)
        else:
            assert answer.termination is Termination.INFEASIBLE
    assert hot.solves == 5


def test_past_the_deadline_nothing_is_solved() -> None:
    hot = HotMilp(random_milp(1), SolverOptions(), deadline=time.perf_counter() - 1)
    assert hot.solve().termination is Termination.LIMIT
    assert hot.solves == 0
