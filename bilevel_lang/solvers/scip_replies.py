"""What the judge says, done in SCIP: bounds, cuts, children and solutions."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.scip_session import OWN, TreeSession, read_vertex
from bilevel_lang.solvers.tree_judge import BoundChange, Cut, TreeState, Vertex

TOLD_EVERY = 0.2
"""Seconds between calls of the judge's progress: SCIP's counts cost as much as a propagation."""


@dataclass(frozen=True)
class Replies:
    """To one callback: ``model`` is pyscipopt's, ``results`` its words for what a callback did (SCIP_RESULT)."""

    model: Any
    session: TreeSession
    results: Any

    def admits(self, solution: Any) -> bool:
        """Whether a point is a solution."""
        return self.session.judge.admits(self._point(solution))

    def initialise(self) -> None:
        """SCIP has made its own columns."""
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
            finite(float(model.getDualbound())),
        )
        self.session.judge.progress(state)

    def propagate(self) -> Any:
        """What follows from bounds."""
        self._hand_over()
        self._tell()
        lower, upper = self._bounds()
        return self._apply(self.session.judge.consequences(lower, upper), self.results.DIDNOTFIND)

    def _apply(self, changes: Sequence[BoundChange], otherwise: Any) -> Any:
        found = otherwise
        for change in changes:
            column = self.session.columns[change.column]
            tighten = self.model.tightenVarUb if change.is_upper else self.model.tightenVarLb
            infeasible, tightened = tighten(column, change.bound, force=True)
            if infeasible:
                return self.results.CUTOFF
            if tightened:
                found = self.results.REDUCEDDOM
        return found

    def separate(self) -> Any:
        """Cuts at a fractional point."""
        lower, upper = self._bounds()
        cuts = self.session.judge.separate(self._point(None), lower, upper, self._vertex, self.model.getDepth())
        return self._add(cuts) if cuts else self.results.DIDNOTFIND

    def enforce(self, has_lp: bool) -> Any:
        """What becomes of a whole point; ``has_lp``: it is a vertex of a relaxation that was solved."""
        lower, upper = self._bounds()
        decision = self.session.judge.decide(self._point(None), lower, upper, self._vertex if has_lp else _no_vertex)
        self._hand_over()
        if decision.feasible:
            return self.results.FEASIBLE
        if decision.cut_off:
            return self.results.CUTOFF
        found = self._apply(decision.changes, self.results.INFEASIBLE)
        if found != self.results.INFEASIBLE:
            return found
        if has_lp and decision.cuts:
            return self._add(decision.cuts)
        # SCIP ignores a bound beyond the other one; such a child has no point.
        children = [changes for changes in decision.children if not any(map(self._crosses, changes))]
        for changes in children:
            self._child(changes)
        if decision.children and not children:
            return self.results.CUTOFF
        return self.results.BRANCHED if children else self.results.INFEASIBLE

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
                return self.results.CUTOFF
        return self.results.SEPARATED

    def _vertex(self) -> Vertex | None:
        if not self.model.isLPSolBasic():
            return None
        return read_vertex(self.model, self.session)


def _no_vertex() -> Vertex | None:
    return None


def finite(value: float) -> float | None:
    """SCIP's number, None for its infinity."""
    return value if abs(value) < 1e20 else None


def _or_none(bound: float) -> float | None:
    return bound if math.isfinite(bound) else None
