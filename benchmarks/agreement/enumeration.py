"""The optimum of an :class:`Instance` by listing active sets, with numpy alone and nothing of bilevel_lang.

Followers are convex with linear rows, so that their answers are the points with multipliers. Multipliers can always be had on
rows whose gradients (in the follower's own columns) are linearly independent (Caratheodory), so that

    answers = union over such sets S of {z : rows of S hold as equalities, multipliers of S solve stationarity and are >= 0}

is a finite union of polyhedra in (z, multipliers). Where the leader sees a multiplier, all sets S count, independent or not. Over
each polyhedron the leader's convex QP is minimised by listing once more which constraints are active: among the optima of a
convex QP over a polyhedron with a vertex there is one at which the active constraints and the curvature determine the point. A
far box gives every polyhedron a vertex; an optimum on it that moves when the box grows says that there is no limit.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.agreement.instances import Floats, Follower, Instance

FEASIBLE = 1e-8
"""Largest violation, relative to max(1, size of the point), of rows of length 1."""

RANK = 1e-9
"""Singular values below this count as 0; integer data of this size have none between 1e-6 and 1e-12."""

FAR = 1e4
"""The box around a polyhedron; vertices of the instances have coordinates of some hundreds at most."""


@dataclass(frozen=True, slots=True)
class Answer:
    """``status`` ``optimal`` with ``value`` and a point ``z`` (n,), ``infeasible`` or ``unbounded`` without them."""

    status: str
    value: float | None = None
    z: Floats | None = None


@dataclass(frozen=True, eq=False)
class _Side:
    """``normal z >= level``, of a follower's row (or, ``row`` None, of a bound); ``reported`` is the sign of its multiplier."""

    normal: Floats
    level: float
    row: int | None
    reported: float


def enumerate_optimum(instance: Instance) -> Answer:
    """The leader's optimum over the followers' answers (the optimistic one where there are several)."""
    sign = 1.0 if instance.sense == "min" else -1.0
    best, point = math.inf, None
    for piece in _pieces(instance):
        value, z = piece.minimum(sign * instance.quadratic, sign * instance.cost)
        if value == -math.inf:
            return Answer("unbounded")
        if value < best:
            best, point = value, z
    return Answer("infeasible") if point is None else Answer("optimal", sign * best, point[: len(instance.cost)])


@dataclass(frozen=True, eq=False)
class _Piece:
    """``equal w = level``, ``above w >= floor`` over w = (z, multipliers)."""

    equal: Floats
    level: Floats
    above: Floats
    floor: Floats

    def minimum(self, quadratic: Floats, cost: Floats) -> tuple[float, Floats | None]:
        """The least 1/2 z'Qz + q'z and where it is; (inf, None) without a point, (-inf, None) without a limit."""
        n, n_all = len(cost), self.equal.shape[1]
        left, singular, right = np.linalg.svd(self.equal)
        rank = int((singular > RANK).sum())
        origin = right[:rank].T @ ((left.T[:rank] @ self.level) / singular[:rank])
        if np.abs(self.equal @ origin - self.level).max(initial=0.0) > FEASIBLE * max(1.0, np.abs(origin).max()):
            return math.inf, None
        basis = right[rank:].T
        rows, floor = self.above @ basis, self.floor - self.above @ origin
        size = np.linalg.norm(rows, axis=1)
        flat = size <= RANK
        if (floor[flat] > FEASIBLE * max(1.0, np.abs(origin).max(initial=0.0))).any():
            return math.inf, None
        rows, floor = _distinct(rows[~flat] / size[~flat, None], floor[~flat] / size[~flat])
        wide = np.zeros((n_all, n_all))
        wide[:n, :n] = quadratic
        linear = np.concatenate([cost, np.zeros(n_all - n)])
        curved = basis.T @ wide @ basis
        slope = basis.T @ (linear + wide @ origin)
        constant = float(linear @ origin + 0.5 * origin @ wide @ origin)
        value, t, on_box = _least(curved, slope, rows, floor, FAR)
        if t is None:
            return math.inf, None
        if on_box and _least(curved, slope, rows, floor, 2 * FAR)[0] < value - 1e-3:
            return -math.inf, None
        return constant + value, origin + basis @ t


def _distinct(rows: Floats, floor: Floats) -> tuple[Floats, Floats]:
    """Of parallel rows the tightest."""
    kept: dict[bytes, int] = {}
    for k in range(len(rows)):
        key = (np.round(rows[k], 9) + 0.0).tobytes()
        if key not in kept or floor[k] > floor[kept[key]]:
            kept[key] = k
    return rows[list(kept.values())], floor[list(kept.values())]


def _least(curved: Floats, slope: Floats, rows: Floats, floor: Floats, far: float) -> tuple[float, Floats | None, bool]:
    """Minimum of 1/2 t'Pt + p't over ``rows t >= floor`` and the box; where; and whether only the box holds it there."""
    d = len(slope)
    if d == 0:
        return (0.0, np.zeros(0), False) if (floor <= FEASIBLE).all() else (math.inf, None, False)
    inner = len(rows)
    rows = np.vstack([rows, np.eye(d), -np.eye(d)])
    floor = np.concatenate([floor, np.full(2 * d, -far)])
    curvature = int((np.linalg.eigvalsh(curved) > RANK).sum())
    best: list[float] = [math.inf, math.inf]
    where: list[Floats | None] = [None, None]
    for k in range(d - curvature, d + 1):
        sets = list(itertools.combinations(range(len(rows)), k))
        chosen = np.array(sets, dtype=int).reshape(len(sets), k)
        chosen, points = _candidates(curved, slope, chosen, rows, floor)
        size = np.maximum(1.0, np.abs(points).max(axis=1, initial=0.0))
        fits = (points @ rows.T - floor).min(axis=1) >= -FEASIBLE * size
        values = 0.5 * np.einsum("ki,ij,kj->k", points, curved, points) + points @ slope
        boxed = (chosen >= inner).any(axis=1)
        for place, these in enumerate((fits & ~boxed, fits & boxed)):
            if these.any():
                least = int(np.where(these, values, math.inf).argmin())
                if values[least] < best[place]:
                    best[place], where[place] = float(values[least]), points[least]
    held = best[1] < best[0] - 1e-7 * max(1.0, abs(best[1]))
    return (best[1], where[1], True) if held else (best[0], where[0], False)


def _candidates(
    curved: Floats, slope: Floats, chosen: NDArray[np.int64], rows: Floats, floor: Floats
) -> tuple[NDArray[np.int64], Floats]:
    """The sets of ``chosen`` (c, k) that determine a stationary point with their rows at ``floor``, and these points."""
    (count, k), d = chosen.shape, len(slope)
    system = np.zeros((count, d + k, d + k))
    system[:, :d, :d] = curved
    system[:, d:, :d] = rows[chosen]
    system[:, :d, d:] = rows[chosen].transpose(0, 2, 1)
    side = np.concatenate([np.broadcast_to(-slope, (count, d)), floor[chosen]], axis=1)
    regular = np.abs(np.linalg.det(system)) > RANK
    points = np.linalg.solve(system[regular], side[regular][:, :, None])[:, :d, 0]
    return chosen[regular], points


# --- The pieces


def _pieces(instance: Instance) -> Iterator[_Piece]:
    """One for every choice of integers and of the followers' active sets."""
    seen = {price.follower for price in instance.prices}
    sides = [_sides(instance, f) for f in instance.followers]
    fixed = [_equalities(instance, f) for f in instance.followers]
    choices = [
        list(_active_sets(f, s, e, number in seen))
        for number, (f, s, e) in enumerate(zip(instance.followers, sides, fixed, strict=True))
    ]
    for whole in _whole_points(instance):
        for active in itertools.product(*choices):
            yield _piece(instance, sides, fixed, active, whole)


def _whole_points(instance: Instance) -> Iterator[dict[int, float]]:
    columns = np.flatnonzero(instance.integer)
    ranges = [range(math.ceil(instance.lower[j]), math.floor(instance.upper[j]) + 1) for j in columns]
    for values in itertools.product(*ranges):
        yield dict(zip(columns.tolist(), map(float, values), strict=True))


def _sides(instance: Instance, f: Follower) -> list[_Side]:
    """The inequality sides of a follower: of its rows and of its columns' bounds."""
    found = []
    sign = 1.0 if f.sense == "min" else -1.0
    unit = np.eye(len(instance.cost))[list(f.columns)]
    own_low, own_up = instance.lower[list(f.columns)], instance.upper[list(f.columns)]
    rows = np.vstack([f.rows.matrix, unit])
    lower, upper = np.concatenate([f.rows.lower, own_low]), np.concatenate([f.rows.upper, own_up])
    for k, (normal, low, up) in enumerate(zip(rows, lower, upper, strict=True)):
        number = k if k < len(f.rows) else None
        if low == up:
            continue
        if math.isfinite(low):
            found.append(_Side(normal, low, number, sign))
        if math.isfinite(up):
            found.append(_Side(-normal, -up, number, -sign))
    return found


def _equalities(instance: Instance, f: Follower) -> list[_Side]:
    """Rows and bounds whose sides are equal: their multipliers are free."""
    sign = 1.0 if f.sense == "min" else -1.0
    found = [_Side(f.rows.matrix[k], f.rows.lower[k], k, sign) for k in range(len(f.rows)) if f.rows.lower[k] == f.rows.upper[k]]
    unit = np.eye(len(instance.cost))
    return found + [_Side(unit[j], instance.lower[j], None, sign) for j in f.columns if instance.lower[j] == instance.upper[j]]


def _active_sets(f: Follower, sides: list[_Side], fixed: list[_Side], all_of_them: bool) -> Iterator[tuple[int, ...]]:
    """Sets of sides that may carry multipliers beside the equalities."""
    own = list(f.columns)
    if all_of_them:
        for k in range(len(sides) + 1):
            yield from (c for c in itertools.combinations(range(len(sides)), k) if not _opposite(sides, c))
        return
    equal = np.array([e.normal[own] for e in fixed]).reshape(-1, len(own))
    rank = int(np.linalg.matrix_rank(equal)) if len(equal) else 0
    for k in range(len(own) - rank + 1):
        for chosen in itertools.combinations(range(len(sides)), k):
            both = np.vstack([equal, *(sides[i].normal[own][None, :] for i in chosen)])
            if np.linalg.matrix_rank(both) == rank + k if len(both) else k == 0:
                yield chosen


def _opposite(sides: list[_Side], chosen: tuple[int, ...]) -> bool:
    """Whether both sides of one range are in it: they cannot be active together."""
    return any((sides[i].normal == -sides[j].normal).all() and sides[i].level != -sides[j].level for i in chosen for j in chosen)


def _piece(
    instance: Instance,
    sides: list[list[_Side]],
    fixed: list[list[_Side]],
    active: tuple[tuple[int, ...], ...],
    whole: dict[int, float],
) -> _Piece:
    n = len(instance.cost)
    carried = [[*e, *(s[i] for i in chosen)] for e, s, chosen in zip(fixed, sides, active, strict=True)]
    free = [len(e) for e in fixed]
    total = n + sum(map(len, carried))
    equal: list[Floats] = []
    level: list[float] = []
    above: list[Floats] = []
    floor: list[float] = []

    def wide(row: Floats, first: int = 0) -> Floats:
        out = np.zeros(total)
        out[first : first + len(row)] = row
        return out

    def rows(matrix: Floats, lower: Floats, upper: Floats) -> None:
        for row, low, up in zip(matrix, lower, upper, strict=True):
            if low == up:
                equal.append(wide(row))
                level.append(low)
                continue
            for side, factor in ((low, 1.0), (up, -1.0)):
                if math.isfinite(side):
                    above.append(wide(factor * row))
                    floor.append(factor * side)

    rows(np.eye(n), instance.lower, instance.upper)
    rows(instance.rows.matrix, instance.rows.lower, instance.rows.upper)
    first, reported = n, []
    for f, mine, count in zip(instance.followers, carried, free, strict=True):
        rows(f.rows.matrix, f.rows.lower, f.rows.upper)
        own = list(f.columns)
        for k in range(len(own)):
            row = wide(f.cross[k])
            row[own] += f.hessian[k]
            row[first : first + len(mine)] = [-s.normal[own[k]] for s in mine]
            equal.append(row)
            level.append(-f.cost[k])
        for i, side in enumerate(mine):
            if i >= count:
                equal.append(wide(side.normal))
                level.append(side.level)
                above.append(wide(np.ones(1), first + i))
                floor.append(0.0)
        reported.append([(first + i, side) for i, side in enumerate(mine)])
        first += len(mine)
    for price in instance.prices:
        row = wide(np.ones(1), price.column)
        for column, side in reported[price.follower]:
            if side.row == price.row:
                row[column] -= side.reported
        equal.append(row)
        level.append(0.0)
    for j, value in whole.items():
        equal.append(wide(np.ones(1), j))
        level.append(value)
    return _Piece(np.array(equal), np.array(level), np.array(above).reshape(-1, total), np.array(floor))
