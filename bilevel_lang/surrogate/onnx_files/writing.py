"""Network to ONNX: Gemm and Relu, with Concat where a layer uses more than the one before it. Plain opset 13, no extensions."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np

from bilevel_lang.files import write_bytes
from bilevel_lang.surrogate.network import Affine, Network
from bilevel_lang.surrogate.onnx_files.metadata import Metadata

OPSET, IR_VERSION = 13, 8
"""Old enough for every reader of today: what is used here has not changed since."""


def write_onnx(
    path: Path, network: Network, metadata: Metadata | None = None, precision: Literal["float64", "float32"] = "float64"
) -> None:
    """Write ``network`` to ``path``, atomically; one input ``input`` (batch, inputs), one output ``output`` (batch, outputs).

    float64 is read back exactly; float32 is what some other tools want. Raises UsageError where the file cannot be written,
    ValueError where metadata and network have different numbers of inputs or outputs, or float32 cannot hold a weight.
    """
    write_bytes(path, serialised(network, metadata, precision))


def serialised(network: Network, metadata: Metadata | None = None, precision: Literal["float64", "float32"] = "float64") -> bytes:
    """The content of such a file."""
    import onnx
    from onnx import TensorProto, helper

    if metadata and (len(metadata.inputs), len(metadata.outputs)) != (network.inputs, network.outputs):
        raise ValueError(f"metadata name {len(metadata.inputs)} inputs and {len(metadata.outputs)} outputs, not the network's")
    number = TensorProto.DOUBLE if precision == "float64" else TensorProto.FLOAT
    graph = _Graph(np.float64 if precision == "float64" else np.float32)
    blocks = [("input", network.inputs)]
    for k, layer in enumerate(network.hidden, start=1):
        name = graph.affine(f"before{k}", layer, blocks)
        graph.nodes.append(helper.make_node("Relu", [name], [f"relu{k}"], name=f"Relu{k}"))
        blocks.append((f"relu{k}", len(layer.bias)))
    graph.affine("output", network.output, blocks)
    ends = [(name, helper.make_tensor_value_info(name, number, ["batch", width])) for name, width in _ends(network)]
    made = helper.make_graph(graph.nodes, "network", [ends[0][1]], [ends[1][1]], initializer=graph.tensors)
    model = helper.make_model(
        made, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION, producer_name="bilevel-lang"
    )
    if metadata:
        helper.set_model_props(model, metadata.properties())
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString(deterministic=True))


def _ends(network: Network) -> list[tuple[str, int]]:
    return [("input", network.inputs), ("output", network.outputs)]


class _Graph:
    """Nodes and constants as they come."""

    def __init__(self, dtype: type[np.floating[Any]]) -> None:
        self.dtype = dtype
        self.nodes: list[Any] = []
        self.tensors: list[Any] = []

    def affine(self, name: str, layer: Affine, blocks: list[tuple[str, int]]) -> str:
        """``layer`` as a Gemm over those of ``blocks`` (name, width) that it uses; returns ``name``."""
        from onnx import helper, numpy_helper

        starts = np.cumsum([0] + [width for _, width in blocks])
        dense = layer.weights.toarray()
        parts = [(block, dense[:, start : start + width]) for (block, width), start in zip(blocks, starts, strict=False)]
        used = [(block, part) for block, part in parts if part.any()] or parts[-1:]
        source = used[0][0]
        if len(used) > 1:
            source = f"{name}_columns"
            self.nodes.append(helper.make_node("Concat", [block for block, _ in used], [source], name=f"{name}/Concat", axis=1))
        for end, numbers in (("weights", np.hstack([part for _, part in used])), ("bias", layer.bias)):
            if abs(numbers).max(initial=0.0) > np.finfo(self.dtype).max:
                raise ValueError(f"{name} has {end} that {np.dtype(self.dtype).name} cannot hold")
            self.tensors.append(numpy_helper.from_array(numbers.astype(self.dtype), f"{name}_{end}"))
        self.nodes.append(
            helper.make_node("Gemm", [source, f"{name}_weights", f"{name}_bias"], [name], name=f"{name}/Gemm", transB=1)
        )
        return name
