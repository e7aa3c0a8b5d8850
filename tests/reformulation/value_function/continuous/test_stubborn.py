from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from bilevel_lang.reformulation.value_function.continuous.stubborn import Stubborn
from bilevel_lang.solvers.matrix import MatrixProgram
from bilevel_lang.solvers.solver import SolverOptions, Termination


def test_the_answer_that_the_fewest_rows_can_block() -> None:
    # y1 + y2 >= x in [0, 3] and y1 - y2 <= 2 - x: at x = 1 (1, 0), (0, 1), (1, 1), ... will do; y1 + y2 = 3 with y1 <= 1 last.
    program = MatrixProgram(
        lower=np.zeros(2),
        upper=np.full(2, 3.0),
        integer=np.ones(2, dtype=bool),
        cost=np.ones(2),
        matrix=sp.csr_matrix([[1.0, 1.0], [1.0, -1.0]]),
        row_lower=np.array([0.0, -np.inf]),
        row_upper=np.array([np.inf, 2.0]),
    )
    leader = sp.csr_matrix([[-1.0, 0.0, 0.0], [1.0, 0.0, 0.0]])

    def most(row: np.ndarray) -> float:
        return max(0.0, 3.0 * float(row[0]))

    stubborn = Stubborn(program, leader, most, SolverOptions(), None)
    low, up = np.array([1.0, -np.inf]), np.array([np.inf, 1.0])
    free = stubborn.answer(low, up, 6.0)
    assert free.x is not None
    y = free.x[:2]
    assert y.sum() >= 3
    assert y[0] - y[1] <= -1
    assert free.objective == 0
    tight = stubborn.answer(low, up, 1.0)
    assert tight.x is not None
    # With one unit the first row can be violated; the second cannot only for (0, 1).
    assert (tight.x[:2].tolist(), tight.objective) == ([0.0, 1.0], 1.0)
    assert stubborn.answer(low, up, 0.5).termination is Termination.INFEASIBLE
    assert stubborn.solves == 3
