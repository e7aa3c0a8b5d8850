"""One piece of an MPEC on arrays: every pair decided, so that an LP or QP is left."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bilevel_lang.reformulation.linear.mpec import LinearMpec
from bilevel_lang.solvers.highs import Highs
from bilevel_lang.solvers.matrix import Flags, Ints, MatrixProgram, MatrixRun
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.solver import Feature, SolverOptions, Termination

SAME = 1e-8
"""How much worse the polished objective may be, relative to max(1, |objective|): more would open the gap to the bound."""

LOOSE = 1e-5
"""The same after a solve that was complementary to a tolerance only: what that tolerance bought is given back."""

CLEAN = 1e-8
"""Largest violation of a polished point, relative to max(1, |side|)."""

SECONDS = 5.0
"""What polishing may take."""


def pinned(program: MatrixProgram, columns: Ints) -> MatrixProgram:
    """``program`` with ``columns`` at 0 (they are >= 0 already)."""
    upper = program.upper.copy()
    upper[columns] = 0.0
    return replace(program, upper=upper)


def smaller_sides(mpec: LinearMpec, x: Floats) -> Ints:
    """Of every pair the column that is smaller at ``x``; the left one where they are equal."""
    left_is_smaller = x[mpec.left] <= x[mpec.right]
    return np.where(left_is_smaller, mpec.left, mpec.right)


def with_integers_fixed(program: MatrixProgram, x: Floats) -> MatrixProgram:
    """``program`` with its integer columns fixed at the whole numbers next to ``x``, and none left."""
    whole: Flags = program.integer
    lower, upper = program.lower.copy(), program.upper.copy()
    lower[whole] = upper[whole] = np.round(x[whole])
    return replace(program, lower=lower, upper=upper, integer=np.zeros(program.columns, dtype=bool))


def piece_of(mpec: LinearMpec, x: Floats) -> MatrixProgram:
    """The LP or QP of the piece that ``x`` lies on, integers fixed where they are; columns beyond the program's are left out."""
    x = x[: mpec.program.columns]
    program = pinned(mpec.program, smaller_sides(mpec, x))
    return with_integers_fixed(program, x) if program.integer.any() else program


def polished(mpec: LinearMpec, run: MatrixRun, options: SolverOptions, always: bool = False) -> MatrixRun:
    """``run`` with its point solved again on its piece by HiGHS where that gives it more digits; bound and claim stay.

    Quadratic objectives are flat at their optimum: 1e-7 in the objective is 3e-4 in the variables. Taken only if the new point
    is feasible to ``CLEAN`` and no worse than ``SAME``; programs that HiGHS cannot take stay as they are. Linear objectives need
    it only (``always``) after a solve that did not hold the sides of pairs at 0 exactly.
    """
    if run.termination is not Termination.OPTIMAL or run.x is None or run.objective is None:
        return run
    program = mpec.program
    if program.quadratic is None and not always:
        return run
    if program.features() & {Feature.NONCONVEX_OBJECTIVE, Feature.QUADRATIC_ROWS}:
        return run
    limit = SECONDS if options.time_limit is None else min(SECONDS, options.time_limit)
    x = run.x[: program.columns]
    again = Highs().run_matrix(piece_of(mpec, x), SolverOptions(time_limit=limit))
    if again.termination is not Termination.OPTIMAL or again.x is None or again.objective is None:
        return run
    allowed = LOOSE if always else SAME
    worse = program.sense * (again.objective - run.objective) > allowed * max(1.0, abs(run.objective))
    if worse or program.violation(again.x) > CLEAN:
        return run
    return replace(run, x=again.x, objective=again.objective, seconds=run.seconds + again.seconds)
