"""ONNX to a network of scenario sets: the graph is cut at ``mean``, and both halves go through the reader of all networks.

So what holds there holds here: the allow-list of operators, the limits, no other file, nothing executed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bilevel_lang.errors import OnnxFileError
from bilevel_lang.surrogate.onnx_files.limits import LIMITS, Limits
from bilevel_lang.surrogate.onnx_files.loading import load_message
from bilevel_lang.surrogate.onnx_files.metadata import OF_SETS, Metadata, metadata_of
from bilevel_lang.surrogate.onnx_files.reading import network_of
from bilevel_lang.surrogate.scenario_encoder.network import ScenarioNetwork

INPUTS, OUTPUT, MEAN = ("scenarios", "probabilities", "decision"), "cost", "mean"
"""Names in the graph."""

_AGAIN = "train one: `--method nn-embed --save-surrogate FILE`"


@dataclass(frozen=True, eq=False)
class ScenarioFile:
    """What a file holds."""

    network: ScenarioNetwork
    metadata: Metadata


def read_scenario_network(path: Path, limits: Limits = LIMITS) -> ScenarioFile:
    """The network in ``path``, float64 whatever the file's precision.

    Raises UsageError where the file cannot be read, OnnxFileError for what is refused, and for any other kind of network.
    """
    model = load_message(path, limits)
    metadata = _metadata(path, model)
    join = _joined(path, model)
    features_name = join.input[1]
    early = _before(model.graph, features_name)
    late = [node for node in model.graph.node if node is not join and not any(node is other for other in early)]
    ends = {entry.name: entry for entry in model.graph.input}
    features = network_of(_part(model, early, [ends["scenarios"]], features_name), path, limits).network
    width = features.outputs
    kind = ends["decision"].type.tensor_type.elem_type
    part = _part(model, late, [ends["decision"], _one_row(MEAN, kind, width)], OUTPUT)
    cost = network_of(part, path, limits).network
    try:
        found = ScenarioNetwork(features, cost)
    except ValueError as error:
        raise OnnxFileError(f"{path}: {error}", _AGAIN) from error
    if len(metadata.inputs) != found.decisions or len(metadata.parameters) != found.parameters:
        raise OnnxFileError(
            f"{path}: the metadata name {len(metadata.inputs)} decisions and {len(metadata.parameters)} random parameters, the "
            f"graph has {found.decisions} and {found.parameters}",
            _AGAIN,
        )
    return ScenarioFile(found, metadata)


def _metadata(path: Path, model: Any) -> Metadata:
    try:
        found = metadata_of({entry.key: entry.value for entry in model.metadata_props})
    except OnnxFileError as error:
        raise OnnxFileError(f"{path}: {error.diagnostics[0].message}", error.diagnostics[0].help) from error
    if found is None:
        said = "the file does not say which decisions and random parameters its network is of (no metadata of bilevel-lang)"
        raise OnnxFileError(f"{path}: {said}", _AGAIN)
    if found.target != OF_SETS:
        said = f"the network is one of bilevel problems (target `{found.target}`), not of the {OF_SETS} over a set of scenarios"
        raise OnnxFileError(f"{path}: {said}", _AGAIN)
    return found


def _joined(path: Path, model: Any) -> Any:
    """The node that makes ``mean``. Raises OnnxFileError for a graph of another form."""
    graph = model.graph
    constants = {tensor.name for tensor in graph.initializer}
    inputs = {entry.name for entry in graph.input} - constants
    makers = [node for node in graph.node if MEAN in node.output]
    outputs = [entry.name for entry in graph.output]
    right = inputs == set(INPUTS) and outputs == [OUTPUT] and len(makers) == 1
    if right and makers[0].op_type == "MatMul" and len(makers[0].input) == 2 and makers[0].input[0] == "probabilities":
        return makers[0]
    said = f"the graph has no inputs {', '.join(INPUTS)}, which meet in `{MEAN}` = probabilities times features"
    raise OnnxFileError(f"{path}: {said}", _AGAIN)


def _before(graph: Any, name: str) -> list[Any]:
    """The nodes that ``name`` is made by, in the order of the graph."""
    makers = {output: node for node in graph.node for output in node.output}
    found: dict[int, Any] = {}
    waiting = [name]
    while waiting:
        node = makers.get(waiting.pop())
        if node is not None and id(node) not in found:
            found[id(node)] = node
            waiting += list(node.input)
    return [node for node in graph.node if id(node) in found]


def _part(model: Any, nodes: list[Any], inputs: list[Any], output: str) -> Any:
    """A model of some of the nodes, without metadata; what else they use, the reader misses."""
    import onnx

    used = {name for node in nodes for name in node.input}
    found = onnx.ModelProto()
    found.ir_version = model.ir_version
    found.opset_import.extend(model.opset_import)
    found.graph.node.extend(nodes)
    found.graph.input.extend(inputs)
    found.graph.output.extend(_named(output))
    found.graph.initializer.extend(tensor for tensor in model.graph.initializer if tensor.name in used)
    return found


def _named(name: str) -> Iterable[Any]:
    import onnx

    return [onnx.ValueInfoProto(name=name)]


def _one_row(name: str, kind: int, width: int) -> Any:
    from onnx import helper

    return helper.make_tensor_value_info(name, kind, [1, width])
