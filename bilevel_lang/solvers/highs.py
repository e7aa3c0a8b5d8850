"""HiGHS: LP, MILP and convex QP, through highspy and arrays.

The model always goes in as a minimisation (a maximisation negated), so signs are treated in one place: HiGHS gives
d(minimum)/d(side) for rows and columns, and ``sense`` turns that into the derivative of the model's own optimal value.
"""

from __future__ import annotations

import functools
import math
import time
from dataclasses import replace
from typing import Any

import numpy as np
import scipy.sparse as sp
from pyomo.common.collections import ComponentMap

from bilevel_lang.solvers.features import features_of_program, require
from bilevel_lang.solvers.highs_instance import MISSING, go, load, termination_of
from bilevel_lang.solvers.matrix import MatrixProgram, MatrixRun, arrays_of, settled_matrix
from bilevel_lang.solvers.program import Floats, Program
from bilevel_lang.solvers.program_reading import read_program
from bilevel_lang.solvers.settled import importable, load_module, proven, settled
from bilevel_lang.solvers.solver import Feature, Missing, SolverOptions, SolverRun, Termination

ROUNDS = 30
"""How often a QP is repeated to take HiGHS's regularisation out of its answer; two or three rounds are the rule."""

STATIONARITY = 1e-10
"""What the regularisation may leave in a QP's first-order conditions, relative to the largest linear cost (or 1)."""

OTHER_WEIGHTS = (1e-9, 1e-3, 1e-5)
"""Regularisations tried in turn where the QP solver fails or cycles with the usual one. HiGHS 1.15.1 does so on 17 of 600 random
problems with degenerate QPs, on one of them at the first two of these as well."""


class Highs:
    """The adapter; see the module's docstring. Where HiGHS does not know, the run is FAILED, with its own words as message."""

    name = "highs"
    features = frozenset({Feature.INTEGER, Feature.QUADRATIC_OBJECTIVE})
    excludes: tuple[frozenset[Feature], ...] = (frozenset({Feature.INTEGER, Feature.QUADRATIC_OBJECTIVE}),)
    proves = True

    def missing(self) -> Missing | None:
        """None where highspy can be imported."""
        return None if importable("highspy") else MISSING

    def version(self) -> str:
        """``HiGHS 1.15.1``. Raises SolverMissingError."""
        return _version(load_module("highspy", MISSING))

    def run(self, model: Any, options: SolverOptions) -> SolverRun:
        """Solve ``model``. Duals and reduced costs come with an optimal LP or QP; a MILP has none."""
        started = time.perf_counter()
        return self._run_read(read_program(model), options, started)

    def run_program(self, program: Program, options: SolverOptions) -> SolverRun:
        """:meth:`run` for a model that has been read already."""
        return self._run_read(program, options, time.perf_counter())

    def _run_read(self, program: Program, options: SolverOptions, started: float) -> SolverRun:
        name = self.version()
        require(self, features_of_program(program))
        run = settled(program, name)
        if run is None:
            found = _run(arrays_of(program), options, name, started)
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


@functools.cache
def _version(library: Any) -> str:
    """Asked once: the answer takes a whole instance."""
    return f"HiGHS {library.Highs().version()}"


def _run(program: MatrixProgram, options: SolverOptions, name: str, started: float) -> MatrixRun:
    highs, termination = _attempt(program, options)
    if program.quadratic is not None and "qp_regularization_value" not in options.extra:
        for weight in OTHER_WEIGHTS:
            if not _stuck(highs, termination):
                break
            other = replace(_remaining(options, started), extra={**options.extra, "qp_regularization_value": weight})
            highs, termination = _attempt(program, other)
    return _report(highs, program, termination, name, time.perf_counter() - started)


def _attempt(program: MatrixProgram, options: SolverOptions) -> tuple[Any, Termination]:
    highs = load(program, options)
    _start(highs, options.extra.get("start"))
    return highs, _solve(highs, program, options, time.perf_counter())


def _stuck(highs: Any, termination: Termination) -> bool:
    """Whether the QP solver gave up, for another reason than the time."""
    cycled = termination is Termination.LIMIT and highs.getModelStatus().name == "kIterationLimit"
    return cycled or termination is Termination.FAILED


def _on_the_model(program: Program, found: MatrixRun) -> SolverRun:
    """The run with values, duals and reduced costs on the model's own components."""
    duals = reduced = None
    if found.row_duals is not None and found.column_duals is not None:
        duals = ComponentMap((row.constraint, float(y)) for row, y in zip(program.rows, found.row_duals, strict=True))
        reduced = program.values(found.column_duals)
    values = None if found.x is None else program.values(found.x)
    return replace(found.on_components(values), duals=duals, reduced_costs=reduced)


def _start(highs: Any, start: Floats | None) -> None:
    """Hand HiGHS a point to begin from; columns with NaN are left to it."""
    if start is None:
        return
    known = np.flatnonzero(np.isfinite(start)).astype(np.int32)
    highs.setSolution(len(known), known, np.asarray(start, dtype=float)[known])


def _solve(highs: Any, program: MatrixProgram, options: SolverOptions, started: float) -> Termination:
    """Run, and do not take HiGHS's word for unbounded where it is known to guess."""
    termination = go(highs)
    if program.quadratic is not None and termination is Termination.OPTIMAL:
        termination = undo_regularisation(highs, program, options, started)
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
    return go(feasibility)


def _remaining(options: SolverOptions, started: float) -> SolverOptions:
    if options.time_limit is None:
        return options
    return replace(options, time_limit=max(1e-3, options.time_limit - (time.perf_counter() - started)))


def undo_regularisation(highs: Any, program: MatrixProgram, options: SolverOptions, started: float) -> Termination:
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
        termination = go(highs)
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
    return go(highs) is Termination.OPTIMAL and bool(highs.getInfo().objective_function_value < -downhill)


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
    return said if termination_of(highs) is termination else f"{termination.value}, found by further runs ({said})"


_WITH_POINT = (Termination.OPTIMAL, Termination.LIMIT, Termination.INTERRUPTED)


def _bound(program: MatrixProgram, termination: Termination, info: Any, objective: float | None) -> float | None:
    if termination not in _WITH_POINT:
        return None
    if program.integer.any():
        return proven(program.sense * float(info.mip_dual_bound))
    return objective if termination is Termination.OPTIMAL and objective is not None and math.isfinite(objective) else None
