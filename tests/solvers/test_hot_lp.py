from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.optimize import LinearConstraint, milp

from bilevel_lang.solvers.hot_lp import HotLp
from bilevel_lang.solvers.matrix import MatrixProgram
from bilevel_lang.solvers.solver import SolverOptions


@pytest.mark.parametrize("seed", range(5))
def test_sides_and_entries_that_change_count_from_the_next_solve_on(seed: int) -> None:
    r = np.random.default_rng(seed)
    m, n = 4, 5
    dense = r.integers(-3, 5, (m, n)).astype(float)
    matrix = sp.csr_matrix(dense)
    program = MatrixProgram(
        np.zeros(n), np.full(n, 5.0), np.zeros(n, dtype=bool), -r.integers(1, 7, n).astype(float), matrix, np.full(m, -np.inf),
        r.integers(2, 12, m).astype(float),
    )  # fmt: skip
    hot = HotLp(program, SolverOptions())
    for _ in range(6):
        upper = r.integers(1, 15, m).astype(float)
        places = np.flatnonzero(r.random(matrix.nnz) < 0.4)
        data = program.matrix.data.copy()
        data[places] = r.uniform(1, 4, len(places))
        program = replace(
            program, matrix=sp.csr_matrix((data, matrix.indices, matrix.indptr), shape=matrix.shape), row_upper=upper
        )
        hot.set_sides(program.row_lower, upper)
        hot.set_entries(places, data[places])
        answer = hot.solve()
        rows = LinearConstraint(program.matrix, -np.inf, upper)
        theirs = milp(program.cost, constraints=rows, bounds=(0, 5))
        assert answer.objective == pytest.approx(theirs.fun, abs=1e-7)
