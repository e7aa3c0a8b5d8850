"""Inputs by name, or by order where the names mean nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bilevel_lang.errors import OnnxFileError
from bilevel_lang.surrogate.onnx_files.matching import matched, permuted
from bilevel_lang.surrogate.onnx_files.metadata import Metadata
from bilevel_lang.surrogate.onnx_files.reading import read_onnx
from bilevel_lang.surrogate.onnx_files.writing import write_onnx
from tests.surrogate.embedding.solving import random_network

NETWORK = random_network(4)
POINTS = np.random.default_rng(0).normal(size=(5, 3))


def test_by_name(tmp_path: Path) -> None:
    write_onnx(tmp_path / "n.onnx", NETWORK, Metadata("m", "value", ("a", "b", "c"), ("v",), (0.0,) * 3, (1.0,) * 3))
    read = read_onnx(tmp_path / "n.onnx")
    found = matched(read, ("c", "a", "b"))
    assert found.inputs == ("c", "a", "b")
    assert np.allclose(found.network(POINTS[:, [2, 0, 1]]), NETWORK(POINTS))
    with pytest.raises(OnnxFileError, match="the network's inputs are a, b, c; the model has no c") as caught:
        matched(read, ("a", "b", "toll"))
    assert "left over are toll" in str(caught.value)


def test_by_order(tmp_path: Path) -> None:
    write_onnx(tmp_path / "n.onnx", NETWORK)
    read = read_onnx(tmp_path / "n.onnx")
    found = matched(read, ("p", "q", "r"))
    assert found.inputs == ("p", "q", "r")
    assert np.allclose(found.network(POINTS), NETWORK(POINTS))
    with pytest.raises(OnnxFileError, match="3 inputs, and 2 variables"):
        matched(read, ("p", "q"))


def test_permuted_keeps_the_neurons() -> None:
    assert np.allclose(permuted(NETWORK, [1, 2, 0])(POINTS[:, [1, 2, 0]]), NETWORK(POINTS))
