"""SCIP's branch and bound with constraints that only a program can state: a constraint handler that asks a callable protocol.

SCIP branches, bounds and cuts on a linear relaxation given as arrays; a :class:`Judge` says which of its points are feasible,
what follows from bounds of columns, and how a part of the tree goes on from a point that is not. Presolving, restarts and
symmetries are off: SCIP would reason with constraints that it does not know.

An exception in the judge ends the search and comes out of :func:`run_tree`; SCIP's library by itself would print and forget it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np

from bilevel_lang.solvers.matrix import Ints, MatrixProgram, MatrixRun, settled_matrix
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.scip import Scip, fresh, report, solve
from bilevel_lang.solvers.scip_arrays import add_arrays
from bilevel_lang.solvers.solver import SolverOptions, Termination

PARAMETERS: dict[str, Any] = {
    "presolving/maxrounds": 0,
    "presolving/maxrestarts": 0,
    "misc/usesymmetry": 0,
    "misc/allowstrongdualreds": False,
    "misc/allowweakdualreds": False,
    "conflict/enable": False,
    "constraints/components/maxprerounds": 0,
    "propagating/dualfix/freq": -1,
}
"""What would use that SCIP knows all constraints (duality, symmetry, components), or change columns under the judge."""

OWN = "judged cut "
"""How names of our cuts begin; each is unique."""

LAST = -5_000_000
"""A priority after that of linear rows (-1,000,000), so that the judge only sees points that satisfy the program."""


FIRST = 1000
"""The branching priority of a judge's first columns; that of the others is 0."""


class BoundChange(Protocol):
    """A new bound of a column."""

    @property
    def column(self) -> int:
        """Its number."""

    @property
    def is_upper(self) -> bool:
        """Whether it is the upper bound."""

    @property
    def bound(self) -> float:
        """The new one."""


@dataclass(frozen=True, slots=True)
class Cut:
    """``lower <= coefficients'z[columns] <= upper``; ``local``: in this part of the tree only."""

    columns: Ints
    coefficients: Floats
    lower: float
    upper: float
    local: bool = True


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to become of a part of the tree: the first of these that is not empty, in this order.

    ``feasible``: its relaxation's point is a solution. ``cut_off``: nothing is left to be found there. ``changes``, ``cuts``:
    it is narrowed and solved again. ``children``: it is divided; each child has the changes given.
    """

    feasible: bool = False
    cut_off: bool = False
    changes: Sequence[BoundChange] = ()
    cuts: Sequence[Cut] = ()
    children: Sequence[Sequence[BoundChange]] = ()


@dataclass(frozen=True, slots=True)
class Vertex:
    """The relaxation's LP at its optimum, for cuts from its basis. p columns, q rows.

    ``columns`` (p,) are the program's numbers; statuses are -1 at the lower bound or side, +1 at the upper one, 0 basic, 2 free
    and not basic. Sides have the rows' constants taken off.
    """

    columns: Ints
    x: Floats
    lower: Floats
    upper: Floats
    status: Ints
    matrix: Floats
    row_lower: Floats
    row_upper: Floats
    row_status: Ints


class StopSearch(Exception):  # noqa: N818
    """Raised by a judge whose time is up: the search ends with what it has found and proven."""


class Judge(Protocol):
    """What :func:`run_tree` asks. Points ``z`` have all columns of the program."""

    first: Ints
    """The columns that are branched on before all others."""

    watched: Ints
    """The columns whose bounds in the current part of the tree are handed over."""

    def admits(self, z: Floats) -> bool:
        """Whether ``z``, which satisfies the program, is a solution."""

    def consequences(self, lower: Floats, upper: Floats) -> Sequence[BoundChange]:
        """What follows from bounds of the watched columns."""

    def decide(self, z: Floats, lower: Floats, upper: Floats, vertex: Callable[[], Vertex | None]) -> Decision:
        """What is to be done about ``z``, a whole optimum of the relaxation between those bounds of the watched columns."""

    def separate(self, z: Floats, lower: Floats, upper: Floats, vertex: Callable[[], Vertex | None], depth: int) -> Sequence[Cut]:
        """Cuts that ``z``, an optimum of the relaxation that may be fractional, violates; ``depth`` 0 is the root of the tree."""

    def candidates(self) -> Sequence[Floats]:
        """Solutions found since the last call, to be handed to SCIP."""

    def progress(self, state: TreeState) -> None:
        """Called now and then; may write a line somewhere."""


@dataclass(frozen=True, slots=True)
class TreeState:
    """Where the search stands; objectives in the program's own sense."""

    seconds: float
    nodes: int
    left: int
    incumbent: float | None
    bound: float | None


@dataclass
class _Session:
    scip: Any
    columns: list[Any]
    judge: Judge
    started: float
    failure: BaseException | None = None
    bound_at_stop: float | None = None
    watched: list[Any] = field(default_factory=list)
    numbers: dict[str, int] = field(default_factory=dict)
    constraints: frozenset[str] = frozenset()
    known_rows: dict[str, tuple[Ints, Floats]] = field(default_factory=dict)
    """The entries of rows that never change, by name: those of the program, and our cuts."""
    cuts: int = 0


def run_tree(program: MatrixProgram, judge: Judge, options: SolverOptions, start: Floats | None = None) -> MatrixRun:
    """Search for the best point of ``program`` that ``judge`` admits. ``start`` (n,): a point to begin from, if it is admitted.

    Raises SolverMissingError, SolverFailedError, and whatever the judge raises.
    """
    started = time.perf_counter()
    name = Scip().version()
    said = settled_matrix(program, name)
    if said is not None:
        return said
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
    session = _Session(scip, columns, judge, started)
    handler = _handler_class()(session)
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
    solve(scip, options)
    run = report(scip, columns, name, time.perf_counter() - started)
    if isinstance(session.failure, StopSearch):
        # What SCIP made of the refused callbacks after that is no proof of anything.
        return replace(run, termination=Termination.LIMIT, bound=session.bound_at_stop, message=f"stopped: {session.failure}")
    if session.failure is not None:
        raise session.failure
    return run


def _without_extras(scip: Any) -> None:
    """SCIP's heuristics and cuts do not know what the judge wants: they took half of the time and saved few nodes."""
    from pyscipopt import SCIP_PARAMSETTING

    scip.setHeuristics(SCIP_PARAMSETTING.OFF)
    scip.setSeparating(SCIP_PARAMSETTING.OFF)


def _handler_class() -> type:
    """The class is made here, as its base can only be imported where SCIP is needed."""
    from pyscipopt import SCIP_RESULT, Conshdlr

    class Handler(Conshdlr):  # type: ignore[misc]
        """SCIP's callbacks in terms of the judge."""

        def __init__(self, session: _Session) -> None:
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

        def consenfolp(self, *_: Any) -> dict[str, Any]:
            """A whole point of the relaxation."""
            return {"result": self._guarded(lambda: self._enforce(True), SCIP_RESULT.INFEASIBLE)}

        def consenfops(self, *_: Any) -> dict[str, Any]:
            """The same where the LP was not solved."""
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
            known = model.getNSols() > 0
            state = TreeState(
                time.perf_counter() - self.session.started,
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
            return _read_vertex(self.model, self.session)

    return Handler


def _no_vertex() -> Vertex | None:
    return None


_STATUS = {"lower": -1, "upper": 1, "basic": 0, "zero": 2}


def _read_vertex(model: Any, session: _Session) -> Vertex | None:
    columns, rows = model.getLPColsData(), model.getLPRowsData()
    names = [c.getVar().name for c in columns]
    if any(name not in session.numbers for name in names):
        return None
    numbers = np.array([session.numbers[name] for name in names], dtype=np.int64)
    matrix = np.zeros((len(rows), len(session.columns)))
    for i, row in enumerate(rows):
        places, values = _entries(row, session)
        matrix[i, places] = values
    constants = np.array([row.getConstant() for row in rows])
    low, up = _infinite(np.array([row.getLhs() for row in rows])), _infinite(np.array([row.getRhs() for row in rows]))
    return Vertex(
        numbers,
        np.array([c.getPrimsol() for c in columns]),
        _infinite(np.array([c.getLb() for c in columns])),
        _infinite(np.array([c.getUb() for c in columns])),
        np.array([_STATUS[c.getBasisStatus()] for c in columns], dtype=np.int64),
        matrix[:, numbers],
        low - constants,
        up - constants,
        np.array([_STATUS[r.getBasisStatus()] for r in rows], dtype=np.int64),
    )


def _entries(row: Any, session: _Session) -> tuple[Ints, Floats]:
    name = row.name
    known = session.known_rows.get(name)
    if known is None:
        places = np.array([session.numbers[c.getVar().name] for c in row.getCols()], dtype=np.int64)
        known = places, np.array(row.getVals())
        if name.startswith(OWN) or name in session.constraints:
            session.known_rows[name] = known
    return known


def _infinite(values: Floats) -> Floats:
    """SCIP's infinity of 1e20 as ours."""
    return np.where(values >= 1e20, math.inf, np.where(values <= -1e20, -math.inf, values))


def _finite(value: float) -> float | None:
    return value if abs(value) < 1e20 else None


def _or_none(bound: float) -> float | None:
    return bound if math.isfinite(bound) else None
