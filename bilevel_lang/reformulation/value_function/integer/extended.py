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
from bilevel_lang.solvers.matrix import Flags, Ints, MatrixProgram
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.solver import Termination
from bilevel_lang.solvers.warm_lp import warm_relaxation

ROUNDS = 20
"""Rounds of propagation; each narrows further only where the one before did."""

SAFETY = 1e-6
"""What a bound from floating-point sums is widened by, relative to max(1, |bound|), before it is rounded or used."""

LP_ITERATIONS = 20_000
"""Simplex iterations for all bounds from linear programs together."""


@dataclass(frozen=True, slots=True)
class Bodies:
    """The follower's rows with columns of its own: ``lower <= matrix z <= upper``, F rows, each with a column for its body.

    Where ``whole`` (F,) the row was divided by a unit that makes its body a whole number.
    """

    matrix: sp.csr_matrix
    lower: Floats
    upper: Floats
    whole: Flags
    columns: Ints


@dataclass(frozen=True, slots=True)
class Extended:
    """``program`` has the n columns of the relaxation, then those of activities that are no column themselves, then the value.

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


def extend(source: BilevelProgram) -> Extended:
    """Add the columns and derive bounds. Raises NotIntegerError where a row of the follower is not whole in the leader's
    columns."""
    rows = linked_rows(source)
    n, count = source.relaxation.columns, rows.activities.shape[0]
    single = np.diff(rows.activities.indptr) == 1
    single &= np.array([rows.activities.data[rows.activities.indptr[k]] == 1 for k in range(count)], dtype=bool)
    columns = np.empty(count, dtype=np.int64)
    columns[single] = rows.activities.indices[rows.activities.indptr[:-1][single]]
    columns[~single] = n + np.arange(int((~single).sum()))
    scale, cost, whole = _value(source)
    bodies = _bodies(source, n + int((~single).sum()))
    defining = sp.vstack([rows.activities[np.flatnonzero(~single)], bodies.matrix, sp.csr_matrix(cost)], format="csr")
    kinds = np.concatenate([np.ones(int((~single).sum()), dtype=bool), bodies.whole, [whole]])
    program = _with_columns(source.relaxation, defining, kinds)
    program, infeasible = tightened(program, np.append(columns, program.columns - 1))
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
    return Bodies(
        scaled, relaxation.row_lower[mine] / units, relaxation.row_upper[mine] / units, whole, first + np.arange(len(mine))
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


def _with_columns(program: MatrixProgram, defining: sp.csr_matrix, whole: np.ndarray) -> MatrixProgram:
    """``program`` with a column for each row of ``defining`` that is equal to it."""
    added = defining.shape[0]
    free = np.full(added, math.inf)
    matrix = sp.bmat([[program.matrix, None], [defining, -sp.identity(added)]], format="csr")
    level = np.zeros(added)
    return replace(
        program,
        lower=np.append(program.lower, -free),
        upper=np.append(program.upper, free),
        integer=np.append(program.integer, whole),
        cost=np.append(program.cost, level),
        matrix=sp.csr_matrix(matrix),
        row_lower=np.append(program.row_lower, level),
        row_upper=np.append(program.row_upper, level),
    )


def tightened(program: MatrixProgram, wanted: Ints) -> tuple[MatrixProgram, bool]:
    """``program`` with bounds that propagation and linear programs prove, and whether they prove that it has no point.

    Linear programs are solved for the ``wanted`` columns, and for those that have an infinite bound otherwise.
    """
    program, crossed = propagated(program)
    if crossed:
        return program, True
    lower, upper = program.lower.copy(), program.upper.copy()
    hot = warm_relaxation(program, LP_ITERATIONS)
    one = np.ones(1)
    # The columns with the widest ranges are those that gain most; whole columns of one unit could only be fixed, and rarely are.
    least = np.where(program.integer, 1.0, 1e-9)
    asked = ~np.isfinite(upper - lower)
    asked[wanted] = True
    order = np.argsort(-(upper - lower), kind="stable")
    for j in order[asked[order]]:
        if upper[j] - lower[j] <= least[j]:
            continue
        for sign in (1.0, -1.0):
            found = hot.largest(np.array([j]), sign * one)
            if found.termination is Termination.INFEASIBLE:
                return program, True
            if found.termination is Termination.OPTIMAL and found.value is not None:
                bound = sign * found.value
                if sign > 0:
                    upper[j] = min(upper[j], _rounded(bound, 1, bool(program.integer[j])))
                else:
                    lower[j] = max(lower[j], _rounded(bound, -1, bool(program.integer[j])))
    return propagated(replace(program, lower=lower, upper=upper))


def _rounded(bound: float, direction: int, whole: bool) -> float:
    wide = bound + direction * SAFETY * max(1.0, abs(bound))
    if not whole:
        return wide
    return math.floor(wide) if direction > 0 else math.ceil(wide)


def propagated(program: MatrixProgram) -> tuple[MatrixProgram, bool]:
    """Bounds that follow from each row and the other columns' bounds alone, and whether two of them cross."""
    lower, upper = program.lower.copy(), program.upper.copy()
    matrix = sp.csr_matrix(program.matrix)
    for _ in range(ROUNDS):
        new_lower, new_upper = _one_round(matrix, program, lower, upper)
        if (new_lower > new_upper + 1e-6 * np.maximum(1.0, np.abs(new_upper))).any():
            return program, True
        new_upper = np.maximum(new_upper, new_lower)
        gain = (new_lower > lower + 1e-3).any() or (new_upper < upper - 1e-3).any()
        lower, upper = new_lower, new_upper
        if not gain:
            break
    return replace(program, lower=lower, upper=upper), False


def _one_round(matrix: sp.csr_matrix, program: MatrixProgram, lower: Floats, upper: Floats) -> tuple[Floats, Floats]:
    m = matrix.shape[0]
    row = np.repeat(np.arange(m), np.diff(matrix.indptr))
    column, a = matrix.indices, matrix.data
    # The least contribution of each entry to its row's body, and the sums without the entry itself.
    least = np.where(a > 0, a * lower[column], a * upper[column])
    most = np.where(a > 0, a * upper[column], a * lower[column])
    rest_least, rest_most = _sums_without(row, least, m), _sums_without(row, most, m)
    with np.errstate(invalid="ignore", divide="ignore"):
        most_allowed = (program.row_upper[row] - rest_least) / a
        least_allowed = (program.row_lower[row] - rest_most) / a
    upper_bound = np.where(a > 0, most_allowed, least_allowed)
    lower_bound = np.where(a > 0, least_allowed, most_allowed)
    upper_bound, lower_bound = _safe(upper_bound, 1, program, column), _safe(lower_bound, -1, program, column)
    new_lower, new_upper = lower.copy(), upper.copy()
    np.maximum.at(new_lower, column, lower_bound)
    np.minimum.at(new_upper, column, upper_bound)
    return new_lower, new_upper


def _safe(bound: Floats, direction: int, program: MatrixProgram, column: Ints) -> Floats:
    nothing = direction * math.inf
    bound = np.where(np.isfinite(bound) & (np.abs(bound) < 1e12), bound, nothing)
    wide = bound + direction * SAFETY * np.maximum(1.0, np.abs(bound))
    wide = np.where(np.isfinite(bound), wide, nothing)
    whole = np.floor(wide) if direction > 0 else np.ceil(wide)
    return np.where(program.integer[column], whole, wide)


def _sums_without(row: Ints, terms: Floats, m: int) -> Floats:
    """For each entry the sum of the other entries' terms in its row; infinite where one of them is."""
    infinite = ~np.isfinite(terms)
    finite_terms = np.where(infinite, 0.0, terms)
    total = np.bincount(row, finite_terms, minlength=m)
    count = np.bincount(row, infinite.astype(float), minlength=m)
    others = count[row] - infinite
    sign = np.bincount(row, np.where(infinite, np.sign(terms), 0.0), minlength=m)[row]
    return np.where(others > 0, np.where(sign >= 0, math.inf, -math.inf), total[row] - finite_terms)
