"""The relaxation solved again and again by HiGHS, each time with the disjunctions of more answers of the follower.

An answer's disjunction takes one binary for every row that may block it, shared among answers with the same threshold there:

    value <= v + (largest value - v) * sum b_rt,      sigma_r >= least sigma_r + (t + 1 - least sigma_r) * b_rt

All constants are proven bounds of :mod:`.extended`. Mitsos 2010, J. Glob. Optim. 47:557; Lozano and Smith 2017, Oper. Res.
65:768.
"""

from __future__ import annotations

import math
import time
from dataclasses import replace

import numpy as np
import scipy.sparse as sp

from bilevel_lang.errors import RefusedError
from bilevel_lang.reformulation.value_function.integer.disjunctions import Disjunctions
from bilevel_lang.reformulation.value_function.integer.extended import Extended
from bilevel_lang.reformulation.value_function.integer.follower import OutOfTimeError, Response
from bilevel_lang.reformulation.value_function.integer.prepared import Prepared, with_best
from bilevel_lang.solvers.highs import Highs
from bilevel_lang.solvers.matrix import MatrixProgram, MatrixRun
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.solver import Termination
from bilevel_lang.solvers.tree_judge import TreeState

CLOSED = 1e-9
"""Relative gap at which the loop ends."""

ROUGH = 0.02
"""Relative gap of the relaxation while its points are no solutions: most of a MILP's time goes into the proof of its optimum, and
answers can be learned from any of its points."""


def outer_loop(prepared: Prepared) -> MatrixRun:
    """Solve until the relaxation's point is a solution, or its bound is that of the best one known. Raises RefusedError."""
    return OuterLoop(prepared).go(prepared.options.time_limit)


class OuterLoop:
    """A search that can be interrupted: :meth:`go` goes on where it stopped. ``rounds``: the relaxations solved to their gap."""

    def __init__(self, prepared: Prepared) -> None:
        self.extended, self.follower = prepared.extended, prepared.follower
        self.prepared = prepared
        self.sense = prepared.extended.program.sense
        self.pool = Disjunctions(self.extended)
        self.master = _Master(self.extended)
        self.incumbent = prepared.incumbent
        self.bound = -math.inf
        self.nodes = self.rounds = 0
        self._gap = ROUGH
        self._started = time.perf_counter()
        self._until = math.inf

    def go(self, seconds: float | None) -> MatrixRun:
        """Search on for at most ``seconds``. LIMIT where they are over."""
        self._until = math.inf if seconds is None else time.perf_counter() + seconds
        last = self._rounds()
        gap_closed = last.termination is Termination.OPTIMAL
        bound = self.incumbent.objective if gap_closed else self.bound
        message = f"{last.message}; {len(self.pool)} disjunctions, {self.follower.solves} problems of the follower"
        run = replace(
            last,
            x=None,
            objective=None,
            bound=self.sense * bound if math.isfinite(bound) else None,
            nodes=self.nodes,
            cuts=len(self.pool),
            follower_solves=self.follower.solves,
            message=message,
        )
        return with_best(run, self.extended, self.incumbent.point)

    def _rounds(self) -> MatrixRun:
        while True:
            found = self._solve()
            self.nodes += found.nodes or 0
            if found.termination is Termination.INFEASIBLE:
                # Every solution satisfies the master problem, so none is left beside those found.
                ended = Termination.INFEASIBLE if self.incumbent.point is None else Termination.OPTIMAL
                return replace(found, termination=ended)
            if found.bound is not None:
                self.bound = max(self.bound, self.sense * found.bound)
            try:
                # A point is learned from even where the time for its proof was too short.
                solved = found.x is not None and self._learn(found.x[: self.extended.program.columns])
            except OutOfTimeError:
                return replace(found, termination=Termination.LIMIT)
            if found.termination is not Termination.OPTIMAL:
                return found
            self.rounds += 1
            if self._closed() or (solved and self._gap <= self._wanted()):
                return found
            if solved:
                self._gap = self._wanted()
            self._tell()

    def _solve(self) -> MatrixRun:
        options = replace(self.prepared.options, time_limit=None, gap=max(self._gap, self._wanted()))
        if math.isfinite(self._until):
            left = self._until - time.perf_counter()
            if left <= 0:
                return MatrixRun(Termination.LIMIT, Highs().version(), message="the time limit is reached")
            options = replace(options, time_limit=left)
        point = self.incumbent.point
        if point is not None and not self.follower.pessimistic:
            # In the pessimistic position decisions are taken out, that of the best point too.
            options = replace(options, extra={**options.extra, "start": self.master.point(point)})
        return Highs().run_matrix(self.master.program(), options)

    def _wanted(self) -> float:
        return max(self.prepared.options.gap or CLOSED, CLOSED)

    def _closed(self) -> bool:
        best = self.incumbent.objective
        return math.isfinite(best) and best - self.bound <= self._wanted() * max(1.0, abs(best))

    def _learn(self, z: Floats) -> bool:
        """Whether ``z`` is a solution; if not, the master problem gets the disjunctions of answers that it violates.

        Where it violates none, the position is the pessimistic one, and the decision is taken out.
        """
        value = float(self.extended.value_cost @ z[: self.extended.n])
        found = self.follower.response(z)
        is_best = value <= found.value + self.extended.value_tolerance(found.value)
        if is_best and not self.follower.pessimistic:
            self.incumbent.offer(z)
            return True
        favourable = self.follower.favourable(z, self.incumbent.objective)
        if favourable is not None:
            self.incumbent.offer(favourable)
        if is_best:
            solved = self.follower.is_solution(z)
            if not solved:
                self.master.exclude(z)
            return solved
        self._add(found)
        program, activities = self.extended.program, self.extended.activity_columns
        low, up = program.lower[activities], program.upper[activities]
        if np.isfinite(low).all() and np.isfinite(up).all():
            margin = 1.0 if self.extended.value_whole else 1e-6 * max(1.0, abs(value))
            for at_most in (found.value, value - margin):
                harder = self.follower.hard_to_block(z, at_most + 1e-7 * max(1.0, abs(at_most)), low, up)
                if harder is not None:
                    self._add(harder)
        return False

    def _add(self, response: Response) -> None:
        known = len(self.pool)
        if self.pool.add(response) == known:
            self.master.add(response.value, self.pool.thresholds[known], self.pool.admitted(response.value))

    def _tell(self) -> None:
        best = self.sense * self.incumbent.objective if self.incumbent.point is not None else None
        bound = self.sense * self.bound if math.isfinite(self.bound) else None
        state = TreeState(time.perf_counter() - self._started, self.nodes, 0, best, bound)
        self.prepared.progress.tell(state, len(self.pool), self.follower.solves)


class _Master:
    """The relaxation with the disjunctions so far."""

    def __init__(self, extended: Extended) -> None:
        self._extended = extended
        program = extended.program
        activities = extended.activity_columns
        self._low, self._up = extended.rows.sigma_range(program.lower[activities], program.upper[activities])
        self._largest = float(program.upper[extended.value])
        self._binaries: dict[tuple[int, float], int] = {}
        self._sides: dict[tuple[int, float, float], int] = {}
        self._rows: list[tuple[list[int], list[float], float]] = []
        """(columns, coefficients, upper side)"""

    def add(self, value: float, thresholds: Floats, admitted: float) -> None:
        """The disjunction of one answer. Raises RefusedError where a constant is infinite."""
        rows = np.flatnonzero(self._up > thresholds + 0.5)
        blocked = [self._binary(int(r), float(thresholds[r])) for r in rows]
        size = max(self._largest - admitted, 0.0)
        if not blocked or size == 0.0:
            self._rows.append(([self._extended.value], [1.0], admitted))
            return
        if not math.isfinite(size):
            raise _no_bound("the follower's objective")
        self._rows.append(([self._extended.value, *blocked], [1.0, *[-size] * len(blocked)], admitted))

    def _binary(self, row: int, threshold: float) -> int:
        extended, rows = self._extended, self._extended.rows
        known = self._binaries.get((row, threshold))
        if known is None:
            known = self._binaries[row, threshold] = self._new_binary()
            if not math.isfinite(self._low[row]):
                raise _no_bound("a row of the follower")
            column = int(extended.activity_columns[rows.activity[row]])
            reach = threshold + 1 - self._low[row]
            self._rows.append(([column, known], [-float(rows.sign[row]), reach], -self._low[row]))
        return known

    def exclude(self, z: Floats) -> None:
        """Take the decision at ``z`` out: some linking column is smaller or greater. Raises RefusedError as :meth:`add`.

        A column of two values says so itself; others get a binary for either side.
        """
        columns: list[int] = []
        signs: list[float] = []
        side = -1.0
        for j in self._extended.links.tolist():
            low, up, x = float(self._extended.program.lower[j]), float(self._extended.program.upper[j]), float(np.rint(z[j]))
            if up - low == 1:
                columns.append(j)
                signs.append(-1.0 if x == low else 1.0)
                side += up if x == up else -low
                continue
            for sign, end, other in ((1.0, up, low), (-1.0, low, up)):
                if sign * (end - x) > 0.5:
                    columns.append(self._apart(j, x, sign, other))
                    signs.append(-1.0)
        self._rows.append((columns, signs, side))

    def _apart(self, column: int, x: float, sign: float, other: float) -> int:
        """A binary that forces ``column`` to be ``x + sign`` or further that way; ``other`` is its bound on the other side."""
        known = self._sides.get((column, x, sign))
        if known is None:
            if not math.isfinite(other):
                raise _no_bound("a linking variable")
            known = self._sides[column, x, sign] = self._new_binary()
            # sign * column >= sign * other + (sign * (x - other) + 1) * binary
            self._rows.append(([column, known], [-sign, sign * (x - other) + 1], -sign * other))
        return known

    def point(self, z: Floats) -> Floats:
        """A solution ``z`` (columns of the extended program) with the binaries that it makes 1."""
        rows = self._extended.rows
        sigma = rows.sigma(z[: self._extended.n])
        full = np.append(z, np.zeros(len(self._binaries) + len(self._sides)))
        for (row, threshold), column in self._binaries.items():
            full[column] = float(sigma[row] > threshold + 0.5)
        return full

    def _new_binary(self) -> int:
        return self._extended.program.columns + len(self._binaries) + len(self._sides)

    def program(self) -> MatrixProgram:
        """The relaxation, the binaries, and the rows collected so far."""
        base, added, count = self._extended.program, len(self._binaries) + len(self._sides), len(self._rows)
        n = base.columns + added
        starts = np.cumsum([0] + [len(columns) for columns, _, _ in self._rows])
        columns = [j for each, _, _ in self._rows for j in each]
        data = [c for _, each, _ in self._rows for c in each]
        wide = sp.csr_matrix((base.matrix.data, base.matrix.indices, base.matrix.indptr), shape=(base.rows, n))
        more = sp.csr_matrix((np.array(data, dtype=float), columns, starts), shape=(count, n))
        return replace(
            base,
            lower=np.append(base.lower, np.zeros(added)),
            upper=np.append(base.upper, np.ones(added)),
            integer=np.append(base.integer, np.ones(added, dtype=bool)),
            cost=np.append(base.cost, np.zeros(added)),
            matrix=sp.csr_matrix(sp.vstack([wide, more], format="csr")),
            row_lower=np.append(base.row_lower, np.full(count, -math.inf)),
            row_upper=np.append(base.row_upper, [side for _, _, side in self._rows]),
        )


def _no_bound(what: str) -> RefusedError:
    said = f"no bound of {what} could be derived, and HiGHS needs it for a constant"
    return RefusedError(said, "give the leader's variables bounds, or use `--solver scip`, which branches instead")
