"""Bound propagation over linear rows (FBBT), all rows at once on sparse arrays.

Of ``low <= sum a_j z_j <= up`` each column is bounded by what the others leave: for a_j > 0,
``z_j <= (up - least value of the rest) / a_j``. Rounds go on while anything moves.
Reference: Belotti, Cafieri, Lee and Liberti 2010, "Feasibility-based bounds tightening via fixed points", COCOA.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from bilevel_lang.reformulation.linear.bounds.box import Box
from bilevel_lang.solvers.matrix import Flags, Ints
from bilevel_lang.solvers.program import Floats

ROUNDS = 20
"""Propagation may converge without ever arriving; every round's bounds are valid."""

ORIGIN = "derived by bound propagation"

APART = 1e-6
"""A side of a pair that is larger than this everywhere decides the pair."""


def propagate(box: Box, matrix: sp.csr_matrix, row_lower: Floats, row_upper: Floats, pairs: tuple[Ints, Ints]) -> bool:
    """Tighten ``box`` by the rows and by pairs that are decided; whether anything has moved. Sets ``box.empty``."""
    rows = _Rows(sp.csr_matrix(matrix), row_lower, row_upper)
    moved = False
    for _ in range(ROUNDS):
        if box.empty:
            return moved
        changed = rows.tighten(box) | _decided(box, *pairs) | _decided(box, *pairs[::-1])
        if not changed:
            return moved
        moved = True
    return moved


def _decided(box: Box, sides: Ints, others: Ints) -> bool:
    """Where one side of a pair is never 0, the other one is."""
    zero = others[(box.lower[sides] > APART) & (box.upper[others] > 0)]
    if not zero.size:
        return False
    box.upper[zero] = 0.0
    for j in zero.tolist():
        box.origin[j] = "the other side of the pair is never zero"
    box.empty = box.empty or bool((box.lower[zero] > APART).any())
    return True


class _Rows:
    def __init__(self, matrix: sp.csr_matrix, lower: Floats, upper: Floats) -> None:
        part = matrix.tocoo()
        keep = part.data != 0
        self.row, self.column, self.data = part.row[keep], part.col[keep].astype(np.int64), part.data[keep]
        self.count = matrix.shape[0]
        self.lower, self.upper = lower, upper

    def tighten(self, box: Box) -> bool:
        positive = self.data > 0
        low = self.data * np.where(positive, box.lower[self.column], box.upper[self.column])
        up = self.data * np.where(positive, box.upper[self.column], box.lower[self.column])
        rest_low, rest_up = self._rest(low, -np.inf), self._rest(up, np.inf)
        with np.errstate(invalid="ignore"):
            most = (self.upper[self.row] - rest_low) / self.data
            least = (self.lower[self.row] - rest_up) / self.data
        upper = np.where(positive, most, least)
        lower = np.where(positive, least, most)
        return self._take(box, lower, upper)

    def _rest(self, terms: Floats, missing: float) -> Floats:
        """For every entry the sum of the other entries' terms in its row, ``missing`` where one of those is infinite."""
        wild: Flags = ~np.isfinite(terms)
        tame = np.where(wild, 0.0, terms)
        total = np.bincount(self.row, weights=tame, minlength=self.count)
        infinite = np.bincount(self.row, weights=wild, minlength=self.count)
        # The difference of a sum and one of its terms loses digits; they are given back as room.
        size = np.bincount(self.row, weights=np.abs(tame), minlength=self.count)[self.row]
        lost = 1e-13 * size * (-1.0 if missing < 0 else 1.0)
        alone = infinite[self.row] - wild
        return np.where(alone > 0, missing, total[self.row] - tame + lost)

    def _take(self, box: Box, lower: Floats, upper: Floats) -> bool:
        n = len(box.lower)
        best_low, best_up = np.full(n, -np.inf), np.full(n, np.inf)
        np.maximum.at(best_low, self.column, np.where(np.isnan(lower), -np.inf, lower))
        np.minimum.at(best_up, self.column, np.where(np.isnan(upper), np.inf, upper))
        every = np.arange(n, dtype=np.int64)
        return box.tighten(every, best_low, best_up, ORIGIN)
