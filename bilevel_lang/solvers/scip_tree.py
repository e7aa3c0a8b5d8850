"""SCIP's branch and bound with constraints that only a program can state: a constraint handler that asks a callable protocol.

SCIP branches, bounds and cuts on a linear relaxation given as arrays; a :class:`Judge` says which of its points are feasible,
what follows from bounds of columns, and how a part of the tree goes on from a point that is not. Presolving, restarts and
symmetries are off: SCIP would reason with constraints that it does not know.

An exception in the judge ends the search and comes out of :func:`run_tree`; SCIP's library by itself would print and forget it.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

from bilevel_lang.solvers.matrix import MatrixProgram, MatrixRun, settled_matrix
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.scip import Scip, fresh, report, solve
from bilevel_lang.solvers.scip_arrays import add_arrays
from bilevel_lang.solvers.scip_handler import handler_class
from bilevel_lang.solvers.scip_session import TreeSession
from bilevel_lang.solvers.solver import SolverOptions, Termination
from bilevel_lang.solvers.tree_judge import Judge, StopSearch

PARAMETERS: dict[str, Any] = {
    "presolving/maxrounds": 0,
    "presolving/maxrestarts": 0,
    "misc/usesymmetry": 0,
    "misc/allowstrongdualreds": False,
    "misc/allowweakdualreds": False,
    "conflict/enable": False,
    "constraints/components/maxprerounds": 0,
    "propagating/dualfix/freq": -1,
    "branching/relpscost/maxproprounds": 0,
    "constraints/linear/rangedrowpropagation": False,
}
"""What would use that SCIP knows all constraints (duality, symmetry, components), or change columns under the judge; and what
took most of the time where rows are dense: propagation for every candidate of strong branching, and of equalities as ranges."""

LAST = -5_000_000
"""A priority after that of linear rows (-1,000,000), so that the judge only sees points that satisfy the program."""


FIRST = 1000
"""The branching priority of a judge's first columns; that of the others is 0."""


def run_tree(program: MatrixProgram, judge: Judge, options: SolverOptions, start: Floats | None = None) -> MatrixRun:
    """Search for the best point of ``program`` that ``judge`` admits. ``start`` (n,): a point to begin from, if it is admitted.

    Raises SolverMissingError, SolverFailedError, and whatever the judge raises.
    """
    return TreeSearch(program, judge, options, start).go(options.time_limit)


class TreeSearch:
    """A search that can be interrupted: :meth:`go` goes on where it stopped. Arguments and errors as in :func:`run_tree`."""

    def __init__(self, program: MatrixProgram, judge: Judge, options: SolverOptions, start: Floats | None = None) -> None:
        self._name = Scip().version()
        self._options = options
        self._spent = 0.0
        self._settled = settled_matrix(program, self._name)
        if self._settled is None:
            self._scip, self._columns, self._session = _built(program, judge, options, start)

    def go(self, seconds: float | None) -> MatrixRun:
        """Search on for at most ``seconds``. LIMIT where they are over, and after the judge has stopped the search."""
        if self._settled is not None:
            return self._settled
        started = time.perf_counter()
        scip, session = self._scip, self._session
        if session.failure is None:
            # SCIP counts the seconds of all runs together.
            scip.setParam("limits/time", 1e20 if seconds is None else scip.getSolvingTime() + max(seconds, 0.0))
            solve(scip, self._options)
        self._spent += time.perf_counter() - started
        run = report(scip, self._columns, self._name, self._spent)
        if isinstance(session.failure, StopSearch):
            # What SCIP made of the refused callbacks after that is no proof of anything.
            return replace(run, termination=Termination.LIMIT, bound=session.bound_at_stop, message=f"stopped: {session.failure}")
        if session.failure is not None:
            raise session.failure
        return run


def _built(
    program: MatrixProgram, judge: Judge, options: SolverOptions, start: Floats | None
) -> tuple[Any, list[Any], TreeSession]:
    """SCIP with the program and the judge, ready to run; its columns."""
    scip = fresh(options, False)
    _without_extras(scip)
    for key, value in PARAMETERS.items():
        scip.setParam(key, value)
    for key, value in options.extra.items():
        if key != "start":
            scip.setParam(key, value)
    columns = add_arrays(scip, program)
    for j in judge.first.tolist():
        scip.chgVarBranchPriority(columns[j], FIRST)
    session = TreeSession(scip, list(columns), judge, time.perf_counter())
    handler = handler_class()(session)
    scip.includeConshdlr(
        handler,
        "judge",
        "asks the judge",
        sepapriority=-10,
        enfopriority=LAST,
        chckpriority=LAST,
        sepafreq=1,
        propfreq=1,
        eagerfreq=-1,
        needscons=False,
    )
    if start is not None:
        solution = scip.createSol()
        for column, value in zip(columns, start.tolist(), strict=True):
            scip.setSolVal(solution, column, value)
        scip.addSol(solution)
    return scip, columns, session


def _without_extras(scip: Any) -> None:
    """SCIP's heuristics and cuts do not know what the judge wants: they took half of the time and saved few nodes."""
    from pyscipopt import SCIP_PARAMSETTING

    scip.setHeuristics(SCIP_PARAMSETTING.OFF)
    scip.setSeparating(SCIP_PARAMSETTING.OFF)
