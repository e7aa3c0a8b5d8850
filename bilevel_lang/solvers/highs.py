"""HiGHS: LP, MILP and convex QP, through highspy and arrays.

The model always goes in as a minimisation (a maximisation negated), so signs are treated in one place: HiGHS gives
d(minimum)/d(side) for rows and columns, and ``sense`` turns that into the derivative of the model's own optimal value.
"""

from __future__ import annotations

import math
import sys
import threading
import time
from dataclasses import replace
from typing import Any

import numpy as np
import scipy.sparse as sp
from pyomo.common.collections import ComponentMap

from bilevel_lang.errors import SolverFailedError, UsageError
from bilevel_lang.solvers.features import features_of_program, hessian, require
from bilevel_lang.solvers.matrix import MatrixProgram, MatrixRun, settled_matrix
from bilevel_lang.solvers.program import Floats, Program, read_program
from bilevel_lang.solvers.settled import importable, load_module, proven, settled
from bilevel_lang.solvers.solver import Feature, Missing, SolverOptions, SolverRun, Termination

_MISSING = Missing("highspy is not installed", "pip install highspy")

TOLERANCES = {
    "primal_feasibility_tolerance": 1e-9,
    "dual_feasibility_tolerance": 1e-9,
    "mip_feasibility_tolerance": 1e-9,
    "mip_rel_gap": 1e-9,
    "mip_abs_gap": 1e-9,
    # HiGHS drops matrix entries up to this size; its default of 1e-9 would change models. 1e-12 is the smallest it accepts.
    "small_matrix_value": 1e-12,
    # HiGHS's QP solver adds this to the Hessian's diagonal, and fails on singular Hessians without it; see _undo_regularisation.
    "qp_regularization_value": 1e-7,
}
"""Options set for every run; ``SolverOptions`` and its ``extra`` override them."""

ROUNDS = 30
"""How often a QP is repeated to take HiGHS's regularisation out of its answer; two or three rounds are the rule."""

STATIONARITY = 1e-10
"""What the regularisation may leave in a QP's first-order conditions, relative to the largest linear cost (or 1)."""

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


class Highs:
    """The adapter; see the module's docstring. Any status not named above is FAILED, with HiGHS's own words as message."""

    name = "highs"
    features = frozenset({Feature.INTEGER, Feature.QUADRATIC_OBJECTIVE})
    excludes: tuple[frozenset[Feature], ...] = (frozenset({Feature.INTEGER, Feature.QUADRATIC_OBJECTIVE}),)
    proves = True

    def missing(self) -> Missing | None:
        """None where highspy can be imported."""
        return None if importable("highspy") else _MISSING

    def version(self) -> str:
        """``HiGHS 1.15.1``. Raises SolverMissingError."""
        return f"HiGHS {load_module('highspy', _MISSING).Highs().version()}"

    def run(self, model: Any, options: SolverOptions) -> SolverRun:
        """Solve ``model``. Duals and reduced costs come with an optimal LP or QP; a MILP has none."""
        started = time.perf_counter()
        name = self.version()
        program = read_program(model)
        require(self, features_of_program(program))
        run = settled(program, name)
        if run is None:
            found = _run(_arrays(program), options, name, started)
            run = _on_the_model(program, found)
        return run

    def run_matrix(self, program: MatrixProgram, options: SolverOptions) -> MatrixRun:
        """Solve a program given as arrays. Raises RefusedError for a feature that HiGHS lacks.

        ``options.extra["start"]``: values (n,) to begin a MILP from, NaN where there is none.
        """
        started = time.perf_counter()
        name = self.version()
        require(self, program.features())
        return settled_matrix(program, name) or _run(program, options, name, started)


def _run(program: MatrixProgram, options: SolverOptions, name: str, started: float) -> MatrixRun:
    highs = load(program, options)
    _start(highs, options.extra.get("start"))
    termination = _solve(highs, program, options, started)
    return _report(highs, program, termination, name, time.perf_counter() - started)


def _arrays(program: Program) -> MatrixProgram:
    """A linear or quadratic model that was read, as arrays."""
    n = len(program.variables)
    cost = np.zeros(n)
    cost[list(program.cost.linear)] = list(program.cost.linear.values())
    columns = [j for row in program.rows for j in row.form.linear]
    data = [c for row in program.rows for c in row.form.linear.values()]
    starts = np.cumsum([0] + [len(row.form.linear) for row in program.rows])
    return MatrixProgram(
        lower=program.lower,
        upper=program.upper,
        integer=program.integer,
        cost=cost,
        matrix=sp.csr_matrix((data, columns, starts), shape=(len(program.rows), n), dtype=float),
        row_lower=np.array([row.lower for row in program.rows], dtype=float),
        row_upper=np.array([row.upper for row in program.rows], dtype=float),
        constant=program.cost.constant,
        sense=program.sense,
        quadratic=hessian(program.cost, n) if program.cost.quadratic else None,
    )


def _on_the_model(program: Program, found: MatrixRun) -> SolverRun:
    """The run with values, duals and reduced costs on the model's own components."""
    duals = reduced = None
    if found.row_duals is not None and found.column_duals is not None:
        duals = ComponentMap((row.constraint, float(y)) for row, y in zip(program.rows, found.row_duals, strict=True))
        reduced = program.values(found.column_duals)
    return SolverRun(
        found.termination,
        found.solver,
        values=None if found.x is None else program.values(found.x),
        objective=found.objective,
        bound=found.bound,
        seconds=found.seconds,
        message=found.message,
        nodes=found.nodes,
        iterations=found.iterations,
        duals=duals,
        reduced_costs=reduced,
    )


def load(program: MatrixProgram, options: SolverOptions) -> Any:
    """A ``highspy.Highs`` that holds ``program``, not yet run. Raises UsageError for an option that HiGHS lacks."""
    highspy = load_module("highspy", _MISSING)
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
    lp.col_lower_, lp.col_upper_ = program.lower, program.upper
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


def _start(highs: Any, start: Floats | None) -> None:
    """Hand HiGHS a point to begin from; columns with NaN are left to it."""
    if start is None:
        return
    known = np.flatnonzero(np.isfinite(start)).astype(np.int32)
    highs.setSolution(len(known), known, np.asarray(start, dtype=float)[known])


def _solve(highs: Any, program: MatrixProgram, options: SolverOptions, started: float) -> Termination:
    """Run, and do not take HiGHS's word for unbounded where it is known to guess."""
    termination = _go(highs)
    if program.quadratic is not None and termination is Termination.OPTIMAL:
        termination = _undo_regularisation(highs, program, options, started)
    # A branch and bound calls a model unbounded when its relaxation is, before it knows of any integer point; the QP solver calls
    # a QP unbounded that ends far out.
    guess = termination is Termination.UNBOUNDED and (program.quadratic is not None or program.integer.any())
    if not guess and termination is not Termination.INFEASIBLE_OR_UNBOUNDED:
        return termination
    feasible = _feasible(program, _remaining(options, started))
    if feasible is not Termination.OPTIMAL:
        decided = feasible in (Termination.INFEASIBLE, Termination.INTERRUPTED)
        return feasible if decided else Termination.INFEASIBLE_OR_UNBOUNDED
    if program.quadratic is not None and not _runs_away(program):
        return Termination.FAILED
    return Termination.UNBOUNDED


def _feasible(program: MatrixProgram, options: SolverOptions) -> Termination:
    """What a run without objective, and without presolve, says: OPTIMAL means that the model has a point."""
    aimless = replace(program, cost=np.zeros(program.columns), constant=0.0, quadratic=None)
    feasibility = load(aimless, options)
    feasibility.setOptionValue("presolve", "off")
    return _go(feasibility)


def _remaining(options: SolverOptions, started: float) -> SolverOptions:
    if options.time_limit is None:
        return options
    return replace(options, time_limit=max(1e-3, options.time_limit - (time.perf_counter() - started)))


def _undo_regularisation(highs: Any, program: MatrixProgram, options: SolverOptions, started: float) -> Termination:
    """Repeat a QP with its regularisation centred at the last point until that changes nothing (the proximal point method).

    HiGHS minimises f + w/2 |x|^2 instead of f. Minimising f + w/2 |x - x_k|^2 again and again converges to a minimum of f, and
    w |x_k+1 - x_k| is what is left of the error in the first-order conditions. Where f has no minimum the points run away, so
    UNBOUNDED here means no more than that they did not settle.
    """
    weight = highs.getOptionValue("qp_regularization_value")[1]
    n = program.columns
    cost = program.sense * program.cost
    x, centre = np.asarray(highs.getSolution().col_value, dtype=float), np.zeros(n)
    for _ in range(ROUNDS):
        if weight * np.abs(x - centre).max() <= STATIONARITY * max(1.0, np.abs(cost).max()):
            return Termination.OPTIMAL
        if options.time_limit is not None:
            if time.perf_counter() - started >= options.time_limit:
                return Termination.LIMIT
            highs.setOptionValue("time_limit", highs.getRunTime() + options.time_limit - (time.perf_counter() - started))
        centre = x
        highs.changeColsCost(n, np.arange(n, dtype=np.int32), cost - weight * centre)
        termination = _go(highs)
        if termination is not Termination.OPTIMAL:
            return termination
        x = np.asarray(highs.getSolution().col_value, dtype=float)
    return Termination.UNBOUNDED


def _runs_away(program: MatrixProgram) -> bool:
    """Whether a feasible convex QP is unbounded: a direction that no row or bound stops, flat in Q, and downhill."""
    assert program.quadratic is not None
    flat = program.quadratic.tocsr()
    flat = flat[np.flatnonzero(np.diff(flat.indptr))]
    level = np.zeros(flat.shape[0])
    directions = replace(
        program,
        quadratic=None,
        lower=np.where(np.isfinite(program.lower), 0.0, -1.0),
        upper=np.where(np.isfinite(program.upper), 0.0, 1.0),
        matrix=sp.vstack([program.matrix, flat], format="csr"),
        row_lower=np.concatenate([np.where(np.isfinite(program.row_lower), 0.0, -math.inf), level]),
        row_upper=np.concatenate([np.where(np.isfinite(program.row_upper), 0.0, math.inf), level]),
    )
    highs = load(directions, SolverOptions())
    downhill = 1e-6 * max(1.0, np.abs(program.cost).max())
    return _go(highs) is Termination.OPTIMAL and bool(highs.getInfo().objective_function_value < -downhill)


def _go(highs: Any) -> Termination:
    """One run. Ctrl-C stops it (a second one raises KeyboardInterrupt: the QP solver does not look up from its work)."""
    if threading.current_thread() is not threading.main_thread():
        highs.run()
        return _termination(highs)
    highs.HandleUserInterrupt = True
    highs.startSolve()
    try:
        _wait(highs)
    except KeyboardInterrupt:
        highs.cancelSolve()
        _wait(highs)
        return Termination.INTERRUPTED
    return _termination(highs)


def _wait(highs: Any) -> None:
    # Highs.joinSolve would print to stdout and call exit(); this is its loop without those.
    while not highs.wait(0.1)[0]:
        pass


def _termination(highs: Any) -> Termination:
    return _STATUS.get(highs.getModelStatus().name, Termination.FAILED)


def _report(highs: Any, program: MatrixProgram, termination: Termination, name: str, seconds: float) -> MatrixRun:
    info = highs.getInfo()
    solution = highs.getSolution()
    x = np.asarray(solution.col_value, dtype=float)
    # 2 is kSolutionStatusFeasible; a stopped simplex may hold a point that is not.
    known = bool(solution.value_valid) and info.primal_solution_status == 2 and termination in _WITH_POINT
    objective = program.objective_at(x) if known else None
    exact = termination is Termination.OPTIMAL and not program.integer.any()
    dual = exact and bool(solution.dual_valid)
    return MatrixRun(
        termination,
        name,
        x=x if known else None,
        objective=objective,
        bound=_bound(program, termination, info, objective),
        seconds=seconds,
        message=_message(highs, termination),
        nodes=int(info.mip_node_count) if program.integer.any() and info.mip_node_count >= 0 else None,
        iterations=max(0, info.simplex_iteration_count) + max(0, info.ipm_iteration_count) + max(0, info.qp_iteration_count),
        row_duals=program.sense * np.asarray(solution.row_dual, dtype=float) if dual else None,
        column_duals=program.sense * np.asarray(solution.col_dual, dtype=float) if dual else None,
    )


def _message(highs: Any, termination: Termination) -> str:
    said = f"HiGHS: {highs.modelStatusToString(highs.getModelStatus())}"
    # Where more than one run was needed, the last word of the first is not the verdict.
    return said if _termination(highs) is termination else f"{termination.value}, found by further runs ({said})"


_WITH_POINT = (Termination.OPTIMAL, Termination.LIMIT, Termination.INTERRUPTED)


def _bound(program: MatrixProgram, termination: Termination, info: Any, objective: float | None) -> float | None:
    if termination not in _WITH_POINT:
        return None
    if program.integer.any():
        return proven(program.sense * float(info.mip_dual_bound))
    return objective if termination is Termination.OPTIMAL and objective is not None and math.isfinite(objective) else None
