from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp

from bilevel_lang.errors import RefusedError
from bilevel_lang.solvers.highs import Highs
from bilevel_lang.solvers.matrix import Indicator, MatrixProgram, QuadraticRow, settled_matrix
from bilevel_lang.solvers.scip import Scip
from bilevel_lang.solvers.solver import Feature, SolverOptions, Termination

PLAIN = SolverOptions()


def small(sense: int = 1, **extra) -> MatrixProgram:
    """min x0 - 2 x1 + 3 subject to x0 + x1 <= 3, x0 - x1 >= -1, 0 <= x <= 5: x = (1, 2), value 0."""
    made = MatrixProgram(
        lower=np.zeros(2),
        upper=np.full(2, 5.0),
        integer=np.zeros(2, dtype=bool),
        cost=sense * np.array([1.0, -2.0]),
        matrix=sp.csr_matrix([[1.0, 1.0], [1.0, -1.0]]),
        row_lower=np.array([-math.inf, -1.0]),
        row_upper=np.array([3.0, math.inf]),
        constant=sense * 3.0,
        sense=sense,
    )
    return replace(made, **extra)


@pytest.mark.parametrize("solver", [Highs(), Scip()])
@pytest.mark.parametrize("sense", [1, -1])
def test_an_lp(solver, sense):
    run = solver.run_matrix(small(sense), PLAIN)
    assert run.termination is Termination.OPTIMAL
    assert run.x == pytest.approx([1, 2]) and run.objective == pytest.approx(0) and run.bound == pytest.approx(0)


@pytest.mark.parametrize("sense", [1, -1])
def test_duals_are_derivatives_of_the_optimal_value(sense):
    base = Highs().run_matrix(small(sense), PLAIN)
    for row in (0, 1):
        step = 1e-3
        side = "row_upper" if row == 0 else "row_lower"
        moved = getattr(small(), side).copy()
        moved[row] += step
        shifted = Highs().run_matrix(small(sense, **{side: moved}), PLAIN)
        assert (shifted.objective - base.objective) / step == pytest.approx(base.row_duals[row], abs=1e-6)


@pytest.mark.parametrize("solver", [Highs(), Scip()])
def test_a_milp_begins_from_a_start(solver):
    program = small(integer=np.array([True, True]))
    options = SolverOptions(extra={"start": np.array([1.0, np.nan])})
    assert solver.run_matrix(program, options).objective == pytest.approx(0)


@pytest.mark.parametrize("solver", [Highs(), Scip()])
def test_a_convex_qp(solver):
    # min (x0 - 3)^2 + (x1 - 3)^2 over x0 + x1 <= 3: (1.5, 1.5), 4.5; constants and cross terms included.
    quadratic = sp.csc_matrix([[2.0, 0.0], [0.0, 2.0]])
    program = small(quadratic=quadratic, cost=np.array([-6.0, -6.0]), constant=18.0)
    run = solver.run_matrix(program, PLAIN)
    assert run.objective == pytest.approx(4.5, abs=1e-5) and run.x == pytest.approx([1.5, 1.5], abs=1e-3)
    assert program.objective_at(np.array([1.5, 1.5])) == pytest.approx(4.5)
    assert program.features() == {Feature.QUADRATIC_OBJECTIVE}


def test_scip_takes_products_sets_and_indicators():
    product = QuadraticRow(1.0, math.inf, np.zeros(0, dtype=np.int64), np.zeros(0), np.array([[0, 1]]), np.array([1.0]))
    run = Scip().run_matrix(small(quadratic_rows=(product,), cost=np.array([1.0, 1.0]), constant=0.0), PLAIN)
    assert run.objective == pytest.approx(2, abs=1e-5)
    assert product.body(np.array([2.0, 3.0])) == 6.0
    run = Scip().run_matrix(small(sos1=np.array([[0, 1]]), cost=np.array([-1.0, -1.5])), PLAIN)
    assert run.objective == pytest.approx(3 - 3.0) and run.x == pytest.approx([3, 0])
    binary = small(
        lower=np.zeros(3), upper=np.array([5.0, 5.0, 1.0]), integer=np.array([False, False, True]),
        cost=np.array([-1.0, 0.0, -2.0]), matrix=sp.csr_matrix([[1.0, 1.0, 0.0], [1.0, -1.0, 0.0]]),
        indicators=(Indicator(2, 1, 0),),
    )  # fmt: skip
    assert binary.features() == {Feature.INTEGER, Feature.INDICATOR}
    # Either x0 = 3 (value -3 + 3), or the binary with x0 = 0 (-2 + 3).
    assert Scip().run_matrix(binary, PLAIN).objective == pytest.approx(0)
    with pytest.raises(RefusedError, match="highs does not take"):
        Highs().run_matrix(binary, PLAIN)


def test_what_contradicts_itself_needs_no_solver():
    crossed = settled_matrix(small(lower=np.array([0.0, 6.0])), "S 1")
    assert crossed is not None and crossed.termination is Termination.INFEASIBLE and "column 1" in crossed.message
    empty = settled_matrix(small(matrix=sp.csr_matrix([[1.0, 1.0], [0.0, 0.0]]), row_lower=np.array([0.0, 1.0])), "S 1")
    assert empty is not None and empty.termination is Termination.INFEASIBLE and "row 1" in empty.message
    assert settled_matrix(small(), "S 1") is None
    none = MatrixProgram(
        np.zeros(0), np.zeros(0), np.zeros(0, dtype=bool), np.zeros(0), sp.csr_matrix((0, 0)), np.zeros(0), np.zeros(0), 2.0
    )
    assert settled_matrix(none, "S 1").objective == 2.0


def test_the_violation_is_measured_by_the_side():
    program = small(row_upper=np.array([3000.0, math.inf]))
    assert program.violation(np.array([1.0, 2.0])) == 0
    assert program.violation(np.array([-0.5, 0.0])) == pytest.approx(0.5)
    assert program.violation(np.array([0.0, 3.0])) == pytest.approx(2.0)
    wide = small(upper=np.full(2, 1e6), row_upper=np.array([1000.0, math.inf]))
    assert wide.violation(np.array([1100.0, 0.0])) == pytest.approx(0.1)
