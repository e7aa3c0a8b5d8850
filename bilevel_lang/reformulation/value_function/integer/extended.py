"""The high-point relaxation with columns for what the method reasons about: the activities, and the follower's objective.

Bounds of these columns are all that propagation and branching have to change. Every bound is derived: by propagation over the
rows, then by linear programs, so what uses them as big-M constants is proven.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp

from bilevel_lang.reformulation.value_function.integer.arrays import (
    BilevelProgram,
    LinkedRows,
    NotIntegerError,
    integer_multiple,
    linked_rows,
)
from bilevel_lang.reformulation.value_function.integer.tightening import LP_ITERATIONS, tightened
from bilevel_lang.solvers.matrix import Flags, Ints, MatrixProgram
from bilevel_lang.solvers.program import Floats


@dataclass(frozen=True, slots=True)
class Bodies:
    """The follower's rows with columns of its own: ``lower <= matrix z <= upper``, F rows, each with a column for its body.

    ``rows`` (F,) are their numbers in the relaxation. Where ``whole`` (F,) the row was divided by a unit that makes its body a
    whole number.
    """

    matrix: sp.csr_matrix
    lower: Floats
    upper: Floats
    whole: Flags
    columns: Ints
    rows: Ints


@dataclass(frozen=True, slots=True)
class Extended:
    """``program`` has the n columns of the relaxation, then those of activities that are no column themselves, of the bodies, and
    of the value. A row that has a column for its body is a pair of bounds in it.

    ``activity_columns`` (K,): the column of each activity; ``value`` the column of the follower's objective, which is
    ``value_scale`` times smaller than the follower's own; whole where ``value_whole``. ``opposed``: see :mod:`.opposition`.
    """

    source: BilevelProgram
    program: MatrixProgram
    rows: LinkedRows
    links: Ints
    activity_columns: Ints
    value: int
    value_cost: Floats
    value_scale: float
    value_whole: bool
    bodies: Bodies
    infeasible: bool = False
    opposed: bool = False

    @property
    def n(self) -> int:
        """How many columns the relaxation has."""
        return self.source.relaxation.columns

    @property
    def reasoned(self) -> Ints:
        """The columns whose bounds the method reasons about, each once."""
        own = np.flatnonzero(self.source.follower)
        value = np.array([self.value])
        found: Ints = np.unique(np.concatenate([self.activity_columns, value, self.links, self.bodies.columns, own]))
        return found

    def complete(self, z: Floats) -> Floats:
        """The columns of ``program`` at the relaxation's ``z`` (n,)."""
        full = np.zeros(self.program.columns)
        full[: self.n] = z
        full[self.activity_columns] = self.rows.activities @ z
        full[self.bodies.columns] = self.bodies.matrix @ z
        full[self.value] = self.value_cost @ z
        return full

    def with_answer(self, z: Floats, y: Floats) -> Floats:
        """``z`` (columns of ``program``) with the follower's columns of ``y`` (n,) instead of its own."""
        return self.complete(np.where(self.source.follower, y, z[: self.n]))

    def value_tolerance(self, value: float) -> float:
        """What counts as no better than ``value``."""
        return 0.5 if self.value_whole else 2e-7 * max(1.0, abs(value))


def extend(source: BilevelProgram, iterations: int = LP_ITERATIONS) -> Extended:
    """Add the columns and derive bounds, with that many ``iterations`` of the simplex.

    Raises NotIntegerError where a row of the follower is not whole in the leader's columns.
    """
    rows = linked_rows(source)
    n, count = source.relaxation.columns, rows.activities.shape[0]
    single = np.diff(rows.activities.indptr) == 1
    single &= np.array([rows.activities.data[rows.activities.indptr[k]] == 1 for k in range(count)], dtype=bool)
    columns = np.empty(count, dtype=np.int64)
    columns[single] = rows.activities.indices[rows.activities.indptr[:-1][single]]
    columns[~single] = n + np.arange(int((~single).sum()))
    added = int((~single).sum())
    scale, cost, whole = _value(source)
    bodies = _bodies(source, n + added)
    width = n + added + len(bodies.columns) + 1
    kinds = np.concatenate([np.ones(added, dtype=bool), bodies.whole, [whole]])
    program = _wider(_without(source.relaxation, bodies.rows), kinds)
    program.lower[bodies.columns], program.upper[bodies.columns] = bodies.lower, bodies.upper
    program = _defined(program, columns[~single], rows.activities[np.flatnonzero(~single)])
    program = _defined(program, bodies.columns, _with_activities(source, rows, columns, bodies, width))
    program = _defined(program, np.array([width - 1]), sp.csr_matrix(cost))
    program, infeasible = tightened(program, np.append(columns, program.columns - 1), iterations)
    links = np.flatnonzero(source.linking())
    return Extended(source, program, rows, links, columns, program.columns - 1, cost, scale, whole, bodies, infeasible)


def _bodies(source: BilevelProgram, first: int) -> Bodies:
    """The bodies, with columns from ``first`` on."""
    relaxation = source.relaxation
    mine = np.flatnonzero(source.follower_rows)
    matrix = sp.csr_matrix(relaxation.matrix[mine])
    own = np.asarray((matrix[:, np.flatnonzero(source.follower)] != 0).sum(axis=1)).ravel() > 0
    matrix, mine = sp.csr_matrix(matrix[np.flatnonzero(own)]), mine[own]
    units, whole = np.ones(len(mine)), np.zeros(len(mine), dtype=bool)
    for i in range(len(mine)):
        part = slice(matrix.indptr[i], matrix.indptr[i + 1])
        if relaxation.integer[matrix.indices[part]].all():
            try:
                units[i], _ = integer_multiple(matrix.data[part], matrix.indices[part])
                whole[i] = True
            except NotIntegerError:
                continue
    scaled = sp.csr_matrix(sp.diags(1.0 / units) @ matrix)
    scaled.data = np.where(np.repeat(whole, np.diff(scaled.indptr)), np.rint(scaled.data), scaled.data)
    lower, upper = relaxation.row_lower[mine] / units, relaxation.row_upper[mine] / units
    return Bodies(scaled, lower, upper, whole, first + np.arange(len(mine)), mine)


def _with_activities(
    source: BilevelProgram, rows: LinkedRows, activity_columns: Ints, bodies: Bodies, width: int
) -> sp.csr_matrix:
    """(F, width): the bodies with the activity's column for the leader's part, which has a dense row already."""
    matrix = bodies.matrix
    number = np.full(source.relaxation.rows, -1, dtype=np.int64)
    number[rows.row] = rows.activity
    activity = number[bodies.rows]
    linked = np.flatnonzero(activity >= 0)
    first = rows.activities.indptr[activity[linked]]
    # A fancy index of nothing is a sparse matrix, of something a dense one.
    there = np.asarray(matrix[linked, rows.activities.indices[first]]).ravel() if linked.size else np.zeros(0)
    factor = there / rows.activities.data[first]
    row = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    kept = source.follower[matrix.indices] | (activity[row] < 0)
    return sp.csr_matrix(
        (
            np.append(matrix.data[kept], factor),
            (np.append(row[kept], linked), np.append(matrix.indices[kept], activity_columns[activity[linked]])),
        ),
        shape=(matrix.shape[0], width),
    )


def _value(source: BilevelProgram) -> tuple[float, Floats, bool]:
    """The follower's objective in a unit that makes it whole, where there is one."""
    cost = source.follower_cost
    used = np.flatnonzero(cost)
    if not used.size:
        return 1.0, cost, True
    if source.relaxation.integer[used].all():
        try:
            scale, integers = integer_multiple(cost[used], used)
        except NotIntegerError:
            return 1.0, cost, False
        whole = np.zeros(len(cost))
        whole[used] = integers
        return scale, whole, True
    return 1.0, cost, False


def _without(program: MatrixProgram, rows: Ints) -> MatrixProgram:
    """``program`` without some rows."""
    kept = np.ones(program.rows, dtype=bool)
    kept[rows] = False
    matrix = sp.csr_matrix(program.matrix[np.flatnonzero(kept)])
    return replace(program, matrix=matrix, row_lower=program.row_lower[kept], row_upper=program.row_upper[kept])


def _wider(program: MatrixProgram, whole: Flags) -> MatrixProgram:
    """``program`` with free columns behind its own, integer where ``whole``."""
    added, matrix = len(whole), program.matrix
    return replace(
        program,
        lower=np.append(program.lower, np.full(added, -math.inf)),
        upper=np.append(program.upper, np.full(added, math.inf)),
        integer=np.append(program.integer, whole),
        cost=np.append(program.cost, np.zeros(added)),
        matrix=sp.csr_matrix((matrix.data, matrix.indices, matrix.indptr), shape=(program.rows, program.columns + added)),
    )


def _defined(program: MatrixProgram, columns: Ints, defining: sp.csr_matrix) -> MatrixProgram:
    """``program`` with rows that say what ``columns`` (r,) are; ``defining`` (r, any) may end before the last columns."""
    count = len(columns)
    wide = sp.csr_matrix((defining.data, defining.indices, defining.indptr), shape=(count, program.columns))
    unit = sp.csr_matrix((np.ones(count), (np.arange(count), columns)), shape=(count, program.columns))
    level = np.zeros(count)
    return replace(
        program,
        matrix=sp.vstack([program.matrix, wide - unit], format="csr"),
        row_lower=np.append(program.row_lower, level),
        row_upper=np.append(program.row_upper, level),
    )
