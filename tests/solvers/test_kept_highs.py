from __future__ import annotations

import math
import time

import numpy as np
import pytest
import scipy.sparse as sp

from bilevel_lang.errors import SolverFailedError, UsageError
from bilevel_lang.solvers.kept_highs import KeptHighs
from bilevel_lang.solvers.matrix import MatrixProgram
from bilevel_lang.solvers.solver import SolverOptions
from tests.solvers.test_highs_instance import fractional


class Kept(KeptHighs):
    """What the two classes on top of it can see."""

    def objective(self) -> float:
        self._highs.run()
        return float(self._highs.getInfo().objective_function_value)

    def solved(self) -> bool:
        return bool(self._highs.getModelStatus().name == "kOptimal")

    def setting(self, name: str) -> object:
        return self._highs.getOptionValue(name)[1]

    def time_is_left(self) -> bool:
        return self._time_is_left()

    def gave_up(self) -> SolverFailedError:
        return self._gave_up("this")


def knapsack() -> MatrixProgram:
    """min -3a - 2b s.t. a + b <= 4, 0 <= a, b <= 3: -11 at (3, 1)."""
    return MatrixProgram(
        lower=np.zeros(2),
        upper=np.full(2, 3.0),
        integer=np.zeros(2, dtype=bool),
        cost=np.array([-3.0, -2.0]),
        matrix=sp.csr_matrix(np.ones((1, 2))),
        row_lower=np.array([-np.inf]),
        row_upper=np.array([4.0]),
    )


def test_changes_hold_until_the_next_and_the_program_given_stays_as_it_was() -> None:
    program = knapsack()
    kept = Kept(program, SolverOptions(), None)
    assert kept.objective() == pytest.approx(-11.0)
    kept.set_bounds(np.zeros(2), np.array([1.0, 3.0]))
    assert kept.objective() == pytest.approx(-9.0)
    kept.set_cost(np.array([0.0, -5.0]))
    assert kept.objective() == pytest.approx(-15.0)
    kept.set_bounds(np.zeros(2), np.array([1.0, 2.0]))
    assert kept.objective() == pytest.approx(-10.0)
    kept.set_bounds(program.lower, program.upper)
    kept.set_cost(program.cost)
    assert kept.objective() == pytest.approx(-11.0)
    assert program.upper.tolist() == [3.0, 3.0] and program.cost.tolist() == [-3.0, -2.0]


def test_quiet_and_without_the_limits_of_the_whole_solve(capfd: pytest.CaptureFixture[str]) -> None:
    options = SolverOptions(time_limit=1e-9, gap=0.5, threads=8, verbose=True, extra={"start": np.ones(2), "presolve": "on"})
    kept = Kept(knapsack(), options, None, {"presolve": "off"})
    assert kept.objective() == pytest.approx(-11.0)
    assert (kept.setting("threads"), kept.setting("presolve"), kept.setting("time_limit")) == (1, "off", math.inf)
    assert capfd.readouterr() == ("", "")


def test_the_clock() -> None:
    assert not Kept(knapsack(), SolverOptions(), None).out_of_time()
    late = Kept(knapsack(), SolverOptions(), time.perf_counter() - 1.0)
    assert late.out_of_time() and not late.time_is_left()
    early = Kept(knapsack(), SolverOptions(), time.perf_counter() + 1000.0)
    assert not early.out_of_time() and early.time_is_left()
    left = early.setting("time_limit")
    assert isinstance(left, float) and 0.0 < left <= 1001.0


def test_errors_have_the_mend() -> None:
    with pytest.raises(UsageError, match="no_such_option"):
        Kept(knapsack(), SolverOptions(extra={"no_such_option": 1}), None)
    kept = Kept(knapsack(), SolverOptions(), None)
    kept.objective()
    assert "HiGHS could not solve this: Optimal\nhelp: rescale the model" in str(kept.gave_up())


def test_new_bounds_of_integers_may_be_fractional() -> None:
    # HiGHS 1.15.1 calls this program infeasible where 6.5 is handed to it.
    program = fractional(6.0)
    expected = Kept(program, SolverOptions(), None).objective()
    kept = Kept(program, SolverOptions(), None)
    kept.set_bounds(program.lower, fractional(6.5).upper)
    assert kept.objective() == pytest.approx(expected) and kept.solved()
