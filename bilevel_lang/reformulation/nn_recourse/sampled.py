"""A few scenarios that stand for all: those in which decisions differ are drawn more often, and count less each.

Probability proportional to size, systematically (Cochran, "Sampling Techniques", 3rd edition, chapter 9A).
"""

from __future__ import annotations

import numpy as np

from bilevel_lang.solvers.matrix import Ints
from bilevel_lang.solvers.program import Floats

LEAST = 0.2
"""Of the mean size: no scenario's is less, as decisions that are not known yet may differ in it."""


def few_of(costs: Floats, probabilities: Floats, count: int) -> tuple[Ints, Floats]:
    """``count`` scenarios or a few less, and their weights, which sum up to 1: by what ``costs`` (k, S) of k decisions, all
    finite, differ from each other in each of them."""
    size = probabilities * costs.std(axis=0)
    size = np.maximum(size, LEAST * size.mean()) if size.any() else probabilities
    share = _shares(size, min(count, len(size)))
    # Scenarios of like costs are beside each other, so that each kind has its part.
    order = np.argsort(costs.mean(axis=0), kind="stable")
    ends = np.cumsum(share[order])
    chosen = np.sort(order[np.floor(ends + 0.5 - 1e-9) > np.floor(ends - share[order] + 0.5 - 1e-9)])
    weights = probabilities[chosen] / share[chosen]
    return chosen, weights / weights.sum()


def _shares(size: Floats, count: int) -> Floats:
    """Probabilities (S,) that sum up to ``count``, in proportion to ``size``, none above 1."""
    sure = np.zeros(len(size), dtype=bool)
    while True:
        share = np.where(sure, 1.0, 0.0)
        rest = count - int(sure.sum())
        share[~sure] = rest * size[~sure] / max(float(size[~sure].sum()), 1e-300)
        more = ~sure & (share >= 1.0)
        if not more.any():
            return share
        sure |= more
