from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import scipy.sparse as sp

from bilevel_lang.reformulation.linear.products import BinaryProducts
from bilevel_lang.solvers.matrix import MatrixProgram
from bilevel_lang.solvers.scip import Scip
from bilevel_lang.solvers.solver import SolverOptions


def base(lower: float, upper: float) -> MatrixProgram:
    """Column 0 is binary, column 1 lies between the bounds."""
    return MatrixProgram(
        lower=np.array([0.0, lower]),
        upper=np.array([1.0, upper]),
        integer=np.array([True, False]),
        cost=np.zeros(2),
        matrix=sp.csr_matrix((0, 2)),
        row_lower=np.zeros(0),
        row_upper=np.zeros(0),
    )


@pytest.mark.parametrize("bounds", [(-2.0, 3.0), (1.0, 4.0), (0.0, math.inf), (-math.inf, math.inf), (-math.inf, 2.0)])
@pytest.mark.parametrize("turned", [False, True])
def test_the_column_is_the_product(bounds, turned):
    """Largest and least value of what stands for b v, with b and v fixed, are both b v."""
    products = BinaryProducts(base(*bounds))
    parts = products.column(1, 0) if turned else products.column(0, 1)
    assert parts is not None and products.column(0, 1) is parts
    grown = products.program()
    for b, v in itertools.product((0.0, 1.0), (1.0, 1.5, 2.0)):
        lower, upper = grown.lower.copy(), grown.upper.copy()
        lower[:2] = upper[:2] = (b, v)
        for sense in (1, -1):
            cost = np.zeros(grown.columns)
            for column, factor in parts:
                cost[column] += factor
            fixed = MatrixProgram(
                lower, upper, grown.integer, cost, grown.matrix, grown.row_lower, grown.row_upper, 0.0, sense, None, (),
                grown.sos1, grown.indicators,
            )  # fmt: skip
            run = Scip().run_matrix(fixed, SolverOptions())
            if math.isfinite(bounds[0]):
                assert run.objective == pytest.approx(b * v, abs=1e-7)
            else:
                # plus and minus of a free column may both grow; what the pair stands for is right wherever it is bounded.
                assert run.objective is None or sense * run.objective <= sense * b * v + 1e-7


def test_a_binary_times_itself_is_itself_and_two_others_have_no_column():
    products = BinaryProducts(base(0.0, 1.0))
    assert products.column(0, 0) == [(0, 1.0)]
    assert products.column(1, 1) is None
