"""Proven bounds of every column, with where each upper one comes from."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from bilevel_lang.solvers.matrix import Flags, Ints
from bilevel_lang.solvers.program import Floats

SLACKNESS = 1e-9
"""Derived bounds are this much wider (relative to max(1, |bound|)) than computed: room for rounding."""

WORTH = 1e-3
"""A bound counts as improved if it moves by more than this share of max(1, |bound|)."""


class Box:
    """``lower <= z <= upper`` (n,) holds at the solutions that count; tightened in place.

    "The solutions that count": for every point (leader's and agents' variables) of the MPEC at least one choice of multipliers
    is in the box. ``origin[j]`` says where the upper bound of column j comes from.
    """

    def __init__(self, lower: Floats, upper: Floats) -> None:
        self.lower = lower.copy()
        self.upper = upper.copy()
        self.origin: list[str] = ["bound of the variable"] * len(lower)
        self.empty = False
        """Whether the relaxation has been proven to have no point at all."""

    def tighten(self, columns: Ints, lower: Floats, upper: Floats, origin: str) -> bool:
        """Take the tighter of these bounds (with some room); whether one of them is worth another round."""
        low = lower - SLACKNESS * np.maximum(1.0, np.abs(lower))
        up = upper + SLACKNESS * np.maximum(1.0, np.abs(upper))
        old_low, old_up = self.lower[columns], self.upper[columns]
        better_low, better_up = _better(low, old_low), _better(-up, -old_up)
        for j in columns[better_up].tolist():
            self.origin[j] = origin
        self.lower[columns[better_low]] = low[better_low]
        self.upper[columns[better_up]] = up[better_up]
        crossed = self.lower[columns] - self.upper[columns]
        tolerance = 1e-6 * np.maximum(1.0, np.abs(self.upper[columns]))
        with np.errstate(invalid="ignore"):
            self.empty = self.empty or bool((crossed > tolerance).any())
        return bool(better_low.any() or better_up.any())

    def interval(self, matrix: sp.csr_matrix) -> tuple[Floats, Floats]:
        """The least and largest value of every row of ``matrix`` over the first columns, infinite where a bound lacks."""
        n = matrix.shape[1]
        return product_interval(matrix, self.lower[:n], self.upper[:n])


def _better(new: Floats, old: Floats) -> Flags:
    """Where the lower bound ``new`` is clearly above ``old``."""
    with np.errstate(invalid="ignore"):
        worth = new > old + WORTH * np.maximum(1.0, np.abs(old))
    return np.isfinite(new) & (worth | ~np.isfinite(old))


def product_interval(matrix: sp.csr_matrix, lower: Floats, upper: Floats) -> tuple[Floats, Floats]:
    """The range of ``matrix`` z for z between ``lower`` and ``upper``; 0 times infinity is 0."""
    positive, negative = matrix.maximum(0), matrix.minimum(0)
    return _sum(positive, lower) + _sum(negative, upper), _sum(positive, upper) + _sum(negative, lower)


def _sum(matrix: sp.csr_matrix, values: Floats) -> Floats:
    """``matrix`` values, where infinite values that meet no entry do not count."""
    finite = np.isfinite(values)
    total: Floats = matrix @ np.where(finite, values, 0.0)
    if not finite.all():
        signs = np.where(finite, 0.0, np.sign(values))
        wild = sp.csr_matrix((np.sign(matrix.data), matrix.indices, matrix.indptr), shape=matrix.shape) @ signs
        # All infinite terms of such a sum have one sign: it is the lower (or the upper) end of the row's range.
        total[wild > 0], total[wild < 0] = np.inf, -np.inf
    return total
