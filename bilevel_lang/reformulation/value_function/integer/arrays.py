"""A mixed-integer linear bilevel program as arrays, and what its follower's rows look like from outside.

    leader:    min or max  cost'z          over all columns z = (x, y), subject to all rows of ``relaxation``
    follower:  y  minimises  follower_cost'y  subject to the rows in ``follower_rows``, for the x that the leader has chosen

A row of the follower is brought to the form ``scale * sigma(x) + B y <= side`` with sigma a sum of integers times integer
columns, divided by their greatest common divisor. So sigma is whole, and a follower's answer ``y`` is feasible in the row
exactly for ``sigma <= floor((side - B y) / scale)``: "blocked" beyond that. No number smaller than 1 has to be chosen.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import scipy.sparse as sp

from bilevel_lang.solvers.matrix import Flags, Ints, MatrixProgram
from bilevel_lang.solvers.program import Floats

LARGEST_DENOMINATOR = 10**6
"""Coefficients are taken for fractions up to this denominator, and have to be such fractions up to :data:`ROUNDING`."""

ROUNDING = 1e-12
"""Relative; what decimal fractions lose as floating-point numbers."""

LARGEST_INTEGER = 2**40
"""Sums of integers above this would no longer be exact enough as floating-point numbers."""


@dataclass(frozen=True, slots=True)
class BilevelProgram:
    """See the module's docstring. ``relaxation`` (n columns, m rows) is the high-point relaxation: all rows, the leader's goal.

    ``follower`` (n,) marks the follower's columns, ``follower_rows`` (m,) its rows; ``follower_cost`` (n,) is its objective as
    a minimisation, 0 outside its columns.
    """

    relaxation: MatrixProgram
    follower: Flags
    follower_rows: Flags
    follower_cost: Floats

    def linking(self) -> Flags:
        """(n,): the leader's columns in rows of the follower that hold columns of both."""
        rows = self.relaxation.matrix[np.flatnonzero(self.follower_rows)]
        mixed = rows[np.flatnonzero(_any(rows, self.follower))]
        used = np.zeros(self.relaxation.columns, dtype=bool)
        used[mixed.indices] = True
        return used & ~self.follower


def _any(rows: sp.csr_matrix, columns: Flags) -> Flags:
    """(m,): whether the row has an entry in one of ``columns``."""
    found: Flags = np.asarray((rows != 0).astype(np.int64) @ columns.astype(np.int64)) > 0
    return found


class NotIntegerError(Exception):
    """A linking column is not integer, or a coefficient no fraction (never leaves this package)."""

    def __init__(self, column: int, reason: str) -> None:
        super().__init__(reason)
        self.column = column
        self.reason = reason


@dataclass(frozen=True, slots=True)
class LinkedRows:
    """The follower's rows that hold columns of both, as ``scale * sign * (activities @ z)[activity] + B z <= side``; R rows.

    ``activities`` (K, n) has whole coefficients on linking columns; ``B`` (R, n) lies on the follower's. ``sigma`` of a row is
    ``sign * (activities @ z)[activity]``. ``row`` (R,) is the relaxation's row that it is one side of.
    """

    activities: sp.csr_matrix
    activity: Ints
    sign: Floats
    scale: Floats
    B: sp.csr_matrix
    side: Floats
    row: Ints

    def __len__(self) -> int:
        return len(self.side)

    def sigma(self, z: Floats) -> Floats:
        """(R,): the whole number of each row at ``z`` (n,)."""
        found: Floats = self.sign * np.rint(self.activities @ z)[self.activity]
        return found

    def sigma_range(self, lower: Floats, upper: Floats) -> tuple[Floats, Floats]:
        """(R,), (R,): the range of sigma where the activities lie between ``lower`` and ``upper`` (K,)."""
        low, up = lower[self.activity], upper[self.activity]
        positive = self.sign > 0
        return np.where(positive, low, -up), np.where(positive, up, -low)

    def thresholds(self, y: Floats) -> Floats:
        """(R,): the largest sigma for which ``y`` (n,) still is feasible in the row."""
        room = (self.side - self.B @ y) / self.scale
        found: Floats = np.floor(room + 1e-6 * np.maximum(1.0, 1e-3 * np.abs(room)))
        return found


def linked_rows(program: BilevelProgram) -> LinkedRows:
    """The rows of the follower that the leader can tighten. Raises NotIntegerError, see there."""
    linking = program.linking()
    relaxation = program.relaxation
    loose = np.flatnonzero(linking & ~relaxation.integer)
    if loose.size:
        raise NotIntegerError(int(loose[0]), "is continuous")
    matrix = relaxation.matrix
    collected = _Collected(relaxation.columns)
    for i in np.flatnonzero(program.follower_rows):
        part = slice(matrix.indptr[i], matrix.indptr[i + 1])
        columns, data = matrix.indices[part], matrix.data[part]
        own = program.follower[columns]
        if own.all() or not own.any():
            continue
        scale, whole = integer_multiple(data[~own], columns[~own])
        sides = float(relaxation.row_lower[i]), float(relaxation.row_upper[i])
        collected.add(_Linked(int(i), columns[~own], whole, scale, columns[own], data[own], sides))
    return collected.rows()


def integer_multiple(coefficients: Floats, columns: Ints) -> tuple[float, Ints]:
    """``scale`` > 0 and coprime integers with ``coefficients = scale * integers``. Raises NotIntegerError."""
    if (np.abs(coefficients) <= LARGEST_INTEGER).all() and np.array_equal(coefficients, np.rint(coefficients)):
        # Most data are whole; fractions take a thousand times as long.
        numbers = coefficients.astype(np.int64)
        common_divisor = int(np.gcd.reduce(numbers))
        return float(common_divisor), numbers // common_divisor
    fractions = [Fraction(c).limit_denominator(LARGEST_DENOMINATOR) for c in coefficients.tolist()]
    for fraction, c, j in zip(fractions, coefficients.tolist(), columns.tolist(), strict=True):
        if abs(float(fraction) - c) > ROUNDING * abs(c):
            raise NotIntegerError(j, f"has the coefficient {c!r}, which is no fraction of moderate size")
    common = math.lcm(*(f.denominator for f in fractions))
    integers = [int(f * common) for f in fractions]
    divisor = math.gcd(*integers)
    whole = [i // divisor for i in integers]
    if max(map(abs, whole)) > LARGEST_INTEGER:
        raise NotIntegerError(int(columns[0]), "stands in a row whose coefficients have no common unit of moderate size")
    return divisor / common, np.array(whole, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class _Linked:
    """A row of both: the leader's part is ``scale * whole``."""

    number: int
    leader: Ints
    whole: Ints
    scale: float
    own: Ints
    data: Floats
    sides: tuple[float, float]


class _Collected:
    """Linked rows as they come; equal activities (up to their sign) become one."""

    def __init__(self, columns: int) -> None:
        self._n = columns
        self._known: dict[tuple[bytes, bytes], int] = {}
        self._activities: list[tuple[Ints, Ints]] = []
        self._rows: list[tuple[int, float, float, _Linked]] = []
        """(activity, sign of sigma, sign of the side, the row)"""

    def add(self, row: _Linked) -> None:
        order = np.argsort(row.leader)
        columns, numbers = row.leader[order].astype(np.int64), row.whole[order]
        sign = 1.0 if numbers[0] > 0 else -1.0
        numbers = numbers if sign > 0 else -numbers
        activity = self._known.setdefault((columns.tobytes(), numbers.tobytes()), len(self._known))
        if activity == len(self._activities):
            self._activities.append((columns, numbers))
        low, up = row.sides
        if math.isfinite(up):
            self._rows.append((activity, sign, 1.0, row))
        if math.isfinite(low):
            self._rows.append((activity, -sign, -1.0, row))

    def rows(self) -> LinkedRows:
        n, rows = self._n, self._rows
        return LinkedRows(
            activities=_sparse([c for c, _ in self._activities], [d.astype(float) for _, d in self._activities], n),
            activity=np.array([activity for activity, _, _, _ in rows], dtype=np.int64),
            sign=np.array([sign for _, sign, _, _ in rows], dtype=float),
            scale=np.array([row.scale for _, _, _, row in rows], dtype=float),
            B=_sparse([row.own for _, _, _, row in rows], [side * row.data for _, _, side, row in rows], n),
            side=np.array([row.sides[1] if side > 0 else -row.sides[0] for _, _, side, row in rows], dtype=float),
            row=np.array([row.number for _, _, _, row in rows], dtype=np.int64),
        )


def _sparse(columns: list[Ints], data: list[Floats], n: int) -> sp.csr_matrix:
    starts = np.cumsum([0] + [len(each) for each in columns])
    if not columns:
        return sp.csr_matrix((0, n))
    return sp.csr_matrix((np.concatenate(data), np.concatenate(columns), starts), shape=(len(columns), n))
