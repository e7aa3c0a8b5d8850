"""ONNX graphs made by hand, as exporters write them, and what onnxruntime makes of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from bilevel_lang.surrogate.network import Floats
from bilevel_lang.surrogate.onnx_files.reading import OnnxNetwork, read_onnx

GENERATOR = np.random.default_rng(7)


def weights(*shape: int) -> Floats:
    """Random numbers that float32 holds exactly."""
    return np.random.default_rng(list(shape)).normal(size=shape).astype(np.float32).astype(np.float64)


def model(
    nodes: list[Any],
    constants: dict[str, Any] | None = None,
    inputs: dict[str, list[Any]] | None = None,
    outputs: tuple[str, ...] = ("y",),
    opset: int = 13,
    ml: bool = False,
) -> Any:
    """A float32 model: ``nodes`` as (operator, inputs, outputs, attributes), ``inputs`` as name -> shape ("b": free)."""
    made = [_node(k, *node) for k, node in enumerate(nodes)]
    tensors = [numpy_helper.from_array(_stored(value), name) for name, value in (constants or {}).items()]
    graph = helper.make_graph(
        made,
        "test",
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in (inputs or {"x": ["b", 3]}).items()],
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, None) for n in outputs],
        initializer=tensors,
    )
    sets = [helper.make_opsetid("", opset)] + ([helper.make_opsetid("ai.onnx.ml", 1)] if ml else [])
    return helper.make_model(graph, opset_imports=sets, ir_version=8)


def _node(number: int, kind: str, inputs: list[str], outputs: list[str], attributes: dict[str, Any] | None = None) -> Any:
    return helper.make_node(kind, inputs, outputs, name=f"n{number}", **(attributes or {}))


def _stored(value: Any) -> Any:
    found = np.asarray(value)
    return found.astype(np.float32) if found.dtype.kind == "f" else found


def read(made: Any, folder: Path) -> OnnxNetwork:
    """What our reader makes of a model."""
    path = folder / "made.onnx"
    path.write_bytes(made if isinstance(made, bytes) else made.SerializeToString())
    return read_onnx(path)


def runtime(made: Any, *feeds: Floats) -> Floats:
    """What onnxruntime makes of it at one point (its inputs' arrays), all outputs one after the other."""
    import onnxruntime

    session = onnxruntime.InferenceSession(made.SerializeToString(), providers=["CPUExecutionProvider"])
    named = {entry.name: np.asarray(feed, dtype=np.float32) for entry, feed in zip(session.get_inputs(), feeds, strict=True)}
    return np.concatenate([np.asarray(found, dtype=float).ravel() for found in session.run(None, named)])


def agree(made: Any, folder: Path, *shapes: tuple[int, ...], points: int = 5) -> OnnxNetwork:
    """Compare reader and onnxruntime at random points to 1e-4 * max(1, |value|); ``shapes`` are those of the inputs."""
    found = read(made, folder)
    for _ in range(points):
        feeds = [2 * GENERATOR.normal(size=shape) for shape in (shapes or ((1, 3),))]
        expected = runtime(made, *feeds)
        point = np.concatenate([feed.astype(np.float32).ravel() for feed in feeds])[None]
        ours = found.network(point).ravel()
        assert ours.shape == expected.shape
        assert (abs(ours - expected) <= 1e-4 * np.maximum(1, abs(expected))).all(), (ours, expected)
    return found


def dense_nodes() -> tuple[list[Any], dict[str, Any]]:
    """3 inputs, 4 ReLUs, 2 outputs."""
    nodes = [
        ("Gemm", ["x", "w1", "b1"], ["a"], {"transB": 1}),
        ("Relu", ["a"], ["z"]),
        ("Gemm", ["z", "w2", "b2"], ["y"], {"transB": 1}),
    ]
    return nodes, {"w1": weights(4, 3), "b1": weights(4), "w2": weights(2, 4), "b2": weights(2)}
