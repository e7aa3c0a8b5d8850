"""The relaxation with what the policies seen so far say: each is no better than the follower's own answer, or not feasible.

    f(z) <= f under the policy,    or    one of its conditions reaches its limit

with a binary for every condition that can be violated at all. The set is closed: where a condition only just reaches its limit
the policy is still feasible, and the row says nothing. Every solution satisfies it, so the optimum is a bound; but the relaxation
can be stuck at such a point.

**With a witness** the continuous columns stand there twice, with the same whole columns and binaries, and the second copy
violates its conditions for sure (by :data:`.policies.EPSILON`). For given whole columns and binaries both copies lie in one
polyhedron, so all points between the two violate the conditions strictly: the optimum of the first copy is the infimum of such
points, which need not be attained. What is lost are regions so narrow that no point of them is a witness.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp

from bilevel_lang.reformulation.value_function.continuous.policies import Condition, Policy
from bilevel_lang.reformulation.value_function.integer.arrays import BilevelProgram
from bilevel_lang.solvers.matrix import Indicator, Ints, MatrixProgram
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.solver import Termination
from bilevel_lang.solvers.warm_lp import warm_relaxation

LARGEST_M = 1e5
"""A proven constant up to which a binary switches a row off by it; above, by an indicator."""

SAFETY = 1e-7
"""What a proven constant is widened by, relative to max(1, |constant|)."""

TOUCHING = 1e-9
"""A condition that can be exceeded by no more than this, relative to max(1, |limit|), cannot be violated."""

ITERATIONS = 1_000_000
"""Simplex iterations for all constants together; more are infinite ones."""


@dataclass(frozen=True, eq=False)
class _Row:
    """``coefficients'z + width * margin <= side`` where ``switch`` is 1 (None: always).

    The sum of coefficients is at most ``most`` in any case, which may be infinite. ``margin`` is a share of epsilon.
    """

    coefficients: Floats
    side: float
    most: float
    switch: int | None
    width: float = 0.0


class Master:
    """See the module's docstring. Columns: those of the relaxation (n), the witness's continuous ones, binaries, slacks of
    indicators, the share of epsilon."""

    def __init__(self, source: BilevelProgram) -> None:
        self._source = source
        self._relaxation = source.relaxation
        self._extremes = warm_relaxation(source.relaxation, ITERATIONS)
        self._known: dict[bytes, float] = {}
        self._switches: dict[tuple[bytes, float], int] = {}
        self._binaries = 0
        self._closed: list[_Row] = []
        self._sure: list[_Row] = []
        self._choices: list[list[int]] = []
        self.policies: list[Policy] = []
        self._free: Ints = np.flatnonzero(~source.relaxation.integer)

    def add(self, policy: Policy) -> None:
        """The disjunction of ``policy``."""
        self.policies.append(policy)
        better = self._source.follower_cost - policy.value
        most = self.most(better)
        if most <= policy.worth:
            return
        switches = [self._switch(c) for c in policy.conditions if self._can_be_violated(c)]
        own = self._new_binary() if switches else None
        row = _Row(better, policy.worth, most, own)
        self._closed.append(row)
        self._sure.append(row)
        if own is not None:
            self._choices.append([own, *switches])

    def _can_be_violated(self, condition: Condition) -> bool:
        most = self.most(condition.coefficients)
        if condition.reach > condition.limit:
            return most >= condition.reach - 1e-6 * max(1.0, abs(condition.reach))
        return most > condition.limit + TOUCHING * max(1.0, abs(condition.limit))

    def _switch(self, condition: Condition) -> int:
        """The binary that makes the condition reach its limit."""
        key = condition.coefficients.tobytes(), condition.reach
        known = self._switches.get(key)
        if known is None:
            known = self._switches[key] = self._new_binary()
            least = self.most(-condition.coefficients)
            self._closed.append(_Row(-condition.coefficients, -condition.reach, least, known))
            width = condition.sure - condition.reach
            self._sure.append(_Row(-condition.coefficients, -condition.reach, least, known, width))
        return known

    def _new_binary(self) -> int:
        self._binaries += 1
        return self._binaries - 1

    def most(self, row: Floats) -> float:
        """The largest value of ``row'z`` over the linear relaxation, infinite where none is known."""
        key = row.tobytes()
        if key not in self._known:
            used = np.flatnonzero(row)
            found = self._extremes.largest(used, row[used])
            proven = found.termination is Termination.OPTIMAL and found.value is not None
            self._known[key] = float(found.value) if proven and found.value is not None else math.inf
        return self._known[key]

    def program(self, witness: bool) -> MatrixProgram:
        """The relaxation with everything added so far."""
        return self._assembled([self._closed, self._sure] if witness else [self._closed])

    def widest(self, at_most: float | None) -> MatrixProgram:
        """The largest share of epsilon that a witness can have, where the objective, as a minimisation, is at ``at_most``."""
        program = self.program(witness=True)
        goal = program.sense * program.cost
        lower, cost = program.lower.copy(), np.zeros(program.columns)
        lower[-1], cost[-1] = 0.0, -1.0
        found = replace(program, lower=lower, cost=cost, sense=1, constant=0.0)
        if at_most is None:
            return found
        return replace(
            found,
            matrix=sp.vstack([program.matrix, sp.csr_matrix(goal)], format="csr"),
            row_lower=np.append(program.row_lower, -math.inf),
            row_upper=np.append(program.row_upper, at_most - program.sense * program.constant),
        )

    def leaf(self, x: Floats) -> MatrixProgram:
        """:meth:`program` with a witness, whole columns and binaries as in its point ``x``; the goal is that of the witness."""
        program = self.program(witness=True)
        n, copies = self._relaxation.columns, len(self._free)
        lower, upper, cost = program.lower.copy(), program.upper.copy(), program.cost.copy()
        whole = program.integer
        lower[whole] = upper[whole] = np.rint(x[whole])
        cost[n : n + copies] = cost[self._free]
        cost[self._free] = 0.0
        return replace(program, lower=lower, upper=upper, cost=cost)

    def witness_of(self, x: Floats) -> Floats:
        """(n,): the second copy in a point of :meth:`program` with a witness."""
        n = self._relaxation.columns
        z: Floats = x[:n].copy()
        z[self._free] = x[n : n + len(self._free)]
        return z

    def _assembled(self, copies: Sequence[list[_Row]]) -> MatrixProgram:
        base, n = self._relaxation, self._relaxation.columns
        built = _Assembly(base, n + (len(copies) - 1) * len(self._free), self._binaries)
        for number, rows in enumerate(copies):
            columns: Ints = np.arange(n)
            if number:
                columns[self._free] = n + np.arange(len(self._free))
                touched = np.flatnonzero(np.diff(sp.csr_matrix(base.matrix[:, self._free]).indptr) > 0)
                built.rows(base.matrix[touched], columns, base.row_lower[touched], base.row_upper[touched])
            for row in rows:
                built.switched(row, columns)
        for choice in self._choices:
            built.one_of(choice)
        return built.program(self._free if len(copies) > 1 else self._free[:0])


class _Assembly:
    """Collects rows over ``first`` columns, binaries, and slacks for indicators."""

    def __init__(self, base: MatrixProgram, first: int, binaries: int) -> None:
        self._base, self._first, self._binaries = base, first, binaries
        self._row: list[int] = []
        self._column: list[int] = []
        self._data: list[float] = []
        self._lower: list[float] = []
        self._upper: list[float] = []
        self._indicators: list[Indicator] = []
        self._wide: list[tuple[int, float]] = []

    def rows(self, matrix: sp.csr_matrix, columns: Ints, lower: Floats, upper: Floats) -> None:
        found = sp.coo_matrix(matrix)
        self._row += (found.row + len(self._lower)).tolist()
        self._column += columns[found.col].tolist()
        self._data += found.data.tolist()
        self._lower += lower.tolist()
        self._upper += upper.tolist()

    def switched(self, row: _Row, columns: Ints) -> None:
        used = np.flatnonzero(row.coefficients)
        named, data = columns[used].tolist(), row.coefficients[used].tolist()
        size = max(0.0, row.most + row.width - row.side)
        if row.width:
            self._wide.append((len(self._lower), row.width))
        if row.switch is None:
            self._add(named, data, row.side)
        elif size + SAFETY * max(1.0, abs(size)) <= LARGEST_M:
            size += SAFETY * max(1.0, abs(size))
            self._add([*named, self._first + row.switch], [*data, size], row.side + size)
        else:
            slack = self._first + self._binaries + len(self._indicators)
            self._indicators.append(Indicator(self._first + row.switch, 1, slack))
            self._add([*named, slack], [*data, -1.0], row.side)

    def one_of(self, binaries: list[int]) -> None:
        self._add([self._first + b for b in binaries], [-1.0] * len(binaries), -1.0)

    def _add(self, columns: list[int], data: list[float], side: float) -> None:
        self._row += [len(self._lower)] * len(columns)
        self._column += columns
        self._data += data
        self._lower.append(-math.inf)
        self._upper.append(side)

    def program(self, copied: Ints) -> MatrixProgram:
        base, slacks = self._base, len(self._indicators)
        total = self._first + self._binaries + slacks + 1
        row, column = [*self._row, *(i for i, _ in self._wide)], [*self._column, *[total - 1] * len(self._wide)]
        data = [*self._data, *(width for _, width in self._wide)]
        extra = sp.csr_matrix((data, (row, column)), shape=(len(self._lower), total))
        wide = sp.csr_matrix((base.matrix.data, base.matrix.indices, base.matrix.indptr), shape=(base.rows, total))
        zeros, ones = np.zeros(self._binaries), np.ones(self._binaries)
        return replace(
            base,
            lower=np.concatenate([base.lower, base.lower[copied], zeros, np.zeros(slacks), [1.0]]),
            upper=np.concatenate([base.upper, base.upper[copied], ones, np.full(slacks, math.inf), [1.0]]),
            integer=np.concatenate([base.integer, base.integer[copied], ones > 0, np.zeros(slacks + 1, dtype=bool)]),
            cost=np.append(base.cost, np.zeros(total - base.columns)),
            matrix=sp.csr_matrix(sp.vstack([wide, extra], format="csr")),
            row_lower=np.append(base.row_lower, self._lower),
            row_upper=np.append(base.row_upper, self._upper),
            indicators=tuple(self._indicators),
        )
