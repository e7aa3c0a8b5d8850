"""Branch and bound of our own: warm LPs of HiGHS, clauses learned from the agents' multipliers. No big-M, no SCIP.

Formulation: none; the search decides pair after pair. Where the leader's objective is linear and all variables are continuous see
:mod:`bilevel_lang.reformulation.linear.branching.tree`: every bound is an LP's and every clause has a certificate. A convex
quadratic objective and integers of the leader go to :mod:`bilevel_lang.reformulation.linear.branching.violated_pairs`.
Accepts: MPECs with linear rows and conditions whose relaxations are LPs or convex QPs. Exactness: exact.

Left to the engine, the search stops after a counted effort, and SCIP goes on from its best point over SOS1 sets: most problems
need no tree worth the name, and for the others SCIP's nodes are quicker than ours.
Reference: Hu, Mitchell, Pang, Bennett and Kunapuli 2008, SIAM J. Optim. 19:445; Hansen, Jaumard and Savard 1992, SIAM J. Sci.
Stat. Comput. 13:1194; Bard and Moore 1990, SIAM J. Sci. Stat. Comput. 11:281.
"""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from bilevel_lang.errors import RefusedError, SolverFailedError
from bilevel_lang.reformulation.linear.branching.search import search
from bilevel_lang.reformulation.linear.branching.tree import Effort
from bilevel_lang.reformulation.linear.branching.violated_pairs import search_pairs, takes
from bilevel_lang.reformulation.linear.encoding import EncodedArrays
from bilevel_lang.reformulation.linear.mpec import LinearMpec
from bilevel_lang.reformulation.linear.sos1 import LinearSos1
from bilevel_lang.reformulation.options import Options
from bilevel_lang.solution import Exactness
from bilevel_lang.solvers.matrix import MatrixRun
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.solver import SolverOptions, Termination

FIRST_EFFORT = Effort(nodes=150, iterations=200_000, trial=20, promising=0.15)
"""What the search may do before SCIP takes over. Of the random problems of ``benchmarks/lplp`` it solves the plain ones, which
need up to some 80 nodes and are within 10 % after 20. The harder families are at 30 % and more there: SCIP is quicker then."""

ITERATIONS_A_COLUMN = 10
"""What the search may do at least of simplex iterations, by the size of its LP: the first LP of a large problem takes 200,000."""

QUADRATIC_EFFORT = Effort(nodes=60, iterations=20_000)
"""The same for a quadratic objective, whose QPs start anew at every node."""

SHARE = 0.5
"""Of a time limit, the part that the search may take before SCIP takes over."""

CONTRADICTION = 1e-5
"""How much worse than a known point a proven bound may be (relative to max(1, |objective|)): the two searches' tolerances."""

PRUNING = {
    "constraints/SOS1/perfimplanalysis": True,
    "constraints/SOS1/depthimplanalysis": 3,
    "constraints/SOS1/branchingrule": "b",
    "constraints/SOS1/autosos1branch": False,
    "separating/maxrounds": 0,
    "separating/maxroundsroot": 0,
}
"""SCIP's parameters for what is left: implications between sets, bipartite branching, no cuts. On nine hard random problems of
20 and 30 rows it needs half to a thirtieth of the nodes of its defaults."""


class LinearBranch:
    """Pairs decided by a search."""

    name = "branch"
    solvers: tuple[str, ...] = ("highs",)

    def encode(self, mpec: LinearMpec, solver: str, options: Options) -> EncodedArrays:
        """Nothing to add. Raises RefusedError for relaxations that HiGHS does not take."""
        reason = takes(mpec.program)
        if reason is not None:
            raise RefusedError(f"`branch` solves LPs and convex QPs, and {reason}", "use `--encoding sos1`")
        linear = why_no_lp(mpec) is None
        alone = options.encoding == self.name or options.solver is not None

        def run(wanted: Options, start: Floats | None) -> MatrixRun:
            if not alone:
                return _handed_over(mpec, wanted, start, options)
            if not linear:
                return search_pairs(mpec, wanted.for_solver(), start)
            found = search(mpec.program, mpec.left, mpec.right, wanted.for_solver())
            # Without a bound on its relaxation the quick search cannot begin; the other one can.
            return search_pairs(mpec, wanted.for_solver(), start) if found.termination is Termination.FAILED else found

        notes = () if alone else ("SCIP with SOS1 sets goes on where a short search is not enough",)
        return EncodedArrays(Exactness.EXACT, solver, run, notes=notes)


def why_no_lp(mpec: LinearMpec) -> str | None:
    """Why the relaxation of ``mpec`` is no LP; None where it is one."""
    program = mpec.program
    if program.integer.any():
        return f"`{mpec.column_name(int(program.integer.nonzero()[0][0]))}` is integer"
    if program.quadratic is not None and program.quadratic.nnz:
        return "the leader's objective is quadratic"
    return "a row is quadratic" if program.quadratic_rows else None


def _handed_over(mpec: LinearMpec, wanted: Options, start: Floats | None, options: Options) -> MatrixRun:
    """The search, then SCIP from its best point if it has not come to an end."""
    first = _search_or_nothing(mpec, wanted, start)
    if first.termination not in (Termination.LIMIT, Termination.FAILED):
        return first
    left = None if wanted.time_limit is None else max(0.1, wanted.time_limit - first.seconds)
    # Only where the relaxation is known to be bounded: without it SCIP 10.0.2 with `autosos1branch` off calls unbounded problems
    # infeasible now and then.
    bounded = first.bound is not None and np.isfinite(first.bound)
    pruning = PRUNING if bounded and mpec.program.quadratic is None else {}
    rest = replace(wanted, time_limit=left, solver_options={**pruning, **wanted.solver_options})
    known = _better(mpec, first.x, start)
    second = LinearSos1().encode(mpec, "scip", options).run(rest, known)
    said = f"{second.message}, after {first.nodes} nodes of branching on pairs"
    return replace(_at_least(mpec, second, first), seconds=first.seconds + second.seconds, message=said)


def _search_or_nothing(mpec: LinearMpec, wanted: Options, start: Floats | None) -> MatrixRun:
    """The search within its effort; where an LP or QP defeats HiGHS it has found nothing, and its words are kept."""
    began = time.perf_counter()
    try:
        if mpec.program.quadratic is not None:
            return search_pairs(mpec, _part_of(wanted), start, QUADRATIC_EFFORT)
        return search(mpec.program, mpec.left, mpec.right, _part_of(wanted), first_effort(mpec.program.columns))
    except SolverFailedError as error:
        said = error.diagnostics[0].message
        return MatrixRun(Termination.FAILED, "highs", seconds=time.perf_counter() - began, message=said, nodes=0)


def first_effort(columns: int) -> Effort:
    """:data:`FIRST_EFFORT` for an LP of so many columns."""
    least = ITERATIONS_A_COLUMN * columns
    enough = FIRST_EFFORT.iterations is None or FIRST_EFFORT.iterations >= least
    return FIRST_EFFORT if enough else replace(FIRST_EFFORT, iterations=least)


def _part_of(wanted: Options) -> SolverOptions:
    """The options of the search: not those that are for SCIP."""
    limit = None if wanted.time_limit is None else SHARE * wanted.time_limit
    return replace(wanted.for_solver(limit), extra={})


def _better(mpec: LinearMpec, found: Floats | None, start: Floats | None) -> Floats | None:
    """The start for SCIP: what the search has found, unless a complete start is better."""
    if found is None or start is None or not np.isfinite(start).all():
        return start if found is None else found
    sense = mpec.program.sense
    return start if sense * mpec.program.objective_at(start) < sense * mpec.program.objective_at(found) else found


def _contradicts(sense: int, second: MatrixRun, known: float) -> bool:
    """Whether ``second`` proves that there is nothing as good as ``known``, which is reached."""
    if second.termination is Termination.INFEASIBLE:
        return True
    if second.termination is not Termination.OPTIMAL or second.bound is None:
        return False
    return sense * (second.bound - known) > CONTRADICTION * max(1.0, abs(known))


def _at_least(mpec: LinearMpec, second: MatrixRun, first: MatrixRun) -> MatrixRun:
    """``second`` where it stopped early: with the better point and the tighter bound of both.

    A proof that the first search's point contradicts is none: that point, without a claim, and the contradiction as a doubt.
    """
    if first.x is not None and first.objective is not None and _contradicts(mpec.program.sense, second, first.objective):
        claim = f"{second.solver} says {second.termination.value}"
        claim += "" if second.objective is None else f" with the objective {second.objective:.8g}"
        said = f"{claim}, and the search over LPs had found {first.objective:.8g}: nothing is proven"
        left = (*second.doubts, said)
        return replace(first, termination=Termination.LOCALLY_OPTIMAL, bound=None, doubts=left)
    if second.termination not in (Termination.LIMIT, Termination.INTERRUPTED):
        return second
    sense = mpec.program.sense
    if first.x is not None and first.objective is not None:
        worse = second.objective is None or sense * (second.objective - first.objective) > 0
        second = replace(second, x=first.x, objective=first.objective) if worse else second
    bounds = [sense * b for b in (first.bound, second.bound) if b is not None]
    return replace(second, bound=sense * max(bounds) if bounds else None)
