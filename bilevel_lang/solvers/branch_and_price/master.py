"""The linear program over patterns: which fillings of the knapsacks, in what shares, and the columns that are in none.

Every row has a column for what is missing and one for what is too much, at a price far above all others, so that there always is
an answer to price patterns with.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp

from bilevel_lang.solvers.branch_and_price.form import BlockForm
from bilevel_lang.solvers.highs_instance import load, termination_of
from bilevel_lang.solvers.matrix import Flags, Ints, MatrixProgram
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.solver import SolverOptions, Termination

DEAR = 100.0
"""What is missing costs so many times the highest cost of a column."""

PATTERNS = 2_000
"""Patterns that are kept from one program to the next; of more, the half that was of use last."""

_PRIMAL = 4
"""HiGHS's number for ``simplex_strategy``: patterns join, and the point stays feasible."""


@dataclass(frozen=True, slots=True)
class Shares:
    """An optimum: its ``objective``, ``y`` (n,), the ``shares`` (p,) of all patterns, duals (l + g,) of the rows and (K,) of the
    knapsacks, and how much is ``missing`` of rows in all."""

    objective: float
    y: Floats
    shares: Floats
    row_duals: Floats
    block_duals: Floats
    missing: float


class Master:
    """The patterns known so far, and an instance of HiGHS that holds them. ``items`` (p, w) are as in
    :class:`~bilevel_lang.solvers.branch_and_price.knapsacks.Knapsacks`, ``blocks`` (p,) the knapsack of each.

    Raises SolverMissingError.
    """

    def __init__(self, form: BlockForm) -> None:
        self.form, self.cost = form, form.program.cost.copy()
        self.items = np.zeros((0, form.knapsacks.items.shape[1]), dtype=np.int64)
        self.blocks, self._weight = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
        self._last, self._now = np.zeros(0, dtype=np.int64), 0
        self._known: set[tuple[int, bytes]] = set()
        self.solves = 0
        self._highs: Any
        self._first: int
        self._lower: Floats
        self._upper: Floats
        self._row_lower: Floats
        self._row_upper: Floats
        self._least: Floats
        self._most: Floats
        self._on: Flags
        self._build()

    # --- The programs one after the other.

    def begin(self, cost: Floats) -> None:
        """A new program, with costs (n,)."""
        self._now += 1
        many = len(self.blocks) > PATTERNS
        if many:
            self._keep(np.sort(np.argsort(-self._last, kind="stable")[: PATTERNS // 2]))
        if many or not np.array_equal(cost, self.cost):
            self.cost = cost.copy()
            self._build()

    def set_sides(self, lower: Floats, upper: Floats) -> None:
        """Sides (l + g,) of the rows."""
        moved = np.flatnonzero((lower != self._row_lower) | (upper != self._row_upper)).astype(np.int32)
        if moved.size:
            self._highs.changeRowsBounds(len(moved), moved, lower[moved], upper[moved])
            self._row_lower, self._row_upper = lower.copy(), upper.copy()

    def set_bounds(self, lower: Floats, upper: Floats, room: Ints, most: Floats | None = None) -> None:
        """Bounds (n,) of the columns and ``room`` (K,): patterns that do not go with them are shut off.

        ``most`` (K,): of each knapsack's patterns there are no more than that, all shares together; 1 without.
        """
        free = self.form.free
        self._move(lower[free], upper[free])
        low, up = np.append(lower, 0.0), np.append(upper, 1.0)
        items = self.form.knapsacks.items
        wanted = low[items].sum(axis=1)
        on = (up[self.items] > 0).all(axis=1) & (self._weight <= room[self.blocks])
        on &= low[self.items].sum(axis=1) >= wanted[self.blocks]
        turned = np.flatnonzero(on != self._on).astype(np.int32)
        if turned.size:
            self._highs.changeColsBounds(
                len(turned), turned + self._first, np.zeros(len(turned)), np.where(on[turned], np.inf, 0.0)
            )
            self._on = on
        # A knapsack stays empty or takes one pattern; it takes one where an item must be in it.
        most = np.ones(len(wanted)) if most is None else most
        least = np.where(wanted > 0, most, -np.inf)
        turned = np.flatnonzero((least != self._least) | (most != self._most)).astype(np.int32)
        if turned.size:
            rows = turned + np.int32(self.form.matrix.shape[0])
            self._highs.changeRowsBounds(len(turned), rows, least[turned], most[turned])
            self._least, self._most = least, most.copy()

    def add(self, blocks: Ints, chosen: Flags) -> int:
        """Patterns ``chosen`` (b, w) of the knapsacks ``blocks`` (b,); how many of them are new."""
        items = np.where(chosen, self.form.knapsacks.items[blocks], self.form.program.columns)
        new = []
        for i, (block, row) in enumerate(zip(blocks.tolist(), items, strict=True)):
            key = (block, row.tobytes())
            if key not in self._known:
                self._known.add(key)
                new.append(i)
        if new:
            weight = (self.form.knapsacks.weights[blocks[new]] * chosen[new]).sum(axis=1)
            self._append(items[new], blocks[new], weight)
            begin = len(self.blocks) - len(new)
            self._pass(np.arange(begin, len(self.blocks)))
        return len(new)

    def solve(self) -> Shares | None:
        """None where HiGHS finds no optimum."""
        self._highs.run()
        self.solves += 1
        if termination_of(self._highs) is not Termination.OPTIMAL:
            return None
        solution = self._highs.getSolution()
        x, duals = np.array(solution.col_value), np.array(solution.row_dual)
        free, rows = self.form.free, int(self.form.matrix.shape[0])
        shares = x[self._first :]
        used = np.flatnonzero(shares > 1e-9)
        self._last[used] = self._now
        y = np.zeros(len(self.cost) + 1)
        y[free] = x[: len(free)]
        np.add.at(y, self.items[used].ravel(), np.repeat(shares[used], self.items.shape[1]))
        return Shares(
            float(self._highs.getInfo().objective_function_value),
            y[:-1],
            shares,
            duals[:rows],
            duals[rows:],
            float(x[len(free) : self._first].sum()),
        )

    # --- HiGHS.

    def _build(self) -> None:
        """An instance with all patterns, every one of them shut off."""
        form, program = self.form, self.form.program
        rows, blocks = int(form.matrix.shape[0]), len(form.knapsacks.rows)
        missing = sp.hstack([sp.eye(rows + blocks), sp.vstack([-sp.eye(rows), sp.csr_matrix((blocks, rows))])])
        matrix = sp.hstack([sp.vstack([form.matrix[:, form.free], sp.csr_matrix((blocks, len(form.free)))]), missing])
        dear = np.full(2 * rows + blocks, DEAR * max(1.0, float(np.abs(self.cost).max())))
        self._lower, self._upper = program.lower[form.free].copy(), program.upper[form.free].copy()
        self._row_lower, self._row_upper = np.full(rows, -np.inf), np.full(rows, np.inf)
        self._least, self._most = np.full(blocks, -np.inf), np.ones(blocks)
        self._on = np.zeros(len(self.blocks), dtype=bool)
        self._first = len(form.free) + len(dear)
        lp = MatrixProgram(
            lower=np.concatenate([self._lower, np.zeros(len(dear))]),
            upper=np.concatenate([self._upper, np.full(len(dear), np.inf)]),
            integer=np.zeros(self._first, dtype=bool),
            cost=np.concatenate([self.cost[form.free], dear]),
            matrix=sp.csr_matrix(matrix),
            row_lower=np.concatenate([self._row_lower, self._least]),
            row_upper=np.concatenate([self._row_upper, self._most]),
        )
        self._highs = load(lp, SolverOptions(threads=1, extra={"presolve": "off", "simplex_strategy": _PRIMAL}))
        if len(self.blocks):
            self._pass(np.arange(len(self.blocks)))

    def _pass(self, chosen: Ints) -> None:
        """Patterns go to HiGHS; new ones are open, known ones shut until the next bounds."""
        indptr, indices, data = self.form.matrix.indptr, self.form.matrix.indices, self.form.matrix.data
        rows, starts, places, entries = int(self.form.matrix.shape[0]), [], [], []
        count = 0
        for p in chosen.tolist():
            own = self.items[p][self.items[p] < len(self.cost)]
            where = np.concatenate([indices[indptr[j] : indptr[j + 1]] for j in own] + [np.zeros(0, dtype=np.int64)])
            what = np.concatenate([data[indptr[j] : indptr[j + 1]] for j in own] + [np.zeros(0)])
            place, inverse = np.unique(where, return_inverse=True)
            starts.append(count)
            places.append(np.append(place, rows + self.blocks[p]))
            entries.append(np.append(np.bincount(inverse, what, len(place)), 1.0))
            count += len(place) + 1
        costs = np.append(self.cost, 0.0)[self.items[chosen]].sum(axis=1)
        opened = np.where(self._on[chosen], np.inf, 0.0)
        self._highs.addCols(
            len(chosen),
            costs,
            np.zeros(len(chosen)),
            opened,
            count,
            np.array(starts, dtype=np.int32),
            np.concatenate(places).astype(np.int32),
            np.concatenate(entries),
        )

    def _move(self, lower: Floats, upper: Floats) -> None:
        moved = np.flatnonzero((lower != self._lower) | (upper != self._upper)).astype(np.int32)
        if moved.size:
            self._highs.changeColsBounds(len(moved), moved, lower[moved], upper[moved])
            self._lower, self._upper = lower.copy(), upper.copy()

    # --- The pool.

    def _append(self, items: Ints, blocks: Ints, weight: Ints) -> None:
        self.items, self.blocks = np.vstack([self.items, items]), np.append(self.blocks, blocks)
        self._weight = np.append(self._weight, weight)
        self._last = np.append(self._last, np.full(len(blocks), self._now))
        self._on = np.append(self._on, np.ones(len(blocks), dtype=bool))

    def _keep(self, chosen: Ints) -> None:
        self.items, self.blocks, self._weight = self.items[chosen], self.blocks[chosen], self._weight[chosen]
        self._last = self._last[chosen]
        self._known = {(block, row.tobytes()) for block, row in zip(self.blocks.tolist(), self.items, strict=True)}
