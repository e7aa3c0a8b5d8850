"""A straight line through what is known, to ask about the more promising decisions first. Nothing is decided by it."""

from __future__ import annotations

import numpy as np

from bilevel_lang.solvers.program import Floats

RIDGE = 1.0
"""Weight of the squared slopes, per unit of a standard deviation of an input: decisions are few, and much alike."""

SHARE, EACH = 0.5, 3
"""The line goes through this share of the decisions, the best, at least so many for each input."""


def trend(decisions: Floats, objectives: Floats, points: Floats) -> Floats:
    """What a ridge regression on the better ``decisions`` (k, n) with ``objectives`` (k,), k >= 1, makes of ``points`` (m, n)."""
    k, n = decisions.shape
    chosen = np.argsort(objectives, kind="stable")[: max(EACH * n, round(SHARE * k))]
    x, y = decisions[chosen], objectives[chosen]
    mean, spread = x.mean(axis=0), x.std(axis=0)
    scale = np.where(spread > 0, spread, 1.0)
    z = (x - mean) / scale
    slopes = np.linalg.solve(z.T @ z + RIDGE * np.eye(n), z.T @ (y - y.mean()))
    return np.asarray((points - mean) / scale @ slopes + y.mean())
