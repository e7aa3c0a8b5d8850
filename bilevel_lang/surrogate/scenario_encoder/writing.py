"""A network of scenario sets as one ONNX graph: plain opset 13, any number of scenarios and of decisions.

Inputs: ``scenarios`` (S, p), ``probabilities`` (1, S), ``decision`` (batch, n); output ``cost`` (batch, 1). Phi1 gives
``features`` (S, e), and ``mean`` = probabilities times features is the one place where two values that are not constant meet.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np

from bilevel_lang.files import write_bytes
from bilevel_lang.surrogate.network import Affine, Floats
from bilevel_lang.surrogate.onnx_files.metadata import Metadata
from bilevel_lang.surrogate.onnx_files.writing import IR_VERSION, OPSET
from bilevel_lang.surrogate.scenario_encoder.network import ScenarioNetwork

Precision = Literal["float64", "float32"]


def write_scenario_network(path: Path, network: ScenarioNetwork, metadata: Metadata, precision: Precision = "float64") -> None:
    """Write ``network`` to ``path``, atomically.

    Raises UsageError where the file cannot be written, ValueError where metadata and network do not fit, or float32 cannot hold a
    weight.
    """
    write_bytes(path, serialised_sets(network, metadata, precision))


def serialised_sets(network: ScenarioNetwork, metadata: Metadata | None, precision: Precision = "float64") -> bytes:
    """The content of such a file."""
    import onnx
    from onnx import TensorProto, helper

    if metadata and (len(metadata.inputs), len(metadata.outputs)) != (network.decisions, 1):
        raise ValueError(f"metadata name {len(metadata.inputs)} decisions, and the network has {network.decisions}")
    graph = _Graph(np.dtype(precision))
    graph.layers("features", network.features.hidden, network.features.output, [("scenarios", network.parameters, False)])
    graph.node("MatMul", ["probabilities", "features"], "mean")
    ends = [("decision", network.decisions, True), ("mean", network.features.outputs, False)]
    graph.layers("cost", network.cost.hidden, network.cost.output, ends)
    number = TensorProto.DOUBLE if precision == "float64" else TensorProto.FLOAT
    shapes = {
        "scenarios": ["scenarios_count", network.parameters],
        "probabilities": [1, "scenarios_count"],
        "decision": ["batch", network.decisions],
        "cost": ["batch", 1],
    }
    values = [helper.make_tensor_value_info(name, number, shape) for name, shape in shapes.items()]
    made = helper.make_graph(graph.nodes, "scenario sets", values[:3], values[3:], initializer=graph.tensors)
    model = helper.make_model(
        made, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION, producer_name="bilevel-lang"
    )
    if metadata:
        helper.set_model_props(model, metadata.properties())
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString(deterministic=True))


Block = tuple[str, int, bool]
"""Name and width of a value, and whether it has one row for each decision; the others have one for the whole set."""


class _Graph:
    """Nodes and constants as they come."""

    def __init__(self, dtype: np.dtype[Any]) -> None:
        self.dtype = dtype
        self.nodes: list[Any] = []
        self.tensors: list[Any] = []

    def layers(self, name: str, hidden: tuple[Affine, ...], output: Affine, blocks: list[Block]) -> None:
        """A network over ``blocks``; its output is called ``name``."""
        blocks = list(blocks)
        for k, layer in enumerate(hidden, start=1):
            many = self._affine(f"{name}_before{k}", layer, blocks, needed=False)
            self.node("Relu", [f"{name}_before{k}"], f"{name}_relu{k}")
            blocks.append((f"{name}_relu{k}", len(layer.bias), many))
        # Whatever the weights, a cost has a row for each decision.
        self._affine(name, output, blocks, needed=any(many for _, _, many in blocks))

    def node(self, kind: str, inputs: list[str], output: str, **attributes: int) -> str:
        """A node; the name of its output."""
        from onnx import helper

        self.nodes.append(helper.make_node(kind, inputs, [output], name=output, **attributes))
        return output

    def _affine(self, name: str, layer: Affine, blocks: list[Block], needed: bool) -> bool:
        """``layer``; whether it has a row for each decision. What belongs to the set is added by broadcasting."""
        starts = np.cumsum([0, *(width for _, width, _ in blocks)])
        dense = layer.weights.toarray()
        parts = [(b, dense[:, at : at + b[1]]) for b, at in zip(blocks, starts, strict=False)]
        used = [(b, part) for b, part in parts if part.any()]
        ours = [(b, part) for b, part in used if b[2]]
        if needed and not ours:
            ours = [(b, part) for b, part in parts if b[2]][:1]
        theirs = [(b, part) for b, part in used if not b[2]]
        if not ours and not theirs:
            theirs = [(b, part) for b, part in parts if not b[2]][:1] or parts[:1]
        added = self._constant(f"{name}_bias", layer.bias)
        if theirs:
            added = self._gemm(f"{name}_of_set" if ours else name, theirs, added)
        if ours:
            self._gemm(name, ours, added)
        return bool(ours)

    def _gemm(self, name: str, parts: list[tuple[Block, Floats]], added: str) -> str:
        source = parts[0][0][0]
        if len(parts) > 1:
            source = self.node("Concat", [b[0] for b, _ in parts], f"{name}_columns", axis=1)
        weights = self._constant(f"{name}_weights", np.hstack([part for _, part in parts]))
        return self.node("Gemm", [source, weights, added], name, transB=1)

    def _constant(self, name: str, numbers: Floats) -> str:
        from onnx import numpy_helper

        if abs(numbers).max(initial=0.0) > np.finfo(self.dtype).max:
            raise ValueError(f"{name} holds numbers that {self.dtype.name} cannot")
        self.tensors.append(numpy_helper.from_array(numbers.astype(self.dtype), name))
        return name
