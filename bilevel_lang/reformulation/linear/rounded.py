"""The test that an answer with binaries has to stand: solved once more with every pair decided, no binary left.

``left <= M z`` with z off by 1e-9 lets M * 1e-9 through; such a point satisfies the solver's tolerances and can be far better
than any true one. The piece that the answer chose has no M at all.
"""

from __future__ import annotations

from dataclasses import replace

from bilevel_lang.reformulation.linear.mpec import LinearMpec
from bilevel_lang.reformulation.linear.piece import SECONDS, piece_of
from bilevel_lang.solvers.features import why_not
from bilevel_lang.solvers.highs import Highs
from bilevel_lang.solvers.matrix import MatrixRun
from bilevel_lang.solvers.scip import Scip
from bilevel_lang.solvers.solver import SolverOptions, Termination

SAME = 1e-6
"""How far the objectives may differ, relative to max(1, |objective|): what two exact methods may differ by."""


def solved_on_its_piece(mpec: LinearMpec, run: MatrixRun, options: SolverOptions) -> MatrixRun:
    """``run`` with the point of its piece; a claim of optimality that the piece does not confirm is withdrawn, with a doubt.

    Each pair is decided by its smaller side. A run that claims nothing is left as it is.
    """
    if run.termination is not Termination.OPTIMAL or run.x is None or run.objective is None:
        return run
    piece = piece_of(mpec, run.x[: mpec.program.columns])
    solver = Highs() if why_not(Highs(), piece.features()) is None else Scip()
    limit = SECONDS if options.time_limit is None else min(SECONDS, options.time_limit)
    again = solver.run_matrix(piece, SolverOptions(time_limit=limit))
    run = replace(run, seconds=run.seconds + again.seconds)
    if again.termination is not Termination.OPTIMAL or again.x is None or again.objective is None:
        said = f"not trusted: with every pair decided as in the answer, {again.solver} says {again.termination.value}"
        return _withdrawn(run, said)
    return _compared(mpec.program.sense, run, replace(run, x=again.x, objective=again.objective))


def _compared(sense: int, claimed: MatrixRun, found: MatrixRun) -> MatrixRun:
    """``found`` on the piece, with a doubt where it is not what was ``claimed``."""
    assert claimed.objective is not None and found.objective is not None
    room = SAME * max(1.0, abs(claimed.objective))
    # A gap that was asked for leaves room between objective and bound; nothing is better than the bound.
    bound = claimed.objective if claimed.bound is None else claimed.bound
    if sense * (bound - found.objective) > room:
        said = f"within the same pairs the objective {found.objective:.8g} is reached, beyond the claimed bound {bound:.8g}"
        return replace(_withdrawn(found, f"not trusted: {said}"), bound=None)
    if sense * (found.objective - claimed.objective) > room:
        said = f"with every pair decided the objective is {found.objective:.8g}, not {claimed.objective:.8g}"
        return _withdrawn(found, f"not trusted: {said}")
    return found


def _withdrawn(run: MatrixRun, why: str) -> MatrixRun:
    mend = "raise or drop --big-m, or use --encoding sos1"
    return replace(run, termination=Termination.LOCALLY_OPTIMAL, doubts=(*run.doubts, f"{why}; {mend}"))
