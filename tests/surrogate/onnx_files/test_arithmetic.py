"""Element by element: sums, multiples, scalers, normalisation; against onnxruntime."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bilevel_lang.errors import OnnxFileError
from tests.surrogate.onnx_files.graphs import agree, model, read, weights

# Ten times 3e38: more than float64 holds.
OVERFLOWING = [("Mul", [f"a{k}" if k else "x", "c"], [f"a{k + 1}" if k < 9 else "y"]) for k in range(10)]

VECTOR, ROW, SCALAR = weights(3), weights(1, 3), np.array(1.5)


@pytest.mark.parametrize("operator", ["Add", "Sub", "Mul", "Div"])
@pytest.mark.parametrize("constant", [VECTOR, ROW, SCALAR], ids=["vector", "row", "scalar"])
@pytest.mark.parametrize("first", [True, False])
def test_with_a_constant_on_either_side(operator: str, constant: Any, first: bool, tmp_path: Path) -> None:
    if operator == "Div" and not first:
        pytest.skip("refused, see below")
    made = model([(operator, ["x", "c"] if first else ["c", "x"], ["y"])], {"c": constant})
    agree(made, tmp_path)


@pytest.mark.parametrize("operator", ["Add", "Sub"])
def test_two_values_of_different_shapes(operator: str, tmp_path: Path) -> None:
    nodes = [("MatMul", ["x", "w"], ["s"]), ("Relu", ["s"], ["z"]), (operator, ["z", "x"], ["y"])]
    found = agree(model(nodes, {"w": weights(3, 1)}), tmp_path)
    assert found.network.widths == (1,)


def test_sum_neg_identity_cast(tmp_path: Path) -> None:
    nodes = [
        ("Neg", ["x"], ["n"]),
        ("Identity", ["n"], ["i"]),
        ("Cast", ["i"], ["k"], {"to": 1}),
        ("Sum", ["x", "k", "k", "c"], ["y"]),
    ]
    agree(model(nodes, {"c": VECTOR}), tmp_path)


def test_constants_among_themselves_are_folded(tmp_path: Path) -> None:
    nodes = [("Mul", ["c", "c"], ["d"]), ("Add", ["d", "c"], ["e"]), ("Neg", ["e"], ["f"]), ("Sub", ["x", "f"], ["y"])]
    agree(model(nodes, {"c": VECTOR}), tmp_path)


def test_batch_normalisation_and_dropout_in_inference(tmp_path: Path) -> None:
    parameters = {"s": VECTOR, "b": weights(3) + 1, "m": weights(1, 3)[0], "v": abs(VECTOR) + 0.1}
    nodes = [("BatchNormalization", ["x", "s", "b", "m", "v"], ["n"], {"epsilon": 0.01}), ("Dropout", ["n"], ["y"])]
    agree(model(nodes, parameters), tmp_path)


def test_scaler_of_scikit_learn(tmp_path: Path) -> None:
    import onnx

    made = model([("Identity", ["x"], ["y"])], ml=True)
    node = onnx.helper.make_node("Scaler", ["x"], ["y"], domain="ai.onnx.ml", offset=[1.0, 2, 3], scale=[0.5, 2.0, 1.0])
    made.graph.node[0].CopyFrom(node)
    agree(made, tmp_path)


@pytest.mark.parametrize(
    ("nodes", "constants", "words"),
    [
        ([("Mul", ["x", "x"], ["y"])], {}, "both depend on the inputs"),
        ([("Div", ["c", "x"], ["y"])], {"c": VECTOR}, "the divisor depends on the inputs"),
        ([("Div", ["x", "c"], ["y"])], {"c": np.array([1.0, 0, 1])}, "divides by zero"),
        ([("Add", ["x", "c"], ["y"])], {"c": weights(4)}, r"\[1, 3\] and \[4\] do not fit"),
        ([("Cast", ["x"], ["y"], {"to": 7})], {}, "something else than float"),
        ([("Dropout", ["x", "r", "t"], ["y"])], {"r": SCALAR, "t": np.array(True)}, "training mode"),
        (OVERFLOWING, {"c": np.array(3e38)}, "overflow"),
    ],
)  # fmt: skip
def test_refusals(nodes: Any, constants: Any, words: str, tmp_path: Path) -> None:
    with pytest.raises(OnnxFileError, match=words) as caught:
        read(model(nodes, constants), tmp_path)
    assert "operator" in str(caught.value) and caught.value.diagnostics[0].help
