"""SCIP's callbacks in terms of a judge: the constraint handler of :mod:`.scip_tree`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bilevel_lang.solvers.scip_replies import Replies, finite
from bilevel_lang.solvers.scip_session import TreeSession


def handler_class() -> type:
    """The class is made here, as its base can only be imported where SCIP is needed."""
    from pyscipopt import SCIP_RESULT, Conshdlr

    class Handler(Conshdlr):  # type: ignore[misc]
        """SCIP's callbacks in terms of the judge."""

        def __init__(self, session: TreeSession) -> None:
            self.session = session

        def consinitsol(self, constraints: Any) -> None:
            """SCIP has made its own columns."""
            self._guarded(lambda: self._replies().initialise(), None)

        def conslock(self, constraint: Any, locktype: Any, nlockspos: int, nlocksneg: int) -> None:
            """Moving any column may break what the judge wants."""
            both = nlockspos + nlocksneg
            for column in self.session.columns:
                self.model.addVarLocksType(column, locktype, both, both)

        def conscheck(self, *_: Any, **__: Any) -> dict[str, Any]:
            """Is a point a solution?"""
            solution = _[1]
            admitted = self._guarded(lambda: self._replies().admits(solution), False)
            return {"result": SCIP_RESULT.FEASIBLE if admitted else SCIP_RESULT.INFEASIBLE}

        def consprop(self, *_: Any) -> dict[str, Any]:
            """What follows from bounds?"""
            return {"result": self._guarded(lambda: self._replies().propagate(), SCIP_RESULT.DIDNOTFIND)}

        def conssepalp(self, *_: Any) -> dict[str, Any]:
            """Cuts at a fractional point."""
            return {"result": self._guarded(lambda: self._replies().separate(), SCIP_RESULT.DIDNOTFIND)}

        def consenfolp(self, constraints: Any, useful: int, infeasible: bool) -> dict[str, Any]:
            """A whole point of the relaxation; ``infeasible``: others know already that it is none."""
            if infeasible:
                return {"result": SCIP_RESULT.INFEASIBLE}
            return {"result": self._guarded(lambda: self._replies().enforce(True), SCIP_RESULT.INFEASIBLE)}

        def consenfops(self, constraints: Any, useful: int, infeasible: bool, too_good: bool) -> dict[str, Any]:
            """The same where the LP was not solved, as after the end of the time: the point may break the rows.

            ``too_good``: its objective is beyond what is known to be possible, and nobody needs to look at it.
            """
            if infeasible or too_good:
                return {"result": SCIP_RESULT.INFEASIBLE if infeasible else SCIP_RESULT.DIDNOTRUN}
            return {"result": self._guarded(lambda: self._replies().enforce(False), SCIP_RESULT.INFEASIBLE)}

        def _guarded(self, call: Callable[[], Any], otherwise: Any) -> Any:
            if self.session.failure is not None:
                return otherwise
            try:
                return call()
            except BaseException as error:
                self.session.failure = error
                self.session.bound_at_stop = finite(float(self.model.getDualbound()))
                self.model.interruptSolve()
                return otherwise

        def _replies(self) -> Replies:
            return Replies(self.model, self.session, SCIP_RESULT)

    return Handler
