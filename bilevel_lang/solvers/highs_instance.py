"""One instance of HiGHS: a program of arrays passed to it, and a run that hears Ctrl-C.

The model always goes in as a minimisation (a maximisation negated).
"""

from __future__ import annotations

import sys
import threading
from typing import Any

import numpy as np
import scipy.sparse as sp

from bilevel_lang.errors import SolverFailedError, UsageError
from bilevel_lang.solvers.matrix import Flags, MatrixProgram
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.settled import load_module
from bilevel_lang.solvers.solver import Missing, SolverOptions, Termination

MISSING = Missing("highspy is not installed", "pip install highspy")

TOLERANCES = {
    "primal_feasibility_tolerance": 1e-9,
    "dual_feasibility_tolerance": 1e-9,
    "mip_feasibility_tolerance": 1e-9,
    "mip_rel_gap": 1e-9,
    "mip_abs_gap": 1e-9,
    # HiGHS drops matrix entries up to this size; its default of 1e-9 would change models. 1e-12 is the smallest it accepts.
    "small_matrix_value": 1e-12,
    # HiGHS's QP solver adds this to the Hessian's diagonal, and fails on singular Hessians without it; the adapter takes it out
    # of the answer again.
    "qp_regularization_value": 1e-7,
}
"""Options set for every run; ``SolverOptions`` and its ``extra`` override them."""

ROUNDING = 1e-9
"""What a bound of an integer column may be beyond a whole number, relative to max(1, its size), and still be that number."""

_STATUS = {
    "kOptimal": Termination.OPTIMAL,
    "kInfeasible": Termination.INFEASIBLE,
    "kUnbounded": Termination.UNBOUNDED,
    "kUnboundedOrInfeasible": Termination.INFEASIBLE_OR_UNBOUNDED,
    "kTimeLimit": Termination.LIMIT,
    "kIterationLimit": Termination.LIMIT,
    "kSolutionLimit": Termination.LIMIT,
    "kMemoryLimit": Termination.LIMIT,
    "kObjectiveBound": Termination.LIMIT,
    "kObjectiveTarget": Termination.LIMIT,
    "kInterrupt": Termination.INTERRUPTED,
    "kHighsInterrupt": Termination.INTERRUPTED,
}


QP_ITERATIONS, QP_ITERATIONS_EACH = 5_000, 50
"""Iterations of the QP solver: some, and some for each row and column. HiGHS 1.15.1 cycles without end on a few degenerate QPs (7
columns, costs of 1e4 beside 1), and it sets itself no limit. Ordinary QPs need a few for each row and column."""


def load(program: MatrixProgram, options: SolverOptions) -> Any:
    """A ``highspy.Highs`` that holds ``program``, not yet run. Raises UsageError for an option that HiGHS lacks."""
    highspy = load_module("highspy", MISSING)
    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    for key, setting in _settings(options).items():
        if highs.setOptionValue(key, setting) == highspy.HighsStatus.kError:
            raise UsageError(
                f"HiGHS has no option '{key}' that takes the value {setting!r}", help="see the list of HiGHS options"
            )
    if options.verbose:
        highs.cbLogging += lambda event: sys.stderr.write(event.message)
        highs.setOptionValue("log_to_console", False)
        highs.setOptionValue("output_flag", True)
    if program.quadratic is not None and "qp_iteration_limit" not in options.extra:
        highs.setOptionValue("qp_iteration_limit", QP_ITERATIONS + QP_ITERATIONS_EACH * (program.rows + program.columns))
    _pass(highspy, highs, program)
    return highs


def _settings(options: SolverOptions) -> dict[str, Any]:
    settings: dict[str, Any] = dict(TOLERANCES)
    wanted = {
        "time_limit": options.time_limit,
        "mip_rel_gap": options.gap,
        "threads": options.threads,
        "random_seed": options.seed,
    }
    settings.update({key: setting for key, setting in wanted.items() if setting is not None})
    settings.update({key: setting for key, setting in options.extra.items() if key != "start"})
    return settings


def _pass(highspy: Any, highs: Any, program: MatrixProgram) -> None:
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = program.columns, program.rows
    lp.col_cost_ = program.sense * program.cost
    lp.offset_ = program.sense * program.constant
    lp.col_lower_, lp.col_upper_ = whole_bounds(program.lower, program.upper, program.integer)
    lp.row_lower_, lp.row_upper_ = program.row_lower, program.row_upper
    matrix = program.matrix.tocsc()
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = matrix.indptr, matrix.indices, matrix.data
    if program.integer.any():
        kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
        lp.integrality_ = [kinds[int(flag)] for flag in program.integer]
    whole = highspy.HighsModel()
    whole.lp_ = lp
    if program.quadratic is not None:
        lower = sp.tril(program.sense * program.quadratic, format="csc")
        whole.hessian_.dim_ = program.columns
        whole.hessian_.format_ = highspy.HessianFormat.kTriangular
        whole.hessian_.start_, whole.hessian_.index_, whole.hessian_.value_ = lower.indptr, lower.indices, lower.data
    if highs.passModel(whole) == highspy.HighsStatus.kError:
        raise SolverFailedError(
            "HiGHS does not accept the model's numbers", help="look for coefficients of 1e15 or more; rescale the model"
        )


def whole_bounds(lower: Floats, upper: Floats, integer: Flags) -> tuple[Floats, Floats]:
    """The bounds with those of the ``integer`` columns at whole numbers, inwards; all (n,), crossed where none lies between.

    HiGHS 1.15.1 calls feasible MILPs infeasible, or solved without a point, where a bound of an integer column is fractional.
    """
    if not integer.any():
        return lower, upper
    room = ROUNDING * np.maximum(1.0, np.abs(np.where(np.isfinite(lower), lower, 0.0)))
    raised = np.where(integer, np.ceil(lower - room), lower)
    room = ROUNDING * np.maximum(1.0, np.abs(np.where(np.isfinite(upper), upper, 0.0)))
    return raised, np.where(integer, np.floor(upper + room), upper)


def go(highs: Any) -> Termination:
    """One run. Ctrl-C stops it (a second one raises KeyboardInterrupt: the QP solver does not look up from its work)."""
    if threading.current_thread() is not threading.main_thread():
        highs.run()
        return termination_of(highs)
    highs.HandleUserInterrupt = True
    highs.startSolve()
    try:
        _wait(highs)
    except KeyboardInterrupt:
        highs.cancelSolve()
        _wait(highs)
        return Termination.INTERRUPTED
    return termination_of(highs)


def _wait(highs: Any) -> None:
    # Highs.joinSolve would print to stdout and call exit(); this is its loop without those.
    while not highs.wait(0.1)[0]:
        pass


def termination_of(highs: Any) -> Termination:
    """What the last run says. Any status that is not named above is FAILED."""
    return _STATUS.get(highs.getModelStatus().name, Termination.FAILED)
