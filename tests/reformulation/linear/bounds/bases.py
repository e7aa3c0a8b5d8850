"""All basic multipliers of a small system, found by trying every set of columns."""

from __future__ import annotations

import itertools

import numpy as np


def basic_extremes(matrix: np.ndarray, gradient: np.ndarray) -> np.ndarray:
    """Largest value of every kappa >= 0 with ``matrix kappa = gradient`` over the basic ones (independent columns); 0 without."""
    k, m = matrix.shape
    best = np.zeros(m)
    for size in range(1, k + 1):
        for chosen in itertools.combinations(range(m), size):
            part = matrix[:, chosen]
            if np.linalg.matrix_rank(part) < size:
                continue
            kappa = np.linalg.lstsq(part, gradient, rcond=None)[0]
            if (kappa >= -1e-9).all() and np.allclose(part @ kappa, gradient, atol=1e-9):
                best[list(chosen)] = np.maximum(best[list(chosen)], kappa)
    return best
