"""SCIP's callbacks in terms of a judge: the constraint handler of :mod:`.scip_tree`."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.scip_session import OWN, TreeSession, read_vertex
from bilevel_lang.solvers.tree_judge import BoundChange, Cut, TreeState, Vertex

TOLD_EVERY = 0.2
"""Seconds between calls of the judge's progress: SCIP's counts cost as much as a propagation."""


def handler_class() -> type:
    """The class is made here, as its base can only be imported where SCIP is needed."""
    from pyscipopt import SCIP_RESULT, Conshdlr

    class Handler(Conshdlr):  # type: ignore[misc]
        """SCIP's callbacks in terms of the judge."""

        def __init__(self, session: TreeSession) -> None:
            self.session = session

        def consinitsol(self, constraints: Any) -> None:
            """SCIP has made its own columns."""
            self._guarded(self._initialise, None)

        def conslock(self, constraint: Any, locktype: Any, nlockspos: int, nlocksneg: int) -> None:
            """Moving any column may break what the judge wants."""
            both = nlockspos + nlocksneg
            for column in self.session.columns:
                self.model.addVarLocksType(column, locktype, both, both)

        def conscheck(self, *_: Any, **__: Any) -> dict[str, Any]:
            """Is a point a solution?"""
            solution = _[1]
            admitted = self._guarded(lambda: self.session.judge.admits(self._point(solution)), False)
            return {"result": SCIP_RESULT.FEASIBLE if admitted else SCIP_RESULT.INFEASIBLE}

        def consprop(self, *_: Any) -> dict[str, Any]:
            """What follows from bounds?"""
            return {"result": self._guarded(self._propagate, SCIP_RESULT.DIDNOTFIND)}

        def conssepalp(self, *_: Any) -> dict[str, Any]:
            """Cuts at a fractional point."""
            return {"result": self._guarded(self._separate, SCIP_RESULT.DIDNOTFIND)}

        def consenfolp(self, constraints: Any, useful: int, infeasible: bool) -> dict[str, Any]:
            """A whole point of the relaxation; ``infeasible``: others know already that it is none."""
            if infeasible:
                return {"result": SCIP_RESULT.INFEASIBLE}
            return {"result": self._guarded(lambda: self._enforce(True), SCIP_RESULT.INFEASIBLE)}

        def consenfops(self, constraints: Any, useful: int, infeasible: bool, too_good: bool) -> dict[str, Any]:
            """The same where the LP was not solved, as after the end of the time: the point may break the rows.

            ``too_good``: its objective is beyond what is known to be possible, and nobody needs to look at it.
            """
            if infeasible or too_good:
                return {"result": SCIP_RESULT.INFEASIBLE if infeasible else SCIP_RESULT.DIDNOTRUN}
            return {"result": self._guarded(lambda: self._enforce(False), SCIP_RESULT.INFEASIBLE)}

        def _guarded(self, call: Callable[[], Any], otherwise: Any) -> Any:
            if self.session.failure is not None:
                return otherwise
            try:
                return call()
            except BaseException as error:
                self.session.failure = error
                self.session.bound_at_stop = _finite(float(self.model.getDualbound()))
                self.model.interruptSolve()
                return otherwise

        def _initialise(self) -> None:
            session = self.session
            session.columns = [self.model.getTransformedVar(column) for column in session.columns]
            session.watched = [session.columns[j] for j in session.judge.watched.tolist()]
            session.constraints = frozenset(c.name for c in self.model.getConss())
            session.numbers = {column.name: j for j, column in enumerate(session.columns)}

        def _point(self, solution: Any) -> Floats:
            value = self.model.getSolVal
            return np.array([value(solution, column) for column in self.session.columns])

        def _bounds(self) -> tuple[Floats, Floats]:
            watched = self.session.watched
            return np.array([c.getLbLocal() for c in watched]), np.array([c.getUbLocal() for c in watched])

        def _hand_over(self) -> None:
            for point in self.session.judge.candidates():
                solution = self.model.createSol()
                for column, value in zip(self.session.columns, point.tolist(), strict=True):
                    self.model.setSolVal(solution, column, value)
                self.model.trySol(solution, printreason=False)

        def _tell(self) -> None:
            model = self.model
            seconds = time.perf_counter() - self.session.started
            if seconds < self.session.told + TOLD_EVERY:
                return
            self.session.told = seconds
            known = model.getNSols() > 0
            state = TreeState(
                seconds,
                int(model.getNNodes()),
                int(model.getNNodesLeft()),
                float(model.getSolObjVal(model.getBestSol())) if known else None,
                _finite(float(model.getDualbound())),
            )
            self.session.judge.progress(state)

        def _propagate(self) -> Any:
            self._hand_over()
            self._tell()
            lower, upper = self._bounds()
            return self._apply(self.session.judge.consequences(lower, upper), SCIP_RESULT.DIDNOTFIND)

        def _apply(self, changes: Sequence[BoundChange], otherwise: Any) -> Any:
            found = otherwise
            for change in changes:
                column = self.session.columns[change.column]
                tighten = self.model.tightenVarUb if change.is_upper else self.model.tightenVarLb
                infeasible, tightened = tighten(column, change.bound, force=True)
                if infeasible:
                    return SCIP_RESULT.CUTOFF
                if tightened:
                    found = SCIP_RESULT.REDUCEDDOM
            return found

        def _separate(self) -> Any:
            lower, upper = self._bounds()
            cuts = self.session.judge.separate(self._point(None), lower, upper, self._vertex, self.model.getDepth())
            return self._add(cuts) if cuts else SCIP_RESULT.DIDNOTFIND

        def _enforce(self, has_lp: bool) -> Any:
            lower, upper = self._bounds()
            decision = self.session.judge.decide(self._point(None), lower, upper, self._vertex if has_lp else _no_vertex)
            self._hand_over()
            if decision.feasible:
                return SCIP_RESULT.FEASIBLE
            if decision.cut_off:
                return SCIP_RESULT.CUTOFF
            found = self._apply(decision.changes, SCIP_RESULT.INFEASIBLE)
            if found != SCIP_RESULT.INFEASIBLE:
                return found
            if has_lp and decision.cuts:
                return self._add(decision.cuts)
            # SCIP ignores a bound beyond the other one; such a child has no point.
            children = [changes for changes in decision.children if not any(map(self._crosses, changes))]
            for changes in children:
                self._child(changes)
            if decision.children and not children:
                return SCIP_RESULT.CUTOFF
            return SCIP_RESULT.BRANCHED if children else SCIP_RESULT.INFEASIBLE

        def _crosses(self, change: BoundChange) -> bool:
            column = self.session.columns[change.column]
            if change.is_upper:
                return bool(change.bound < column.getLbLocal() - 1e-9 * max(1.0, abs(change.bound)))
            return bool(change.bound > column.getUbLocal() + 1e-9 * max(1.0, abs(change.bound)))

        def _child(self, changes: Sequence[BoundChange]) -> None:
            node = self.model.createChild(0.0, self.model.getLocalEstimate())
            for change in changes:
                column = self.session.columns[change.column]
                old = column.getUbLocal() if change.is_upper else column.getLbLocal()
                if change.is_upper and change.bound < old:
                    self.model.chgVarUbNode(node, column, change.bound)
                elif not change.is_upper and change.bound > old:
                    self.model.chgVarLbNode(node, column, change.bound)

        def _add(self, cuts: Sequence[Cut]) -> Any:
            for cut in cuts:
                low, up = _or_none(cut.lower), _or_none(cut.upper)
                self.session.cuts += 1
                name = f"{OWN}{self.session.cuts}"
                row = self.model.createEmptyRowUnspec(name, lhs=low, rhs=up, local=cut.local)
                self.model.cacheRowExtensions(row)
                for j, coefficient in zip(cut.columns.tolist(), cut.coefficients.tolist(), strict=True):
                    self.model.addVarToRow(row, self.session.columns[j], coefficient)
                self.model.flushRowExtensions(row)
                infeasible = self.model.addCut(row, forcecut=True)
                self.model.releaseRow(row)
                if infeasible:
                    return SCIP_RESULT.CUTOFF
            return SCIP_RESULT.SEPARATED

        def _vertex(self) -> Vertex | None:
            if not self.model.isLPSolBasic():
                return None
            return read_vertex(self.model, self.session)

    return Handler


def _no_vertex() -> Vertex | None:
    return None


def _finite(value: float) -> float | None:
    return value if abs(value) < 1e20 else None


def _or_none(bound: float) -> float | None:
    return bound if math.isfinite(bound) else None
