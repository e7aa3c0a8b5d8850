"""Piecewise linear activations, against onnxruntime."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bilevel_lang.errors import OnnxFileError
from tests.surrogate.onnx_files.graphs import agree, model, read


@pytest.mark.parametrize("alpha", [0.01, 0.3, 0.0, 2.0, -0.5])
def test_leaky_relu(alpha: float, tmp_path: Path) -> None:
    found = agree(model([("LeakyRelu", ["x"], ["y"], {"alpha": alpha})]), tmp_path)
    assert found.network.widths == (3,)


LIMITS = [(-1.0, 2.0), (0.0, 6.0), (None, 0.5), (-0.25, None), (None, None), (1.0, 1.0)]
FAR_LIMITS = [(None, 3e38), (-1e30, 0.5), (-0.5, 1e20), (-3e38, 3e38)]
"""Limits that stand for none: sums with them would leave no digit of the value."""


@pytest.mark.parametrize(("low", "high"), [*LIMITS, *FAR_LIMITS])
def test_clip(low: float | None, high: float | None, tmp_path: Path) -> None:
    constants = {key: np.array(value) for key, value in (("low", low), ("high", high)) if value is not None}
    made = model([("Clip", ["x", "low" if low is not None else "", "high" if high is not None else ""], ["y"])], constants)
    agree(made, tmp_path)


def test_clip_with_attributes_and_float32_s_ends(tmp_path: Path) -> None:
    end = float(np.finfo(np.float32).max)
    found = agree(model([("Clip", ["x"], ["y"], {"min": -end, "max": 1.0})], opset=10), tmp_path)
    assert found.network.widths == (3,)
    assert agree(model([("Clip", ["x"], ["y"], {"min": 0.0, "max": end})], opset=10), tmp_path).network.widths == (3,)


@pytest.mark.parametrize(
    ("node", "constants", "words"),
    [
        (("Clip", ["x", "a", "b"], ["y"]), {"a": np.array(2.0), "b": np.array(1.0)}, "cuts between 2 and 1"),
        (("Clip", ["x", "a"], ["y"]), {"a": np.zeros(3)}, "its min has 3 elements"),
        (("Clip", ["x", "x"], ["y"]), {}, "min depends on the inputs"),
        (("Relu", ["a"], ["y"]), {"a": np.zeros(3)}, "applied to a constant"),
        (("LeakyRelu", ["x"], ["y"], {"alpha": float("nan")}), {}, "not finite"),
    ],
)
def test_refusals(node: Any, constants: Any, words: str, tmp_path: Path) -> None:
    with pytest.raises(OnnxFileError, match=words):
        read(model([node], constants), tmp_path)
