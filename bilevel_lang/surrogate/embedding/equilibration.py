"""The same network in neurons whose values are neither tiny nor huge: solvers have absolute tolerances.

A ReLU is positively homogeneous: max(0, s a) = s max(0, a) for s > 0. A neuron that reaches no further than 1e-6 would be lost in
a solver's tolerance of 1e-6, and what counts it with a weight of 1e6 would be anything. The factors are powers of two, so that
nothing is rounded; ordinary neurons keep theirs, which is 1.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import scipy.sparse as sp

from bilevel_lang.surrogate.embedding.reduction import Reduced
from bilevel_lang.surrogate.network import Affine, Floats, Network

ORDINARY = 2.0**-6, 2.0**14
"""Between these the largest absolute value before a ReLU is left as it is."""


def equilibrated(reduced: Reduced) -> Reduced:
    """``reduced`` with every neuron multiplied by :func:`factors`; ``lower`` and ``upper`` are those of the multiples."""
    scale = factors(reduced)
    if (scale == 1.0).all():
        return reduced
    inputs = reduced.network.inputs
    columns = np.concatenate([np.ones(inputs), scale])

    def over(layer: Affine, rows: Floats) -> Affine:
        weights = sp.diags(rows) @ layer.weights @ sp.diags(1.0 / columns[: layer.weights.shape[1]])
        return Affine(sp.csr_matrix(weights), layer.bias * rows)

    layers, done = [], 0
    for layer in reduced.network.hidden:
        layers.append(over(layer, scale[done : done + len(layer.bias)]))
        done += len(layer.bias)
    output = over(reduced.network.output, np.ones(reduced.network.outputs))
    network = Network(inputs, tuple(layers), output)
    return replace(reduced, network=network, lower=reduced.lower * scale, upper=reduced.upper * scale)


def factors(reduced: Reduced) -> Floats:
    """A power of two for each neuron (neurons,) that brings its largest absolute value near 1; 1 where that is ordinary,
    infinite, or 0."""
    reach = np.maximum(abs(reduced.lower), abs(reduced.upper))
    least, most = ORDINARY
    strange = np.isfinite(reach) & (reach > 0) & ((reach < least) | (reach > most))
    exponent = np.round(np.log2(np.where(strange, reach, 1.0)))
    return np.asarray(np.exp2(-exponent))
