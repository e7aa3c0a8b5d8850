"""Whose input is whose: the columns of a network in the order of the model's variables."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import scipy.sparse as sp

from bilevel_lang.errors import OnnxFileError
from bilevel_lang.surrogate.network import Affine, Network
from bilevel_lang.surrogate.onnx_files.reading import OnnxNetwork


def matched(read: OnnxNetwork, names: tuple[str, ...]) -> OnnxNetwork:
    """``read`` with its inputs in the order of ``names``: by name where the file's names mean anything, otherwise by order.

    Raises OnnxFileError where numbers differ, or names do.
    """
    if len(names) != read.network.inputs:
        mend = "export a network of these inputs (with a batch axis that is free or 1): " + ", ".join(names)
        raise OnnxFileError(f"the network has {read.network.inputs} inputs, and {len(names)} variables are to be put in", mend)
    if not read.named or read.inputs == names:
        return replace(read, inputs=names)
    unknown, missing = sorted(set(read.inputs) - set(names)), sorted(set(names) - set(read.inputs))
    if unknown or missing or len(set(names)) < len(names):
        raise OnnxFileError(
            f"the network's inputs are {', '.join(read.inputs)}; the model has no {', '.join(unknown) or 'such names twice'}",
            "rename the inputs of the network, or train it again for this model; left over are " + (", ".join(missing) or "none"),
        )
    place = {name: k for k, name in enumerate(read.inputs)}
    return replace(read, network=permuted(read.network, [place[name] for name in names]), inputs=names)


def permuted(network: Network, order: list[int]) -> Network:
    """The network whose input k is input ``order[k]`` of ``network``."""

    def moved(layer: Affine) -> Affine:
        columns = np.concatenate([np.asarray(order), np.arange(network.inputs, layer.weights.shape[1])])
        return Affine(sp.csr_matrix(layer.weights[:, columns]), layer.bias)

    return Network(network.inputs, tuple(moved(a) for a in network.hidden), moved(network.output))
