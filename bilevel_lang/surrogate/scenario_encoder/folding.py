"""A network some of whose inputs are known: the same function of the others, without the neurons that depend on nothing else."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from bilevel_lang.surrogate.network import Affine, Floats, Network


def with_last_inputs(network: Network, values: Floats) -> Network:
    """``network`` with its last inputs worth ``values`` (e,): a network of the inputs before them.

    Neurons that see known columns only are numbers, and go into the biases of what comes after them. Raises ValueError for more
    values than inputs.
    """
    inputs = network.inputs - len(values)
    if inputs < 0:
        raise ValueError(f"{len(values)} values for the last of {network.inputs} inputs")
    # One entry a column: its value where it is known, NaN where it depends on the inputs that are left.
    known = np.concatenate([np.full(inputs, np.nan), np.asarray(values, dtype=float)])
    hidden: list[Affine] = []
    for layer in network.hidden:
        rest = _without(layer, known)
        live = np.diff(rest.weights.indptr) > 0
        if live.any():
            hidden.append(Affine(sp.csr_matrix(rest.weights[live]), rest.bias[live]))
        known = np.concatenate([known, np.where(live, np.nan, np.maximum(rest.bias, 0.0))])
    return Network(inputs, tuple(hidden), _without(network.output, known))


def _without(layer: Affine, known: Floats) -> Affine:
    """``layer`` over the columns that are not ``known``; the others are in its bias."""
    given = np.isfinite(known)
    weights = layer.weights.tocsc()
    rest = sp.csr_matrix(weights[:, ~given])
    rest.eliminate_zeros()
    return Affine(rest, layer.bias + np.asarray(weights[:, given] @ known[given]).ravel())
