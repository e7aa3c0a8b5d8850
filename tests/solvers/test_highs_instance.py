from __future__ import annotations

import threading

import numpy as np
import pytest
import scipy.sparse as sp

from bilevel_lang.errors import UsageError
from bilevel_lang.solvers.highs_instance import go, load, termination_of, whole_bounds
from bilevel_lang.solvers.matrix import MatrixProgram
from bilevel_lang.solvers.solver import SolverOptions, Termination


def program(cost: float = 1.0, sense: int = 1, lower: float = 1.5, whole: bool = False) -> MatrixProgram:
    """min or max  cost z + 7  subject to  2 z >= 2 lower,  z <= 4."""
    return MatrixProgram(
        lower=np.array([-np.inf]),
        upper=np.array([4.0]),
        integer=np.array([whole]),
        cost=np.array([cost]),
        matrix=sp.csr_matrix([[2.0]]),
        row_lower=np.array([2 * lower]),
        row_upper=np.array([np.inf]),
        constant=7.0,
        sense=sense,
    )


@pytest.mark.parametrize(("sense", "whole", "value"), [(1, False, 8.5), (1, True, 9.0), (-1, False, -11.0)])
def test_everything_goes_in_as_a_minimisation(sense: int, whole: bool, value: float) -> None:
    highs = load(program(sense=sense, whole=whole), SolverOptions())
    assert go(highs) is Termination.OPTIMAL
    assert highs.getInfo().objective_function_value == pytest.approx(value)


def test_a_run_outside_the_main_thread() -> None:
    said: list[Termination] = []
    thread = threading.Thread(target=lambda: said.append(go(load(program(lower=5.0), SolverOptions()))))
    thread.start()
    thread.join()
    assert said == [Termination.INFEASIBLE]


def test_before_a_run_nothing_is_known() -> None:
    assert termination_of(load(program(), SolverOptions())) is Termination.FAILED


def test_options_go_through_and_unknown_ones_are_mistakes() -> None:
    highs = load(program(), SolverOptions(threads=1, gap=0.25, seed=3, extra={"presolve": "off", "start": None}))
    wanted = ("threads", "mip_rel_gap", "random_seed", "presolve")
    assert [highs.getOptionValue(name)[1] for name in wanted] == [1, 0.25, 3, "off"]
    with pytest.raises(UsageError, match="no_such"):
        load(program(), SolverOptions(extra={"no_such": 1}))


def fractional(upper: float) -> MatrixProgram:
    """min t + 0.7 a + 0.3 b  s.t.  0.4 y + o >= 1,  z + y - 5 o = -0.35,  t - z + a >= 0,  t + b >= 0,  y whole <= ``upper``."""
    entries = [[0, 0, -0.4, -1, 0, 0], [0, 1, 1, -5, 0, 0], [1, -1, 0, 0, 1, 0], [1, 0, 0, 0, 0, 1]]
    return MatrixProgram(
        lower=np.array([-np.inf, -2000, 0, 0, 0, 0]),
        upper=np.array([np.inf, 2000, upper, 200, np.inf, np.inf]),
        integer=np.array([False, False, True, False, False, False]),
        cost=np.array([1, 0, 0, 0, 0.7, 0.3]),
        matrix=sp.csr_matrix(np.array(entries)),
        row_lower=np.array([-np.inf, -0.35, 0, 0]),
        row_upper=np.array([-1, -0.35, np.inf, np.inf]),
    )


def test_integers_with_fractional_bounds() -> None:
    # HiGHS 1.15.1 calls the first one infeasible, and the second one solved without a point.
    whole = load(fractional(6.0), SolverOptions())
    assert go(whole) is Termination.OPTIMAL
    highs = load(fractional(6.5), SolverOptions())
    assert go(highs) is Termination.OPTIMAL
    assert highs.getInfo().objective_function_value == pytest.approx(whole.getInfo().objective_function_value)
    other = MatrixProgram(
        lower=np.array([-2000.0, 0.0, 0.0, 0.0]),
        upper=np.array([2000.0, 4.6, 200.0, np.inf]),
        integer=np.array([False, True, False, False]),
        cost=np.array([0.0, 0.0, 0.0, -2.0]),
        matrix=sp.csr_matrix([[1.0, -0.3, 5.0, 0.0], [1.0, 0.0, 0.0, 1.0]]),
        row_lower=np.array([1.7486, 0.0]),
        row_upper=np.array([1.7486, np.inf]),
        sense=-1,
    )
    highs = load(other, SolverOptions())
    assert go(highs) is Termination.OPTIMAL and highs.getInfo().primal_solution_status == 2


def test_whole_bounds() -> None:
    integer = np.array([True, True, True, True, False])
    lower, upper = np.array([0.2, -np.inf, 3 + 1e-12, 0.2, 0.5]), np.array([4.9, np.inf, 7 - 1e-12, 0.8, 1.5])
    low, up = whole_bounds(lower, upper, integer)
    assert low.tolist() == [1.0, -np.inf, 3.0, 1.0, 0.5] and up.tolist() == [4.0, np.inf, 7.0, 0.0, 1.5]
    nowhere = fractional(0.8)
    nowhere.lower[2] = 0.2
    assert go(load(nowhere, SolverOptions())) is Termination.INFEASIBLE
