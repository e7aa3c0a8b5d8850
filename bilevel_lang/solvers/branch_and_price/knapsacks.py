"""Rows of a MILP that are knapsacks by themselves: 0-1 columns, whole positive weights, no column in two of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from bilevel_lang.solvers.matrix import Flags, Ints, MatrixProgram
from bilevel_lang.solvers.program import Floats

MOST = 20_000
"""Largest sum of a row's weights: the table of a knapsack has a cell for each unit of them."""

DECIMALS = 4
"""Weights of so many decimals are made whole."""


@dataclass(frozen=True, eq=False)
class Knapsacks:
    """K rows ``sum_t weights[k, t] y[items[k, t]] <= room_k`` of a program with n columns; at most w items each.

    ``rows`` (K,) of the program, each of which ``factors`` (K,) make whole and positive: negative ones belong to rows ``>=``.
    ``items`` (K, w) are columns; where a row has fewer, n stands there, with weight 0.
    """

    rows: Ints
    factors: Floats
    items: Ints
    weights: Ints

    def room(self, row_lower: Floats, row_upper: Floats) -> Ints:
        """(K,): whole units that fit, at most all there are and at least -1, for sides (m,) of the program's rows."""
        side = np.where(self.factors > 0, row_upper[self.rows] * self.factors, row_lower[self.rows] * self.factors)
        side = np.clip(side, -1.0, self.weights.sum(axis=1))
        # A room that misses a whole number by rounding is that number, as it is to a solver's tolerance.
        return np.floor(side + 1e-9 * np.maximum(1.0, np.abs(side))).astype(np.int64)

    def one_sided(self, row_lower: Floats, row_upper: Floats) -> bool:
        """Whether the other sides of the rows say nothing, as weights are positive."""
        other = np.where(self.factors > 0, row_lower[self.rows] * self.factors, row_upper[self.rows] * self.factors)
        return bool((other <= 0).all())


def knapsacks_of(program: MatrixProgram, matrix: sp.csr_matrix) -> Knapsacks | None:
    """The knapsacks in ``matrix`` (m, n), the program's own without stored zeros, first come first served; None without any.

    Rows of equal weights are left out: a linear relaxation has nothing to gain from them.
    """
    free = program.integer & (program.lower >= 0) & (program.upper <= 1)
    rows, factors, found = [], [], []
    for i in np.flatnonzero(np.diff(matrix.indptr) > 1).tolist():
        part = slice(matrix.indptr[i], matrix.indptr[i + 1])
        columns, weights = matrix.indices[part], matrix.data[part]
        factor = _factor(weights) if free[columns].all() else None
        if factor is None or not _upper_side(program, i, factor):
            continue
        rows.append(i)
        factors.append(factor)
        found.append((columns, np.rint(weights * factor).astype(np.int64)))
        free[columns] = False
    if not rows:
        return None
    items, weights_of = _padded(found, program.columns)
    return Knapsacks(np.array(rows, dtype=np.int64), np.array(factors), items, weights_of)


def _factor(weights: Floats) -> float | None:
    """What makes the weights whole, positive and not too large."""
    if not ((weights > 0).all() or (weights < 0).all()) or weights.min() == weights.max():
        return None
    for decimals in range(DECIMALS + 1):
        factor = float(np.sign(weights[0])) * 10.0**decimals
        scaled = weights * factor
        if scaled.sum() > MOST:
            return None
        if (np.abs(scaled - np.rint(scaled)) <= 1e-12 * scaled).all():
            return factor
    return None


def _upper_side(program: MatrixProgram, i: int, factor: float) -> bool:
    """Whether row ``i`` is <= after scaling; its sides may change later, but hardly which one there is."""
    return bool(np.isfinite(program.row_upper[i] if factor > 0 else program.row_lower[i]))


def _padded(found: list[tuple[Ints, Ints]], columns: int) -> tuple[Ints, Ints]:
    width = max(len(own) for own, _ in found)
    items = np.full((len(found), width), columns, dtype=np.int64)
    weights = np.zeros((len(found), width), dtype=np.int64)
    for k, (own, own_weights) in enumerate(found):
        items[k, : len(own)], weights[k, : len(own)] = own, own_weights
    return items, weights


def fillings(profits: Floats, weights: Ints, usable: Flags, room: Ints) -> tuple[Floats, Flags]:
    """The best filling of each of K knapsacks: its profit (K,) and what it takes (K, w) of the ``usable`` items (K, w).

    ``profits`` and ``weights`` (K, w), ``room`` (K,); nothing goes into a negative room. Dynamic programming over the units of
    room (Kellerer, Pferschy and Pisinger, "Knapsack Problems", 2004, section 2.3), all knapsacks at once.
    """
    values, chosen = np.zeros(len(room)), np.zeros(profits.shape, dtype=bool)
    usable = usable & (profits > 0) & (weights <= room[:, None])
    active = np.flatnonzero(usable.any(axis=1))
    if not active.size:
        return values, chosen
    own = usable[active]
    steps = int(own.sum(axis=1).max())
    # Items that may be taken come first, so that there are few steps.
    order = np.argsort(~own, axis=1, kind="stable")[:, :steps]
    gain = np.take_along_axis(np.where(own, profits[active], -np.inf), order, axis=1)
    weight = np.take_along_axis(np.where(own, weights[active], 0), order, axis=1)
    left, every = room[active].copy(), np.arange(len(active))
    table, took = _filled(gain, weight, int(left.max()) + 1)
    values[active] = table[every, left]
    for step in range(steps - 1, -1, -1):
        taken = took[step][every, left]
        chosen[active, order[:, step]] = taken
        left -= np.where(taken, weight[:, step], 0)
    return values, chosen


def _filled(gain: Floats, weight: Ints, cells: int) -> tuple[Floats, Flags]:
    """The table (K, cells) of best profits by room, and whether each step (steps, K, cells) took its item."""
    count, steps = gain.shape
    margin = int(weight.max())
    whole = np.zeros((count, margin + cells))
    whole[:, :margin] = -np.inf
    table, flat = whole[:, margin:], whole.ravel()
    place = (np.arange(count) * (margin + cells) + margin)[:, None] + np.arange(cells)[None, :]
    took = np.empty((steps, count, cells), dtype=bool)
    for step in range(steps):
        with_it = flat.take(place - weight[:, step, None])
        with_it += gain[:, step, None]
        np.greater(with_it, table, out=took[step])
        np.maximum(table, with_it, out=table)
    return table, took
