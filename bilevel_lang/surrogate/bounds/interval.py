"""Bounds of what goes into every ReLU by interval arithmetic, rounded outwards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bilevel_lang.surrogate.network import Affine, Floats, Network

ROUNDING = 1e-12
"""What bounds are moved outwards by, relative to the sum of magnitudes: sums of 4,000 terms lose less than this in float64."""


@dataclass(frozen=True, eq=False)
class NetworkBounds:
    """``lower <= a <= upper`` (neurons,) of the value before each ReLU; ``output_lower``, ``output_upper`` (outputs,)."""

    lower: Floats
    upper: Floats
    output_lower: Floats
    output_upper: Floats


def interval_bounds(network: Network, lower: Floats, upper: Floats) -> NetworkBounds:
    """Over the box ``lower <= x <= upper`` (inputs,). Infinite where an infinite bound reaches: who needs finite ones refuses."""
    low, up = np.asarray(lower, dtype=float), np.asarray(upper, dtype=float)
    before: list[tuple[Floats, Floats]] = []
    for layer in network.hidden:
        before.append(reach(layer, low, up))
        low = np.concatenate([low, np.maximum(before[-1][0], 0.0)])
        up = np.concatenate([up, np.maximum(before[-1][1], 0.0)])
    none = np.zeros(0)
    pre_low, pre_up = (np.concatenate([none, *side]) for side in (zip(*before, strict=True) if before else ((), ())))
    return NetworkBounds(pre_low, pre_up, *reach(network.output, low, up))


def reach(layer: Affine, lower: Floats, upper: Floats) -> tuple[Floats, Floats]:
    """Bounds of ``layer`` (outputs,) where its columns lie in ``lower`` to ``upper``."""
    weights = layer.weights
    known = np.flatnonzero(weights.data)  # 0 times an infinite bound is 0
    data, columns = weights.data[known], weights.indices[known]
    rows = np.repeat(np.arange(len(layer.bias)), np.diff(weights.indptr))[known]
    at_lower, at_upper = data * lower[columns], data * upper[columns]

    def total(terms: Floats) -> Floats:
        return np.bincount(rows, weights=terms, minlength=len(layer.bias)).astype(float)

    # By the terms of the bound itself, not by the largest ones: a bound that is a sum of zeros is 0, and the neuron decided.
    return _outward(np.minimum(at_lower, at_upper), layer.bias, total, -1.0), _outward(
        np.maximum(at_lower, at_upper), layer.bias, total, 1.0
    )


def _outward(terms: Floats, bias: Floats, total: Callable[[Floats], Floats], side: float) -> Floats:
    """The sums of ``terms`` and ``bias``, moved to ``side`` by what float64 may have lost."""
    size = total(abs(terms)) + abs(bias)
    return total(terms) + bias + side * np.where(np.isfinite(size), ROUNDING * size, 0.0)
