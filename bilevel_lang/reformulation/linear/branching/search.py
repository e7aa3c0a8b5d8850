"""Branch and bound over an MPEC's arrays, from the program to a run."""

from __future__ import annotations

import math
import sys
import time

from bilevel_lang.reformulation.linear.branching.blocks import split
from bilevel_lang.reformulation.linear.branching.tree import Effort, Tree
from bilevel_lang.solvers.highs import Highs
from bilevel_lang.solvers.matrix import Ints, MatrixProgram, MatrixRun, settled_matrix
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.solver import SolverOptions, Termination

UNLIMITED = Effort()

_SAID = {
    Termination.OPTIMAL: "optimal",
    Termination.INFEASIBLE: "infeasible",
    Termination.LIMIT: "stopped before the proof",
    Termination.INTERRUPTED: "interrupted",
}

_NO_BOUND = "the linear relaxation, without complementarity, is unbounded: branching cannot begin"


def search(program: MatrixProgram, left: Ints, right: Ints, options: SolverOptions, effort: Effort = UNLIMITED) -> MatrixRun:
    """Solve the linear, continuous ``program`` with pairs ``0 <= z[left] _|_ z[right] >= 0`` to proven optimality.

    ``effort`` may end it earlier, as ``options.time_limit`` does: LIMIT, with the best point found (or none) and the bound proven
    so far. FAILED where the relaxation is unbounded, or where rounding has left nothing to branch on; then nothing is claimed.
    Raises SolverMissingError, SolverFailedError, UsageError.
    """
    assert program.quadratic is None and not program.quadratic_rows and not program.integer.any()
    started = time.perf_counter()
    name = f"{Highs().version()} (branch)"
    settled = settled_matrix(program, name)
    if settled is not None:
        return settled
    deadline = None if options.time_limit is None else started + options.time_limit
    tree = Tree(split(program, left, right), options, effort, deadline)
    termination = tree.run()
    run = _report(program, tree, termination, name, time.perf_counter() - started)
    if options.verbose:
        sys.stderr.write(f"{name}: {run.message}; objective {run.objective}, bound {run.bound}, {run.seconds:.2f} s\n")
    return run


def _report(program: MatrixProgram, tree: Tree, termination: Termination, name: str, seconds: float) -> MatrixRun:
    bound = tree.bound
    known = math.isfinite(bound) and termination in (Termination.OPTIMAL, Termination.LIMIT, Termination.INTERRUPTED)
    unbounded = termination in (Termination.UNBOUNDED, Termination.INFEASIBLE_OR_UNBOUNDED)
    x: Floats | None = tree.best
    said = _NO_BOUND if unbounded else _SAID.get(termination, "rounding has left nothing to branch on")
    return MatrixRun(
        termination if termination in _SAID else Termination.FAILED,
        name,
        x=x,
        objective=None if x is None else program.objective_at(x),
        bound=program.sense * bound + program.constant if known else None,
        seconds=seconds,
        message=f"{said}; {tree.nodes} nodes",
        nodes=tree.nodes,
        iterations=tree.iterations,
    )
