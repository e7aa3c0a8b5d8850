from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from bilevel_lang.reformulation.value_function.integer.recession import improves_without_end
from bilevel_lang.solvers.matrix import MatrixProgram
from bilevel_lang.solvers.solver import SolverOptions

INF = np.inf


@pytest.mark.parametrize(
    ("cost", "row", "sides", "boxes", "endless"),
    [
        ([-1.0, 0.0], [1.0, -1.0], (-INF, 3.0), [(0, INF), (0, INF)], True),  # y1 <= y2 + 3, and both grow
        ([-1.0, 0.0], [1.0, -1.0], (-INF, 3.0), [(0, INF), (0, 5)], False),
        ([-1.0, 0.0], [1.0, 1.0], (-INF, 3.0), [(0, INF), (0, INF)], False),
        ([-1.0, 0.0], [1.0, 1.0], (-INF, 3.0), [(0, INF), (-INF, INF)], True),
        ([-1.0, 1.0], [1.0, -2.0], (0.0, 0.0), [(0, INF), (0, INF)], True),  # y1 = 2 y2: a step gains 2 and costs 1
        ([-1.0, 3.0], [1.0, -2.0], (0.0, 0.0), [(0, INF), (0, INF)], False),
        ([0.0, 0.0], [1.0, 1.0], (-INF, INF), [(-INF, INF), (-INF, INF)], False),
    ],
)
def test_directions_without_end(
    cost: list[float], row: list[float], sides: tuple[float, float], boxes: list[tuple[float, float]], endless: bool
) -> None:
    program = MatrixProgram(
        lower=np.array([b[0] for b in boxes], dtype=float),
        upper=np.array([b[1] for b in boxes], dtype=float),
        integer=np.ones(2, dtype=bool),
        cost=np.array(cost),
        matrix=sp.csr_matrix([row]),
        row_lower=np.array([sides[0]]),
        row_upper=np.array([sides[1]]),
    )
    assert improves_without_end(program, SolverOptions()) is endless
