"""Whole files: as torch, keras and scikit-learn write them, several inputs, what our writer wrote, graphs that do not fit."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper

from bilevel_lang.errors import OnnxFileError
from bilevel_lang.surrogate.bounds.input_set import box
from bilevel_lang.surrogate.embedding.construction import embed
from bilevel_lang.surrogate.onnx_files.metadata import Metadata
from bilevel_lang.surrogate.onnx_files.reading import read_onnx
from bilevel_lang.surrogate.onnx_files.writing import serialised, write_onnx
from tests.surrogate.embedding.solving import convex_network, random_network
from tests.surrogate.onnx_files.graphs import agree, dense_nodes, model, read, runtime, weights

POINTS = np.random.default_rng(0).normal(size=(20, 3))


@pytest.mark.parametrize("shape", [["b", 3], [1, 3], [None, 3]], ids=["named axis", "one", "free axis"])
def test_batch_axes(shape: list[Any], tmp_path: Path) -> None:
    found = agree(model(*dense_nodes(), inputs={"x": shape}), tmp_path)
    assert (found.network.inputs, found.network.outputs, found.network.widths) == (3, 2, (4,))
    assert found.inputs == ("x[0]", "x[1]", "x[2]") and found.outputs == ("y[0]", "y[1]") and not found.named


def test_no_batch_axis(tmp_path: Path) -> None:
    nodes = [("MatMul", ["x", "w"], ["a"]), ("Relu", ["a"], ["z"]), ("MatMul", ["z", "v"], ["y"])]
    agree(model(nodes, {"w": weights(3, 4), "v": weights(4)}, {"x": [3]}), tmp_path, (3,))


def test_as_keras_is_exported(tmp_path: Path) -> None:
    # Normalization, Dense(5, relu), Concatenate with the input, Dense(1): what tf2onnx writes.
    nodes = [
        ("Sub", ["x", "mean"], ["n0"]),
        ("Mul", ["n0", "deviation"], ["n1"]),
        ("MatMul", ["n1", "k1"], ["d0"]),
        ("Add", ["d0", "b1"], ["d1"]),
        ("Relu", ["d1"], ["d2"]),
        ("Concat", ["d2", "x"], ["c"], {"axis": 1}),
        ("MatMul", ["c", "k2"], ["e"]),
        ("Add", ["e", "b2"], ["f"]),
        ("Identity", ["f"], ["y"]),
    ]
    constants = {"mean": weights(1, 3), "deviation": abs(weights(1, 3)) + 1, "k1": weights(3, 5), "b1": weights(5)}
    agree(model(nodes, {**constants, "k2": weights(8, 1), "b2": weights(1)}, {"x": ["unk__1", 3]}), tmp_path)


def test_as_scikit_learn_is_exported(tmp_path: Path) -> None:
    # A pipeline of StandardScaler and MLPRegressor with one hidden layer: what skl2onnx writes.
    nodes = [
        ("Cast", ["x"], ["s"], {"to": 1}),
        ("MatMul", ["s", "coefficient"], ["m0"]),
        ("Add", ["m0", "intercepts"], ["a0"]),
        ("Relu", ["a0"], ["r0"]),
        ("MatMul", ["r0", "coefficient1"], ["m1"]),
        ("Add", ["m1", "intercepts1"], ["a1"]),
        ("Reshape", ["a1", "shape"], ["y"]),
    ]
    constants = {
        "coefficient": weights(3, 5),
        "intercepts": weights(1, 5),
        "coefficient1": weights(5, 1),
        "intercepts1": weights(1, 1),
    }
    made = model(nodes, {**constants, "shape": np.array([-1, 1])}, {"x": [None, 3]}, ml=True)
    scaler = helper.make_node("Scaler", ["x"], ["scaled"], domain="ai.onnx.ml", offset=[1.0, 2, 3], scale=[0.5, 2.0, 1.0])
    made.graph.node.insert(0, scaler)
    made.graph.node[1].input[0] = "scaled"
    agree(made, tmp_path)


def torch_export(module: Any) -> bytes:
    import torch

    buffer = io.BytesIO()
    torch.onnx.export(
        module.eval(),
        torch.zeros(1, 3),
        buffer,
        input_names=["x"],
        output_names=["y"],
        dynamo=False,
        dynamic_axes={"x": {0: "b"}},
    )
    return buffer.getvalue()


@pytest.mark.filterwarnings("ignore")
def test_as_torch_is_exported(tmp_path: Path) -> None:
    import onnx
    import torch

    torch.manual_seed(0)

    class Convex(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.first, self.skip, self.last = torch.nn.Linear(3, 6), torch.nn.Linear(3, 6), torch.nn.Linear(3, 1)
            self.second, self.third = torch.nn.Linear(6, 6, bias=False), torch.nn.Linear(6, 1, bias=False)
            with torch.no_grad():
                self.second.weight.abs_()
                self.third.weight.abs_()

        def forward(self, x: Any) -> Any:
            z = torch.relu(self.first(x))
            z = torch.relu(self.second(z) + self.skip(x))
            return self.third(z) + self.last(x)

    layers = torch.nn
    plain = layers.Sequential(
        layers.Flatten(), layers.BatchNorm1d(3), layers.Linear(3, 5), layers.ReLU6(), layers.Dropout(), layers.BatchNorm1d(5),
        layers.Linear(5, 4, bias=False), layers.LeakyReLU(0.1), layers.Linear(4, 2), layers.Hardtanh(-0.3, 0.5),
    )  # fmt: skip
    for module in (plain, Convex()):
        made = onnx.load_from_string(torch_export(module))
        found = agree(made, tmp_path)
        with torch.no_grad():
            expected = module(torch.tensor(POINTS, dtype=torch.float32)).numpy()
        assert np.allclose(found.network(POINTS), expected, rtol=1e-4, atol=1e-4)
    # The input-convex one, pushed down, is an LP.
    embedding = embed(found.network, box(-np.ones(3), np.ones(3)), "epigraph", push=("down",))
    assert not embedding.integer.any() and embedding.binaries == 0


@pytest.mark.parametrize("network", [random_network(0), random_network(1, outputs=3, density=0.4), convex_network(2)])
def test_what_was_written_is_read_exactly(network: Any, tmp_path: Path) -> None:
    metadata = Metadata("m", "value", ("a", "b", "c"), tuple(f"v{k}" for k in range(network.outputs)), (0.0,) * 3, (1.0,) * 3)
    write_onnx(tmp_path / "n.onnx", network, metadata)
    found = read_onnx(tmp_path / "n.onnx")
    assert (found.metadata, found.inputs, found.named) == (metadata, ("a", "b", "c"), True)
    assert found.network.widths == network.widths
    for ours, theirs in zip((*found.network.hidden, found.network.output), (*network.hidden, network.output), strict=True):
        assert (ours.weights.toarray() == theirs.weights.toarray()).all() and (ours.bias == theirs.bias).all()


def test_float32_files_agree_with_onnxruntime(tmp_path: Path) -> None:
    import onnx

    network = random_network(3)
    agree(onnx.load_from_string(serialised(network, precision="float32")), tmp_path)


def test_several_inputs_and_outputs_in_the_graph_s_order(tmp_path: Path) -> None:
    nodes = [
        ("Concat", ["load", "price"], ["c"], {"axis": 1}),
        ("MatMul", ["c", "w"], ["a"]),
        ("Relu", ["a"], ["z"]),
        ("Sub", ["z", "price"], ["d"]),
    ]
    made = model(nodes, {"w": weights(2, 1)}, {"price": ["b", 1], "load": ["b", 1]}, ("z", "d"))
    found = agree(made, tmp_path, (1, 1), (1, 1))
    assert (found.inputs, found.outputs, found.named) == (("price", "load"), ("z", "d"), True)
    point = np.array([[2.0, 5.0]])
    assert np.allclose(found.network(point)[0], runtime(made, point[:, :1], point[:, 1:]), atol=1e-5)


def test_metadata_that_do_not_fit_the_graph(tmp_path: Path) -> None:
    made = model(*dense_nodes())
    helper.set_model_props(made, Metadata("m", "value", ("a",), ("v",), (0.0,), (1.0,)).properties())
    with pytest.raises(OnnxFileError, match="name 1 inputs and 1 outputs, the graph has 3 and 2"):
        read(made, tmp_path)


def test_weights_that_are_nan_name_the_tensor_and_the_file(tmp_path: Path) -> None:
    nodes, constants = dense_nodes()
    constants["w2"][1, 2] = np.nan
    with pytest.raises(OnnxFileError, match=r"made\.onnx: tensor w2 holds NaN") as caught:
        read(model(nodes, constants), tmp_path)
    assert caught.value.exit_code == 3


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda m: m.graph.input[0].type.tensor_type.ClearField("shape"), "has no shape"),
        (lambda m: setattr(m.graph.input[0].type.tensor_type, "elem_type", TensorProto.STRING), "no tensor of float32"),
        (lambda m: m.graph.input[0].type.tensor_type.shape.dim[1].ClearField("dim_value"), "2 axes of free length"),
        (lambda m: setattr(m.graph.input[0].type.tensor_type.shape.dim[1], "dim_value", 10**12), "has 1000000000000 inputs"),
        (lambda m: setattr(m.graph.input[0].type.tensor_type.shape.dim[1], "dim_value", 4), r"\[1, 4\] and \[3, 4\] cannot"),
        (lambda m: m.graph.ClearField("input"), "has 0 inputs"),
        (lambda m: setattr(m.graph.output[0], "name", "other"), "output other is not defined"),
        (lambda m: setattr(m.graph.output[0], "name", "b1"), "output b1 is a constant"),
        (lambda m: m.graph.node[1].output.__setitem__(0, "a"), "defined twice"),
        (lambda m: m.graph.initializer.append(m.graph.initializer[0]), "defined twice"),
    ],
)
def test_graphs_that_do_not_fit(change: Any, words: str, tmp_path: Path) -> None:
    made = model(*dense_nodes())
    change(made)
    with pytest.raises(OnnxFileError, match=words):
        read(made, tmp_path)


def test_weights_listed_among_the_inputs_are_weights(tmp_path: Path) -> None:
    made = model(*dense_nodes())
    made.graph.input.append(helper.make_tensor_value_info("w1", TensorProto.FLOAT, [4, 3]))
    assert read(made, tmp_path).network.inputs == 3
