"""What an improving direction of the follower excludes, whatever the leader decides.

If ``y + step`` would be feasible and better wherever ``y`` is the follower's answer, then ``y`` is not its best one. So at every
solution a row or a bound stops the step:

    row'z >= floor(side - row'step) + 1  for a row with row'step > 0,      y_j >= upper_j - step_j + 1  for a step_j > 0,

and likewise from below. There is no alternative in which the value falls, and few rows can stop a step that is chosen well: these
disjunctions are the stronger ones where the rows of the follower hold many columns of both. Where a body is not whole, the
closed side ``row'z >= side - row'step`` stands for it.

Reference: Fischetti, Ljubic, Monaci and Sinnl 2018, Math. Program. 172:77; improving directions in MibS 1.2, arXiv 2510.02998.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp

from bilevel_lang.errors import SolverFailedError
from bilevel_lang.reformulation.value_function.integer.disjunctions import Change
from bilevel_lang.reformulation.value_function.integer.extended import Extended
from bilevel_lang.reformulation.value_function.integer.follower import OutOfTimeError
from bilevel_lang.solvers.hot_milp import HotMilp
from bilevel_lang.solvers.matrix import Flags, Ints, MatrixProgram
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.solver import SolverOptions, Termination

DEARER = 4.0
"""What a stop's price grows by once it has been one."""

NODES = 20
"""Nodes for a step: any improving step is valid, and the best one not worth a long search."""


class Directions:
    """The steps found so far, as clauses: at least one of each clause's literals, bounds of columns, has to hold.

    ``columns``, ``upward`` and ``bounds`` (L,) are the literals ``z[column] >= bound`` (upward) or ``<= bound``; ``clause`` (L,)
    tells whose they are.
    """

    def __init__(self, extended: Extended, options: SolverOptions, deadline: float | None) -> None:
        self._extended = extended
        self.own: Ints = np.flatnonzero(extended.source.follower)
        self._finder = _Finder(extended, self.own, options, deadline)
        self._seen: set[bytes] = set()
        self.count = 0
        self.columns: Ints = np.zeros(0, dtype=np.int64)
        self.upward: Flags = np.zeros(0, dtype=bool)
        self.bounds: Floats = np.zeros(0)
        self.clause: Ints = np.zeros(0, dtype=np.int64)

    @property
    def solves(self) -> int:
        """How many problems were solved for steps."""
        return self._finder.milp.solves

    def find(self, z: Floats) -> None:
        """Look for a step at ``z`` (all columns of the program) that few rows and bounds can stop. Raises OutOfTimeError."""
        found = self._finder.step(z)
        if found is not None:
            self._learn(found.step)

    def find_several(self, z: Floats, most: int) -> None:
        """Look for up to ``most`` steps: what may stop one of them is dearer for the next, and every other one goes on from
        where the last has led. Raises OutOfTimeError.
        """
        price = self._finder.price.copy()
        for k in range(most):
            found = self._finder.step(z, price)
            if found is None:
                return
            self._learn(found.step)
            price[found.stops] *= DEARER
            if k % 2:
                z = self._extended.complete(z[: self._extended.n] + found.step)

    def clauses(self, first: int) -> list[list[Change]]:
        """The literals of each clause from number ``first`` on."""
        found: list[list[Change]] = [[] for _ in range(first, self.count)]
        for k in np.flatnonzero(self.clause >= first).tolist():
            found[int(self.clause[k]) - first].append(self.literal(k))
        return found

    def _learn(self, step: Floats) -> None:
        if step.tobytes() in self._seen:
            return
        self._seen.add(step.tobytes())
        literals = self._literals(step)
        k = len(literals)
        self.columns = np.append(self.columns, np.array([c.column for c in literals], dtype=np.int64))
        self.upward = np.append(self.upward, np.array([not c.is_upper for c in literals], dtype=bool))
        self.bounds = np.append(self.bounds, np.array([c.bound for c in literals], dtype=float))
        self.clause = np.append(self.clause, np.full(k, self.count, dtype=np.int64))
        self.count += 1

    def _literals(self, step: Floats) -> list[Change]:
        """What can stop ``step`` (n,)."""
        bodies, relaxation = self._extended.bodies, self._extended.source.relaxation
        moved = bodies.matrix @ step
        found = _stops(bodies.columns, moved, bodies.lower, bodies.upper, bodies.whole)
        own = self.own
        return found + _stops(own, step[own], relaxation.lower[own], relaxation.upper[own], relaxation.integer[own])

    def holding(self, z: Floats) -> Flags:
        """(L,): the literals that hold at ``z``, or nearly so."""
        distance = np.where(self.upward, self.bounds - z[self.columns], z[self.columns] - self.bounds)
        return np.asarray(distance < 1e-4 * np.maximum(1.0, np.abs(self.bounds)))

    def state(self, lower: Floats, upper: Floats) -> tuple[Flags, Flags]:
        """(L,), (L,): the literals that still can hold, and those that certainly do, for bounds (columns of the program)."""
        low, up = lower[self.columns], upper[self.columns]
        small = 1e-6 * np.maximum(1.0, np.abs(self.bounds))
        can = np.where(self.upward, up >= self.bounds - small, low <= self.bounds + small)
        does = np.where(self.upward, low >= self.bounds - small, up <= self.bounds + small)
        return can, does

    def literal(self, k: int) -> Change:
        """The bound that makes literal ``k`` hold."""
        return Change(int(self.columns[k]), not bool(self.upward[k]), float(self.bounds[k]))

    def consequences(self, lower: Floats, upper: Floats) -> list[Change] | None:
        """Unit propagation; None where a clause cannot hold any more."""
        if not self.count:
            return []
        can, does = self.state(lower, upper)
        open_ = np.bincount(self.clause, can, minlength=self.count)
        done = np.bincount(self.clause, does, minlength=self.count) > 0
        if ((open_ == 0) & ~done).any():
            return None
        unit = (open_ == 1) & ~done
        return [self.literal(int(k)) for k in np.flatnonzero(can & unit[self.clause])]

    def violated(self, z: Floats) -> Ints:
        """The clauses of which no literal holds at ``z``."""
        if not self.count:
            return np.zeros(0, dtype=np.int64)
        found: Ints = np.flatnonzero(np.bincount(self.clause, self.holding(z), minlength=self.count) == 0)
        return found


def _stops(columns: Ints, moved: Floats, lower: Floats, upper: Floats, whole: Flags) -> list[Change]:
    found = []
    for j, by, low, up, is_whole in zip(
        columns.tolist(), moved.tolist(), lower.tolist(), upper.tolist(), whole.tolist(), strict=True
    ):
        if by > 1e-9 and np.isfinite(up):
            found.append(Change(j, False, float(np.floor(up - by + 1e-6) + 1) if is_whole else up - by))
        elif by < -1e-9 and np.isfinite(low):
            found.append(Change(j, True, float(np.ceil(low - by - 1e-6) - 1) if is_whole else low - by))
    return found


@dataclass(frozen=True, slots=True)
class _Step:
    """``step`` (n,), and which of the program's prices it pays."""

    step: Floats
    stops: Flags


class _Finder:
    """min the number of stops of a step that is feasible and improving at a point; one program, only sides and bounds change."""

    def __init__(self, extended: Extended, own: Ints, options: SolverOptions, deadline: float | None) -> None:
        self._extended, self._own = extended, own
        bodies, relaxation = extended.bodies, extended.source.relaxation
        matrix = sp.csr_matrix(bodies.matrix[:, own])
        low, up = extended.program.lower[bodies.columns], extended.program.upper[bodies.columns]
        reach = np.minimum(np.where(np.isfinite(up - low), up - low, 1e4), 1e4)
        width = relaxation.upper[own] - relaxation.lower[own]
        width = np.minimum(np.where(np.isfinite(width), width, 1e4), 1e4)
        F, k = len(bodies.columns), len(own)
        rows_up, rows_low = np.flatnonzero(np.isfinite(bodies.upper)), np.flatnonzero(np.isfinite(bodies.lower))
        counted = len(rows_up) + len(rows_low) + 2 * k
        unit = sp.identity(k, format="csr")
        stop = sp.vstack([matrix[rows_up], -matrix[rows_low], unit, -unit], format="csr")
        reaches = np.concatenate([reach[rows_up], reach[rows_low], width, width])
        cost = sp.csr_matrix(extended.value_cost[own])
        whole = sp.bmat([[matrix, None], [cost, None], [stop, -sp.diags(np.maximum(reaches, 1.0))]], format="csr")
        low_or_open, up_or_open = np.isfinite(relaxation.lower[own]), np.isfinite(relaxation.upper[own])
        price = np.concatenate([np.ones(len(rows_up) + len(rows_low)), up_or_open.astype(float), low_or_open.astype(float)])
        nothing = np.full(counted, -np.inf)
        program = MatrixProgram(
            lower=np.append(np.full(k, -np.inf), np.zeros(counted)),
            upper=np.append(np.full(k, np.inf), np.ones(counted)),
            integer=np.append(relaxation.integer[own], np.zeros(counted, dtype=bool)),
            cost=np.append(np.zeros(k), price),
            matrix=sp.csr_matrix(whole),
            row_lower=np.concatenate([np.full(F, -np.inf), [-np.inf], nothing]),
            row_upper=np.concatenate([np.full(F, np.inf), [-1.0], np.zeros(counted)]),
        )
        quick = replace(
            options, extra={**options.extra, "mip_max_nodes": NODES, "mip_rel_gap": 0.2, "mip_feasibility_tolerance": 1e-7}
        )
        self._program = program
        self.price: Floats = price
        self.milp = HotMilp(program, quick, deadline)

    def step(self, z: Floats, price: Floats | None = None) -> _Step | None:
        """A step from ``z``, None where none was found; ``price``: what each of its stops costs."""
        extended, own, program = self._extended, self._own, self._program
        bodies, relaxation = extended.bodies, extended.source.relaxation
        n, k, F = extended.n, len(own), len(bodies.columns)
        body = bodies.matrix @ z[:n]
        lower, upper = program.lower.copy(), program.upper.copy()
        lower[:k], upper[:k] = np.minimum(relaxation.lower[own] - z[own], 0), np.maximum(relaxation.upper[own] - z[own], 0)
        row_lower, row_upper = program.row_lower.copy(), program.row_upper.copy()
        row_lower[:F], row_upper[:F] = np.minimum(bodies.lower - body, 0), np.maximum(bodies.upper - body, 0)
        row_upper[F] = -1.0 if extended.value_whole else -1e-4 * max(1.0, abs(float(extended.value_cost @ z[:n])))
        self.milp.set_bounds(lower, upper)
        self.milp.set_sides(row_lower, row_upper)
        self.milp.set_cost(np.append(np.zeros(k), self.price if price is None else price))
        try:
            answer = self.milp.solve()
        except SolverFailedError:
            # HiGHS has called a point with fractions optimal. A step only helps: without one the part is divided by answers.
            return None
        if answer.termination in (Termination.LIMIT, Termination.INTERRUPTED) and self.milp.out_of_time():
            raise OutOfTimeError("the time limit is reached")
        if answer.x is None:
            return None
        step = np.zeros(n)
        step[own] = answer.x[:k]
        # Rounding may have left a step that is none.
        gain = float(extended.value_cost @ step)
        return _Step(step, answer.x[k:] > 1e-9) if gain < -0.5e-4 else None
