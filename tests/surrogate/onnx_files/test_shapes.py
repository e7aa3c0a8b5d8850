"""What moves elements: against onnxruntime, and what does not fit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bilevel_lang.errors import OnnxFileError
from tests.surrogate.onnx_files.graphs import agree, model, read, weights


@pytest.mark.parametrize(
    ("shape", "nodes", "constants"),
    [
        ((1, 2, 3), [("Flatten", ["x"], ["f"])], {}),
        ((2, 3), [("Flatten", ["x"], ["f"], {"axis": 0})], {}),
        ((2, 3), [("Flatten", ["x"], ["f"], {"axis": -1})], {}),
        ((1, 6), [("Reshape", ["x", "s"], ["f"])], {"s": np.array([-1, 6])}),
        ((1, 6), [("Reshape", ["x", "s"], ["f"])], {"s": np.array([0, 2, 3])}),
        ((1, 6), [("Reshape", ["x", "s"], ["f"])], {"s": np.array([6])}),
        ((1, 2, 3), [("Transpose", ["x"], ["f"], {"perm": [2, 0, 1]})], {}),
        ((2, 3), [("Transpose", ["x"], ["f"])], {}),
        ((1, 6), [("Squeeze", ["x", "a"], ["f"])], {"a": np.array([0])}),
        ((1, 6), [("Unsqueeze", ["x", "a"], ["f"])], {"a": np.array([0, -1])}),
        ((1, 6), [("Concat", ["x", "x", "c"], ["f"], {"axis": -1})], {"c": weights(1, 2)}),
        ((2, 3), [("Concat", ["x", "c"], ["f"], {"axis": 0})], {"c": weights(1, 3)}),
    ],
)
def test_elements_go_where_onnxruntime_puts_them(shape: tuple[int, ...], nodes: Any, constants: Any, tmp_path: Path) -> None:
    made = model([*nodes, ("Relu", ["f"], ["z"]), ("Neg", ["z"], ["y"])], constants, {"x": list(shape)})
    agree(made, tmp_path, shape)


def test_axes_as_attributes_in_old_operator_sets(tmp_path: Path) -> None:
    nodes = [("Unsqueeze", ["x"], ["a"], {"axes": [1]}), ("Squeeze", ["a"], ["y"], {"axes": [1]})]
    agree(model(nodes, opset=11), tmp_path)


def test_weights_are_moved_too(tmp_path: Path) -> None:
    nodes = [
        ("Transpose", ["w"], ["v"]),
        ("Concat", ["s", "t"], ["u"], {"axis": 0}),
        ("Reshape", ["v", "u"], ["m"]),
        ("MatMul", ["x", "m"], ["y"]),
    ]
    agree(model(nodes, {"w": weights(2, 3), "s": np.array([3]), "t": np.array([2])}), tmp_path)


@pytest.mark.parametrize(
    ("nodes", "constants", "words"),
    [
        ([("Reshape", ["x", "s"], ["y"])], {"s": np.array([2, 2])}, "cannot be given the shape"),
        ([("Reshape", ["x", "s"], ["y"])], {"s": np.array([-1, -1])}, "cannot be given the shape"),
        ([("Reshape", ["x", "s"], ["y"])], {"s": np.array([1, 3, 0])}, "copies an axis"),
        ([("Reshape", ["x", "s"], ["y"])], {"s": np.array([-3, -1])}, "cannot be given the shape"),
        ([("Reshape", ["x", "x"], ["y"])], {}, "the shape depends on the inputs"),
        ([("Flatten", ["x"], ["y"], {"axis": 3})], {}, "no axis 3 of 2"),
        ([("Concat", ["x", "c"], ["y"], {"axis": 1})], {"c": weights(2, 3)}, "cannot be joined"),
        ([("Squeeze", ["x"], ["y"])], {}, "names no axes"),
        ([("Squeeze", ["x", "a"], ["y"])], {"a": np.array([1])}, "only axes of length 1"),
        ([("Transpose", ["x"], ["y"], {"perm": [0, 0]})], {}, "no order of 2 axes"),
        ([("Unsqueeze", ["x", "a"], ["y"])], {"a": np.arange(70)}, "72 axes"),
        ([("Reshape", ["x", "s"], ["y"])], {"s": np.array([3] + [1] * 70)}, "71 axes"),
    ],
)
def test_refusals(nodes: Any, constants: Any, words: str, tmp_path: Path) -> None:
    with pytest.raises(OnnxFileError, match=words):
        read(model(nodes, constants), tmp_path)


def test_doubling_again_and_again_ends_in_a_refusal(tmp_path: Path) -> None:
    names = ["x", *(f"a{k}" for k in range(40))]
    nodes = [("Concat", [a, a], [b], {"axis": 1}) for a, b in zip(names, [*names[1:], "y"], strict=True)]
    with pytest.raises(OnnxFileError, match="elements and up to"):
        read(model(nodes), tmp_path)
