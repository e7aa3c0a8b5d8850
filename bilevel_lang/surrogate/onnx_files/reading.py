"""ONNX to Network. A file may come from anybody: nothing is executed, no other file is opened, what is not understood is refused.

The graph is evaluated once on affine forms instead of numbers (see :mod:`wires`); every ReLU it meets becomes a layer. What comes
out is the same function in float64, whatever the exporter wrote: Gemm or MatMul and Add, scalers, skip connections, a batch axis
that is free, 1 or missing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bilevel_lang.errors import OnnxFileError
from bilevel_lang.surrogate.network import Network
from bilevel_lang.surrogate.onnx_files.complaint import ComplaintError
from bilevel_lang.surrogate.onnx_files.limits import LIMITS, Limits
from bilevel_lang.surrogate.onnx_files.loading import load_message
from bilevel_lang.surrogate.onnx_files.metadata import OF_SETS, PREFIX, Metadata, metadata_of
from bilevel_lang.surrogate.onnx_files.operators import attributes_of, constant, operator_of
from bilevel_lang.surrogate.onnx_files.tensors import array_of
from bilevel_lang.surrogate.onnx_files.wires import Tape, Value, Wire


@dataclass(frozen=True, eq=False)
class OnnxNetwork:
    """What a file holds. ``inputs`` and ``outputs`` are names in order, one for each number; ``named``: whether they mean
    anything to the model (metadata of ours, or several tensors of one number each) or are made up from the tensor's name."""

    network: Network
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    named: bool
    metadata: Metadata | None


def read_onnx(path: Path, limits: Limits = LIMITS) -> OnnxNetwork:
    """The network in ``path``; several inputs and outputs are put one after the other in the graph's order.

    Raises UsageError where the file cannot be read, OnnxFileError (naming node, operator and mend) for what is refused.
    """
    return network_of(load_message(path, limits), path, limits)


def network_of(model: Any, path: Path, limits: Limits) -> OnnxNetwork:
    """The network in a message that :func:`load_message` let through; ``path`` is for complaints. Raises OnnxFileError."""
    try:
        return _read(model, limits)
    except _NodeError as error:
        raise OnnxFileError(f"{path}: {error.place}: {error.complaint}", error.complaint.mend) from error
    except ComplaintError as error:
        raise OnnxFileError(f"{path}: {error}", error.mend) from error
    except OnnxFileError as error:
        raise OnnxFileError(f"{path}: {error.diagnostics[0].message}", error.diagnostics[0].help) from error


class _NodeError(Exception):
    """A complaint with the node that it is about."""

    def __init__(self, node: Any, complaint: ComplaintError) -> None:
        super().__init__(str(complaint))
        self.complaint = complaint
        name = node.name or "without a name, making " + (node.output[0] if node.output else "nothing")
        self.place = f"node {name} (operator {node.op_type})"


def _read(model: Any, limits: Limits) -> OnnxNetwork:
    if any(entry.key == PREFIX + "target" and entry.value == OF_SETS for entry in model.metadata_props):
        raise ComplaintError(
            f"the network stands for the {OF_SETS} over sets of scenarios", "use it for the stochastic program it was trained for"
        )
    values: dict[str, Value] = {}
    for tensor in model.graph.initializer:
        _define(values, tensor.name, array_of(tensor, limits))
    # Old files list their weights among the inputs.
    sources = [(entry.name, _input_shape(entry, limits)) for entry in model.graph.input if entry.name not in values]
    sizes = [math.prod(shape) for _, shape in sources]
    if not 0 < sum(sizes) <= limits.columns:
        raise ComplaintError(f"the graph has {sum(sizes)} inputs", f"1 to {limits.columns} are read")
    tape = Tape(sum(sizes), limits)
    for (name, shape), start in zip(sources, np.cumsum([0, *sizes]), strict=False):
        _define(values, name, tape.source(int(start), shape))
    for node in model.graph.node:
        _with_place(tape, node, values)
    ends = [(entry.name, _output(values, entry.name)) for entry in model.graph.output]
    return _result(tape, [(name, size) for (name, _), size in zip(sources, sizes, strict=True)], ends, model)


def _input_shape(entry: Any, limits: Limits) -> tuple[int, ...]:
    """The shape of an input for one point: the one axis of free length is the batch. Raises ComplaintError."""
    import onnx

    name, kind = entry.name, entry.type.tensor_type
    if not entry.type.HasField("tensor_type") or kind.elem_type not in (onnx.TensorProto.FLOAT, onnx.TensorProto.DOUBLE):
        raise ComplaintError(f"input {name} is no tensor of float32 or float64", "export the network with such an input")
    if not kind.HasField("shape"):
        raise ComplaintError(f"input {name} has no shape", "export the network with an example input")
    if len(kind.shape.dim) > limits.axes:
        raise ComplaintError(f"input {name} has {len(kind.shape.dim)} axes", f"{limits.axes} are the most")
    lengths = [d.dim_value if d.HasField("dim_value") else -1 for d in kind.shape.dim]
    free = [k for k, d in enumerate(lengths) if d < 0]
    if len(free) > 1:
        raise ComplaintError(f"input {name} has {len(free)} axes of free length", "fix all but the batch axis")
    return tuple(1 if d < 0 else d for d in lengths)


def _define(values: dict[str, Value], name: str, value: Value) -> None:
    if not name or name in values:
        raise ComplaintError(
            f"the value {name!r} is defined twice" if name else "a value has no name", "export the network again"
        )
    values[name] = value


def _with_place(tape: Tape, node: Any, values: dict[str, Value]) -> None:
    """:func:`_evaluate`, and a complaint gets the node's name."""
    try:
        _evaluate(tape, node, values)
    except ComplaintError as error:
        raise _NodeError(node, error) from error


def _evaluate(tape: Tape, node: Any, values: dict[str, Value]) -> None:
    """The first output of a node; further ones (a mask of Dropout) stay undefined, and are missed where they are used."""
    if node.op_type == "Constant" and node.domain in ("", "ai.onnx") and node.output:
        _define(values, node.output[0], constant(node, tape.limits))
        return
    operator = operator_of(node)
    inputs = [_known(values, name) for name in node.input]
    with np.errstate(over="ignore", invalid="ignore"):  # what overflows is found below
        found = operator.apply(tape, inputs, attributes_of(node, operator))
    _define(values, node.output[0], _folded(found, inputs))


def _known(values: dict[str, Value], name: str) -> Value | None:
    if name and name not in values:
        raise ComplaintError(f"its input {name} is not defined before it", "export the network again")
    return values[name] if name else None


def _folded(found: Value, inputs: list[Value | None]) -> Value:
    """A result as a constant where nothing that went in depends on the inputs; ComplaintError for numbers that are not finite."""
    numbers = found.forms.bias if isinstance(found, Wire) else found
    if not np.isfinite(numbers).all() or (isinstance(found, Wire) and not np.isfinite(found.forms.weights.data).all()):
        raise ComplaintError("its result is not finite: numbers overflow", "train the network again with scaled inputs")
    if not isinstance(found, Wire) or any(isinstance(v, Wire) for v in inputs):
        return found
    whole = all(v is None or (not isinstance(v, Wire) and v.dtype.kind == "i") for v in inputs)
    return found.forms.bias.reshape(found.shape).astype(np.int64 if whole else np.float64)


def _output(values: dict[str, Value], name: str) -> Wire:
    found = values.get(name)
    if not isinstance(found, Wire):
        said = "is not defined by any node" if found is None else "is a constant"
        raise ComplaintError(f"the graph's output {name} {said}", "export the network again")
    return found


def _result(tape: Tape, sources: list[tuple[str, int]], ends: list[tuple[str, Wire]], model: Any) -> OnnxNetwork:
    together = tape.joined([wire for _, wire in ends], np.arange(sum(wire.size for _, wire in ends)))
    network = tape.network(together)
    metadata = metadata_of({entry.key: entry.value for entry in model.metadata_props})
    inputs, outputs = _names(sources), _names([(name, wire.size) for name, wire in ends])
    if metadata is None:
        return OnnxNetwork(network, inputs, outputs, len(sources) > 1 and all(size == 1 for _, size in sources), None)
    if (len(metadata.inputs), len(metadata.outputs)) != (network.inputs, network.outputs):
        raise ComplaintError(
            f"the metadata name {len(metadata.inputs)} inputs and {len(metadata.outputs)} outputs, "
            f"the graph has {network.inputs} and {network.outputs}",
            "train again, or remove the entries that begin with bilevel_lang. from metadata_props",
        )
    return OnnxNetwork(network, metadata.inputs, metadata.outputs, True, metadata)


def _names(tensors: list[tuple[str, int]]) -> tuple[str, ...]:
    """``name`` for a tensor of one number, ``name[0]``, ``name[1]``, ... for others."""
    return tuple(name if size == 1 else f"{name}[{k}]" for name, size in tensors for k in range(size))
