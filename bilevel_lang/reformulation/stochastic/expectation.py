"""Expected values where scenarios may have probability zero: such a scenario costs nothing, but has to have an answer.

A decision that leaves any scenario without one is no decision, as in the extensive form, where its rows stand with all others.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from bilevel_lang.solvers.matrix import Ints
from bilevel_lang.solvers.program import Floats


def expected(values: Floats, weights: Floats) -> Any:
    """Of ``values`` (S,) a number, of (k, S) an array (k,): +inf where one is, and else -inf where one is, whatever its weight in
    ``weights`` (S,); NaN counts as NaN."""
    infinite = np.isinf(values)
    if not infinite.any():
        return values @ weights
    ends = np.where(np.isposinf(values).any(axis=-1), np.inf, -np.inf)
    return np.where(infinite.any(axis=-1), ends, np.where(infinite, 0.0, values) @ weights)[()]


def mixed(weights: Floats, seed: int) -> Ints:
    """The scenarios (S,) in an order drawn by ``seed``, those of probability zero last: what the first ones say has a weight."""
    order = np.random.Generator(np.random.Philox(seed)).permutation(len(weights))
    found: Ints = order[np.argsort(weights[order] == 0, kind="stable")]
    return found
