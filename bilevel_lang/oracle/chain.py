"""The order in which a warm solver meets samples: each next to one that it resembles."""

from __future__ import annotations

import numpy as np

from bilevel_lang.solvers.matrix import Ints
from bilevel_lang.solvers.program import Floats

LEAF = 32
"""Samples among which the nearest is looked for. All leaves are worked through at once: larger ones make shorter ways (a tenth at
most) and take more time, which counts where a solve takes 0.1 ms."""


def nearest_chain(points: Floats) -> Ints:
    """A permutation (k,) of the rows of ``points`` (k, n): halved along the widest column, then nearest next.

    Columns count by their standard deviation. A warm simplex needs half to a fifth of the pivots that random order takes it.
    """
    if not points.size:
        return np.arange(len(points))
    spread = points.std(axis=0)
    scaled = points / np.where(spread > 0, spread, 1.0)
    leaves = _leaves(scaled, np.arange(len(points)))
    full = [leaf for leaf in leaves if len(leaf) == LEAF]
    found = iter(_chains(scaled, np.stack(full)) if full else ())
    return np.concatenate([next(found) if len(leaf) == LEAF else _chains(scaled, leaf[None])[0] for leaf in leaves])


def _leaves(points: Floats, chosen: Ints) -> list[Ints]:
    """Neighbourhoods of :data:`LEAF` samples, but for the last, in an order that keeps neighbours together."""
    if len(chosen) <= LEAF:
        return [chosen]
    here = points[chosen]
    widest = int(np.ptp(here, axis=0).argmax())
    ordered = chosen[np.argsort(here[:, widest], kind="stable")]
    half = max(1, len(chosen) // 2 // LEAF) * LEAF
    return [*_leaves(points, ordered[:half]), *_leaves(points, ordered[half:])]


def _chains(points: Floats, leaves: Ints) -> Ints:
    """Each of ``leaves`` (b, s) from its first sample on, always the nearest next; all of them at once."""
    count, size = leaves.shape
    here, every = points[leaves], np.arange(count)
    order, left = np.empty_like(leaves), np.ones(leaves.shape, dtype=bool)
    now = np.zeros(count, dtype=np.int64)
    for step in range(size):
        order[:, step] = leaves[every, now]
        left[every, now] = False
        away = here - here[every, now][:, None]
        # einsum and not a product of matrices: the same on any number of threads.
        distance = np.einsum("bsn,bsn->bs", away, away)
        distance[~left] = np.inf
        now = distance.argmin(axis=1)
    return order
