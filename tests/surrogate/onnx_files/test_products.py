"""Gemm and MatMul in all their layouts, against onnxruntime."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bilevel_lang.errors import OnnxFileError
from tests.surrogate.onnx_files.graphs import agree, model, read, weights


@pytest.mark.parametrize("attributes", [{}, {"alpha": 0.5, "beta": -2.0}])
@pytest.mark.parametrize("flipped", [0, 1])
@pytest.mark.parametrize("bias", [(4,), (1, 4), (1,), None])
def test_gemm(attributes: dict[str, float], flipped: int, bias: tuple[int, ...] | None, tmp_path: Path) -> None:
    constants = {"w": weights(4, 3) if flipped else weights(3, 4)}
    if bias:
        constants["b"] = weights(*bias)
    nodes = [("Gemm", ["x", "w", *(["b"] if bias else [])], ["y"], {"transB": flipped, **attributes})]
    agree(model(nodes, constants), tmp_path)


def test_gemm_with_the_weights_on_the_left(tmp_path: Path) -> None:
    # Column vectors: the batch is the second axis.
    nodes = [("Gemm", ["w", "x", "b"], ["y"], {"transA": 1})]
    made = model(nodes, {"w": weights(3, 4), "b": weights(4, 1)}, {"x": [3, "b"]})
    agree(made, tmp_path, (3, 1))


def test_gemm_of_a_transposed_input(tmp_path: Path) -> None:
    made = model([("Gemm", ["x", "w"], ["y"], {"transA": 1})], {"w": weights(3, 4)}, {"x": [3, 1]})
    agree(made, tmp_path, (3, 1))


@pytest.mark.parametrize(
    ("shape", "matrix"), [((3,), (3, 2)), ((1, 3), (3, 2)), ((1, 3), (3,)), ((2, 3), (3, 2)), ((1, 2, 3), (3, 2))]
)
def test_matmul_from_the_right(shape: tuple[int, ...], matrix: tuple[int, ...], tmp_path: Path) -> None:
    made = model([("MatMul", ["x", "w"], ["y"])], {"w": weights(*matrix)}, {"x": list(shape)})
    if len(shape) > 2:
        with pytest.raises(OnnxFileError, match="cannot be multiplied"):
            read(made, tmp_path)
    else:
        agree(made, tmp_path, shape)


@pytest.mark.parametrize(("matrix", "shape"), [((2, 3), (3,)), ((2, 3), (3, 1)), ((2, 3), (3, 2)), ((3,), (3, 2))])
def test_matmul_from_the_left(shape: tuple[int, ...], matrix: tuple[int, ...], tmp_path: Path) -> None:
    made = model([("MatMul", ["w", "x"], ["y"])], {"w": weights(*matrix)}, {"x": list(shape)})
    agree(made, tmp_path, shape)


@pytest.mark.parametrize(
    ("nodes", "constants", "words"),
    [
        ([("MatMul", ["x", "w"], ["y"])], {"w": weights(4, 2)}, "cannot be multiplied here"),
        ([("Gemm", ["x", "w", "b"], ["y"])], {"w": weights(3, 2), "b": weights(3)}, "do not fit"),
        ([("Gemm", ["x", "w", "b"], ["y"])], {"w": weights(3, 1), "b": weights(3)}, r"bias has the shape \[3\]"),
        ([("Gemm", ["x", "x"], ["y"], {"transA": 1})], {}, "both depend on the inputs"),
    ],
)
def test_refusals(nodes: Any, constants: Any, words: str, tmp_path: Path) -> None:
    with pytest.raises(OnnxFileError, match=words) as caught:
        read(model(nodes, constants), tmp_path)
    assert "node n0 (operator" in str(caught.value)


def test_a_product_that_would_fill_the_memory_is_refused(tmp_path: Path) -> None:
    # 1 x 20,000 and back: the 20,000 x 20,000 map of one to the other is never made.
    nodes = [("MatMul", ["x", "u"], ["a"]), ("MatMul", ["a", "v"], ["b"]), ("MatMul", ["b", "u"], ["y"])]
    constants = {"u": weights(3, 9000), "v": weights(9000, 3)}
    read(model(nodes, constants), tmp_path)
    wide = {"u": weights(9000, 3), "v": weights(3, 9000)}
    with pytest.raises(OnnxFileError, match="terms"):
        read(model([("MatMul", ["x", "u"], ["a"]), ("MatMul", ["a", "v"], ["y"])], wide, {"x": [1, 9000]}), tmp_path)
