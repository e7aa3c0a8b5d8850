"""A network that begins where least squares end: Adam needs a thousand steps to find a slope that one linear system tells."""

from __future__ import annotations

import numpy as np

from bilevel_lang.surrogate.network import Floats
from bilevel_lang.surrogate.training.parameters import Shape

RIDGE = 1e-3
"""Weight of the squared slopes for each sample, on inputs and targets of size 1: there may be fewer samples than inputs."""

SHARE = 0.5
"""Of its first size that the nonlinear part keeps: what it makes at random is the first thing that training has to undo."""


def with_linear_part(shape: Shape, vector: Floats, x: Floats, t: Floats, weights: Floats) -> Floats:
    """``vector`` of a network of ``shape`` with the skip to its outputs set to the weighted least-squares fit of what its neurons
    leave of the targets ``t`` (k, o) at scaled inputs ``x`` (k, n); ``weights`` (k,) >= 0."""
    found, last = vector.copy(), shape.parts()[-1]
    found[last.W] *= SHARE
    found[last.D], found[last.b] = 0.0, 0.0
    rest = t - shape.network(found)(x)
    wide = np.column_stack([x, np.ones(len(x))])
    normal = wide.T @ (weights[:, None] * wide) + RIDGE * len(x) * np.eye(wide.shape[1])
    slopes = np.linalg.solve(normal, wide.T @ (weights[:, None] * rest))
    found[last.D], found[last.b] = slopes[:-1].T.ravel(), slopes[-1]
    return np.asarray(found)
