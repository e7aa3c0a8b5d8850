from __future__ import annotations

import threading

import numpy as np
import pytest
import scipy.sparse as sp

from bilevel_lang.errors import UsageError
from bilevel_lang.solvers.highs_instance import go, load, termination_of
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
