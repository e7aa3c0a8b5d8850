"""A check on a solver's claim of optimality over SOS1 sets, on arrays; the reasons are those of
:mod:`bilevel_lang.reformulation.complementarity.second_opinion`."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import scipy.sparse as sp

from bilevel_lang.errors import SolverFailedError
from bilevel_lang.reformulation.complementarity.second_opinion import (
    BETTER,
    CALLED_INFEASIBLE,
    HUGE,
    LIMIT,
    UNCONFIRMED,
)
from bilevel_lang.reformulation.options import Options
from bilevel_lang.solvers.features import why_not
from bilevel_lang.solvers.highs import Highs
from bilevel_lang.solvers.matrix import MatrixProgram, MatrixRun, QuadraticRow, no_pairs
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.scip import CURVED, CURVED_FEASIBILITY_TOLERANCE, FEASIBILITY_TOLERANCE, Scip
from bilevel_lang.solvers.solver import SolverOptions, Termination

FAR = 1e5
"""How much better, relative to max(1, |objective|), a point far away is: on an unbounded problem it lies on a piece that is."""

Piece = Callable[[Floats], MatrixProgram]
"""The LP or QP of the piece that a point lies on."""


def run_with_second_opinion(
    program: MatrixProgram, solver: Scip, options: Options, start: Floats | None, piece: Piece
) -> MatrixRun:
    """Solve ``program``; a claim of optimality that nothing bounds is tested, and withdrawn where it fails.

    A point that is clearly better, or one far away, leads to its ``piece``; where that is unbounded the problem is, and that is a
    proof. A claim of infeasibility is tested likewise: there may be a point, of an unbounded problem. A claim over sides so large
    that SCIP's tolerance is no tolerance any more is withdrawn with a doubt.
    """
    return _within_reach(program, _solved(program, solver, options, start, piece))


def _within_reach(program: MatrixProgram, run: MatrixRun) -> MatrixRun:
    """``run``, without its claim where tolerance times the largest side of a pair is 1 or more.

    SCIP's cuts ``left / bound + right / bound <= 1`` say nothing then, or cut off what they should not: with a multiplier of 1e8
    SCIP 10.0.2 called a point optimal that is far from it.
    """
    if run.termination is not Termination.OPTIMAL or run.x is None or not _has_objective(program):
        return run
    sides = [*program.sos1.ravel().tolist(), *(each.column for each in program.indicators)]
    largest = float(run.x[sides].max(initial=0.0))
    limit = 1 / (CURVED_FEASIBILITY_TOLERANCE if program.features() & CURVED else FEASIBILITY_TOLERANCE)
    if largest < limit:
        return run
    said = f"not trusted: a slack or multiplier of {largest:.3g} is beyond what {run.solver} resolves ({limit:.0e})"
    return replace(run, termination=Termination.LOCALLY_OPTIMAL, bound=None, doubts=(*run.doubts, f"{said}; rescale the model"))


def _solved(program: MatrixProgram, solver: Scip, options: Options, start: Floats | None, piece: Piece) -> MatrixRun:
    wanted = options.for_solver()
    if start is not None:
        wanted = replace(wanted, extra={**wanted.extra, "start": start})
    run = solver.run_matrix(program, wanted)
    if run.termination is Termination.INFEASIBLE_OR_UNBOUNDED and _has_objective(program):
        return _told_apart(program, run, solver, options, piece)
    if run.termination is Termination.INFEASIBLE and _has_objective(program) and not _needs_no_test(program, options):
        return _confirmed(program, run, solver, options, piece)
    if run.termination is not Termination.OPTIMAL or run.objective is None or not _has_objective(program):
        return run
    if abs(run.objective) >= HUGE:
        said = f"{run.solver} stopped at the objective {run.objective:.3g}: the problem is probably unbounded"
        return replace(run, termination=Termination.FAILED, x=None, objective=None, bound=None, message=said)
    if _needs_no_test(program, options):
        return run
    return _tested(program, run, solver, options, piece)


def _has_objective(program: MatrixProgram) -> bool:
    return bool(program.cost.any()) or program.quadratic is not None


def _without_objective(program: MatrixProgram) -> MatrixProgram:
    return replace(program, cost=np.zeros(program.columns), constant=0.0, quadratic=None)


def _time_left(run: MatrixRun, options: Options) -> float:
    return LIMIT if options.time_limit is None else max(0.1, options.time_limit - run.seconds)


def _told_apart(program: MatrixProgram, run: MatrixRun, solver: Scip, options: Options, piece: Piece) -> MatrixRun:
    """Infeasible or unbounded? Without the objective only one of the two is left."""
    second = solver.run_matrix(_without_objective(program), options.for_solver(_time_left(run, options)))
    seconds = run.seconds + second.seconds
    if second.termination is Termination.INFEASIBLE:
        return replace(run, termination=Termination.INFEASIBLE, seconds=seconds)
    if second.x is None:
        return replace(run, seconds=seconds)
    found = Termination.UNBOUNDED if _runs_away(program, second.x, run, solver, options, piece) else run.termination
    return replace(run, termination=found, seconds=seconds)


def _confirmed(program: MatrixProgram, run: MatrixRun, solver: Scip, options: Options, piece: Piece) -> MatrixRun:
    """Infeasible, says SCIP 10.0.2 of some unbounded problems: is there no point without the objective either?"""
    second = solver.run_matrix(_without_objective(program), options.for_solver(_time_left(run, options)))
    seconds = run.seconds + second.seconds
    if second.termination is Termination.INFEASIBLE:
        return replace(run, seconds=seconds)
    if second.x is None:
        return replace(run, termination=second.termination, seconds=seconds, message=f"{run.solver} {UNCONFIRMED}")
    if _runs_away(program, second.x, run, solver, options, piece):
        return _unbounded(run, seconds)
    said = f"{run.solver} {CALLED_INFEASIBLE}"
    return replace(run, termination=Termination.FAILED, seconds=seconds, message=said)


def _runs_away(program: MatrixProgram, x: Floats, run: MatrixRun, solver: Scip, options: Options, piece: Piece) -> bool:
    """Whether HiGHS proves the piece of ``x`` unbounded, or that of a point whose objective is far better."""
    if _is_unbounded(piece(x), run, options):
        return True
    objective = float(program.cost @ x) + program.constant
    level = objective - program.sense * FAR * max(1.0, abs(objective))
    if program.quadratic is not None:  # a far level would be a row with coefficients of every size
        return False
    try:
        plain = replace(options, solver_options={}).for_solver(_time_left(run, options))
        far = solver.run_matrix(better_than(program, level), plain)
    except SolverFailedError:  # nothing is claimed of it then
        return False
    return far.x is not None and _is_unbounded(piece(far.x), run, options)


def _is_unbounded(piece: MatrixProgram, run: MatrixRun, options: Options) -> bool:
    highs = Highs()
    if why_not(highs, piece.features()) is not None:
        return False
    limit = SolverOptions(time_limit=_time_left(run, options))
    return bool(highs.run_matrix(piece, limit).termination is Termination.UNBOUNDED)


def _needs_no_test(program: MatrixProgram, options: Options) -> bool:
    """Whether the relaxation is bounded for sure."""
    return _bounded_by_columns(program) or _bounded_without_sets(program, options)


def _bounded_by_columns(program: MatrixProgram) -> bool:
    """Whether the columns' own bounds bound the linear objective on its good side."""
    if program.quadratic is not None:
        return False
    cost = program.sense * program.cost
    used = cost != 0
    return bool(np.isfinite(np.where(cost > 0, program.lower, program.upper)[used]).all())


def _bounded_without_sets(program: MatrixProgram, options: Options) -> bool:
    """Whether the LP or QP without SOS1 sets, quadratic rows and integrality has a finite optimum, or not even a point."""
    highs = Highs()
    whole = np.zeros(program.columns, dtype=bool)
    relaxed = replace(program, sos1=no_pairs(), indicators=(), quadratic_rows=(), integer=whole)
    if why_not(highs, relaxed.features()) is not None:
        return False
    limit = LIMIT if options.time_limit is None else min(LIMIT, options.time_limit)
    found = highs.run_matrix(relaxed, SolverOptions(time_limit=limit)).termination
    return found in (Termination.OPTIMAL, Termination.INFEASIBLE)


def better_than(program: MatrixProgram, level: float) -> MatrixProgram:
    """``program`` without an objective, and with the row that its objective is at least as good as ``level``."""
    low, up = (-math.inf, level - program.constant) if program.sense > 0 else (level - program.constant, math.inf)
    aimless = _without_objective(program)
    if program.quadratic is None:
        return replace(
            aimless,
            matrix=sp.vstack([program.matrix, sp.csr_matrix(program.cost)], format="csr"),
            row_lower=np.append(program.row_lower, low),
            row_upper=np.append(program.row_upper, up),
        )
    upper = sp.triu(program.quadratic, format="coo")
    used = np.flatnonzero(program.cost)
    row = QuadraticRow(
        low,
        up,
        used,
        program.cost[used],
        np.column_stack([upper.row, upper.col]).astype(np.int64),
        np.where(upper.row == upper.col, 0.5, 1.0) * upper.data,
    )
    return replace(aimless, quadratic_rows=(*program.quadratic_rows, row))


def _tested(program: MatrixProgram, run: MatrixRun, solver: Scip, options: Options, piece: Piece) -> MatrixRun:
    assert run.objective is not None
    level = run.objective - program.sense * BETTER * max(1.0, abs(run.objective))
    try:
        plain = replace(options, solver_options={}).for_solver(_time_left(run, options))
        second = solver.run_matrix(better_than(program, level), plain)
    except SolverFailedError as error:
        second = MatrixRun(Termination.FAILED, run.solver, message=error.diagnostics[0].message)
    seconds = run.seconds + second.seconds
    if second.termination is Termination.INFEASIBLE:
        return replace(run, seconds=seconds)
    if second.x is not None and _runs_away(program, second.x, run, solver, options, piece):
        return _unbounded(run, seconds)
    if second.x is not None:
        claim = f"{run.solver} called {run.objective:.8g} optimal"
        said = f"{claim}, and a clearly better point exists: the problem is probably unbounded"
        return replace(run, termination=Termination.FAILED, x=None, objective=None, bound=None, seconds=seconds, message=said)
    said = f"{run.solver} calls this optimal, but nothing bounds the relaxation and the claim could not be confirmed"
    return replace(run, termination=Termination.LOCALLY_OPTIMAL, bound=None, seconds=seconds, message=said)


def _unbounded(run: MatrixRun, seconds: float) -> MatrixRun:
    said = f"{run.solver}: a piece of the problem is unbounded"
    return replace(run, termination=Termination.UNBOUNDED, x=None, objective=None, bound=None, seconds=seconds, message=said)
