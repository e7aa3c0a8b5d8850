"""Intersection cuts from sets that hold no solution in their interior.

For an answer of the follower with value v and thresholds t_r the set ``value >= v, sigma_r <= t_r + 1 for all r`` has no solution
inside: there the answer is feasible (sigma is whole) and better. From a vertex of the relaxation in the interior the edges of the
vertex's cone leave the set at distances alpha_j; the cut is ``sum t_j / alpha_j >= 1`` with t_j the distance of the nonbasic
column or row j from its bound (Balas 1971; Fischetti, Ljubic, Monaci and Sinnl 2018, Math. Program. 172:77).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bilevel_lang.solvers.matrix import Flags, Ints
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.tree_judge import Cut, Vertex

TINY = 1e-9
"""Entries of edges below this are rounding."""

LARGEST_RATIO = 1e7
"""A cut whose coefficients are further apart than this is not used."""

MARGIN = 1e-6
"""How far inside the set the vertex has to be, relative to max(1, |side|)."""

RELAXATION = 1e-7
"""What the right-hand side of a cut is weakened by, against rounding, relative to the largest term."""


@dataclass(frozen=True, slots=True)
class FreeSet:
    """``signs[k] * z[columns[k]] <= sides[k]``: an intersection of half-spaces in single columns of the program."""

    columns: Ints
    signs: Floats
    sides: Floats


class Cone:
    """The edges of a vertex: how ``moving`` columns change when one nonbasic column or row leaves its bound.

    Built once for a vertex and used for many sets. Nonbasic things are numbered: first columns, then rows.
    """

    def __init__(self, vertex: Vertex, moving: Ints) -> None:
        self.vertex = vertex
        self._basic: Ints = np.flatnonzero(vertex.status == 0)
        self._columns: Ints = np.flatnonzero(vertex.status != 0)
        self._rows: Ints = np.flatnonzero(vertex.row_status != 0)
        self.place = np.full(int(max(vertex.columns.max(), moving.max())) + 1, -1, dtype=np.int64)
        self.place[vertex.columns] = np.arange(len(vertex.columns))
        self.sound = len(self._basic) == len(self._rows) and bool((self.place[moving] >= 0).all())
        if self.sound:
            self._number = np.full(len(self.place), -1, dtype=np.int64)
            self._number[moving] = np.arange(len(moving))
            self._edges = self._solved(self.place[moving])

    def _solved(self, places: Ints) -> Floats:
        """(moving, nonbasic): d(column)/d(distance of the nonbasic thing from its bound)."""
        vertex, columns, rows = self.vertex, self._columns, self._rows
        edges = np.zeros((len(places), len(columns) + len(rows)))
        basic = np.flatnonzero(vertex.status[places] == 0)
        still = np.flatnonzero(vertex.status[places] != 0)
        edges[still, np.searchsorted(columns, places[still])] = 1.0
        if basic.size:
            active = vertex.matrix[rows]
            unit = np.zeros((len(self._basic), len(basic)))
            unit[np.searchsorted(self._basic, places[basic]), np.arange(len(basic))] = 1.0
            try:
                by_rows = np.linalg.solve(active[:, self._basic].T, unit).T
            except np.linalg.LinAlgError:
                self.sound = False
                return edges
            edges[basic, len(columns) :] = by_rows
            edges[basic, : len(columns)] = -by_rows @ active[:, columns]
        side = np.concatenate([vertex.status[columns], vertex.row_status[rows]])
        low = np.concatenate([vertex.lower[columns], vertex.row_lower[rows]])
        up = np.concatenate([vertex.upper[columns], vertex.row_upper[rows]])
        self.free: Flags = side == 2
        # Into the feasible region: up from a lower bound. What is fixed never leaves its bound: its distance is always 0.
        edges *= np.where(self.free, 1.0, -side.astype(float))
        edges[:, low >= up - TINY] = 0.0
        return edges

    def edges(self, columns: Ints) -> Floats:
        """(columns, nonbasic): the edges in some of the ``moving`` columns of the program."""
        found: Floats = self._edges[self._number[columns]]
        return found

    def cut(self, inverse: Floats) -> Cut | None:
        """``sum inverse_j t_j >= 1`` in terms of the columns; None where it is not numerically sound."""
        vertex = self.vertex
        columns, rows = self._columns, self._rows
        used = inverse > TINY
        if not used.any() or inverse[used].max() > LARGEST_RATIO * inverse[used].min():
            return None
        per_column, per_row = inverse[: len(columns)] * used[: len(columns)], inverse[len(columns) :] * used[len(columns) :]
        coefficients = np.zeros(len(vertex.columns))
        at_upper = vertex.status[columns] > 0
        side = np.where(at_upper, vertex.upper[columns], vertex.lower[columns])
        direction = np.where(at_upper, -1.0, 1.0)
        coefficients[columns] += per_column * direction
        constant = -np.where(used[: len(columns)], per_column * direction * side, 0.0)
        row_upper = vertex.row_status[rows] > 0
        row_side = np.where(row_upper, vertex.row_upper[rows], vertex.row_lower[rows])
        row_direction = np.where(row_upper, -1.0, 1.0)
        coefficients += (per_row * row_direction) @ vertex.matrix[rows]
        row_constant = -np.where(used[len(columns) :], per_row * row_direction * row_side, 0.0)
        right = 1.0 - constant.sum() - row_constant.sum()
        size = max(1.0, float(np.abs(constant).max(initial=0.0)), float(np.abs(row_constant).max(initial=0.0)))
        if not np.isfinite(right) or size > 1e6:
            return None
        return _cleaned(vertex, coefficients, right - RELAXATION * size)


def _cleaned(vertex: Vertex, coefficients: Floats, right: float) -> Cut | None:
    """The cut without coefficients that are rounding, weakened by what they could contribute."""
    largest = np.abs(coefficients).max(initial=0.0)
    if largest < 1e-9:
        return None
    small = (coefficients != 0) & (np.abs(coefficients) < 1e-7 * largest)
    if small.any():
        most = np.where(coefficients[small] > 0, vertex.upper[small], vertex.lower[small])
        if not np.isfinite(most).all():
            return None
        right -= float(coefficients[small] @ most)
        coefficients = np.where(small, 0.0, coefficients)
    scale = 1.0 / largest
    used = np.flatnonzero(coefficients)
    return Cut(vertex.columns[used], scale * coefficients[used], scale * right, np.inf)


def intersection_cut(cone: Cone, free_set: FreeSet) -> Cut | None:
    """The cut of ``free_set`` at the vertex; None where the vertex is not well inside, or nothing sound comes out."""
    if not cone.sound:
        return None
    room = free_set.sides - free_set.signs * cone.vertex.x[cone.place[free_set.columns]]
    if (room < MARGIN * np.maximum(1.0, np.abs(free_set.sides))).any():
        return None
    speed = free_set.signs[:, None] * cone.edges(free_set.columns)
    if (np.abs(speed[:, cone.free]) > TINY).any():
        return None
    inverse = np.where(speed > TINY, speed / room[:, None], 0.0).max(axis=0)
    return cone.cut(inverse)
