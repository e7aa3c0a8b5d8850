"""Written files are ONNX in the eyes of ONNX's own evaluator, carry their metadata, and are written whole."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx.reference import ReferenceEvaluator

from bilevel_lang.surrogate.network import Network, dense
from bilevel_lang.surrogate.onnx_files.metadata import Metadata, metadata_of
from bilevel_lang.surrogate.onnx_files.writing import serialised, write_onnx
from tests.surrogate.embedding.solving import random_network

POINTS = np.random.default_rng(0).normal(size=(9, 3))


def plain() -> Network:
    generator = np.random.default_rng(2)
    return dense([generator.normal(size=s) for s in [(5, 3), (4, 5), (2, 4)]], [generator.normal(size=k) for k in (5, 4, 2)])


@pytest.mark.parametrize(
    "network", [plain(), random_network(0), random_network(1, outputs=3, density=0.3)], ids=["plain", "skips", "gaps"]
)
def test_onnx_computes_the_same(network: Network, tmp_path: Path) -> None:
    write_onnx(tmp_path / "n.onnx", network)
    found = ReferenceEvaluator(str(tmp_path / "n.onnx")).run(None, {"input": POINTS})[0]
    assert np.allclose(found, network(POINTS), rtol=1e-13, atol=1e-13)
    write_onnx(tmp_path / "n.onnx", network, precision="float32")
    found = ReferenceEvaluator(str(tmp_path / "n.onnx")).run(None, {"input": POINTS.astype(np.float32)})[0]
    assert found.dtype == np.float32
    assert np.allclose(found, network(POINTS), rtol=1e-4, atol=1e-4)


def test_a_plain_network_needs_no_concat() -> None:
    kinds = {node.op_type for node in onnx.load_from_string(serialised(plain())).graph.node}
    assert kinds == {"Gemm", "Relu"}


def test_metadata_are_in_the_file() -> None:
    metadata = Metadata("m", "value", ("a", "b", "c"), ("v",), (0.0,) * 3, (1.0,) * 3)
    model = onnx.load_from_string(serialised(random_network(0), metadata))
    assert metadata_of({p.key: p.value for p in model.metadata_props}) == metadata


def test_metadata_of_another_network_are_an_error() -> None:
    with pytest.raises(ValueError, match="metadata name 1 inputs"):
        serialised(random_network(0), Metadata("m", "value", ("a",), ("v",), (0.0,), (1.0,)))


def test_weights_that_float32_cannot_hold_are_an_error() -> None:
    with pytest.raises(ValueError, match="float32"):
        serialised(dense([np.array([[1e39]])], [np.zeros(1)]), precision="float32")
