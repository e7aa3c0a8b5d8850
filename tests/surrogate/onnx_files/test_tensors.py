"""Constants of a file: every way to store them, and claims that are not kept."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from bilevel_lang.surrogate.onnx_files.complaint import ComplaintError
from bilevel_lang.surrogate.onnx_files.limits import LIMITS
from bilevel_lang.surrogate.onnx_files.tensors import array_of


@pytest.mark.parametrize("kind", [np.float32, np.float64, np.float16, np.int64, np.int32, np.bool_])
def test_raw_data(kind: Any) -> None:
    values = np.array([[1, 0], [1, 1]], dtype=kind)
    assert array_of(numpy_helper.from_array(values), LIMITS).tolist() == values.tolist()


@pytest.mark.parametrize("kind", [TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.INT64, TensorProto.INT32])
def test_fields(kind: int) -> None:
    found = array_of(helper.make_tensor("t", kind, [2, 1], [3, 4]), LIMITS)
    assert found.tolist() == [[3], [4]]


def claim(dims: list[int], raw: bytes = b"", kind: int = TensorProto.FLOAT) -> Any:
    return TensorProto(name="w", dims=dims, data_type=kind, raw_data=raw)


@pytest.mark.parametrize(
    ("tensor", "words"),
    [
        (claim([2**31]), "claims the shape"),
        (claim([2**40, 2**40]), "claims the shape"),
        (claim([-1]), "claims the shape"),
        (claim([1] * 70), "has 70 axes"),
        (claim([3], b"\0" * 8), "holds 8 bytes and needs 12"),
        (TensorProto(name="w", dims=[3], data_type=TensorProto.FLOAT, float_data=[1.0]), "holds 1 numbers and needs 3"),
        (claim([1], b"\0", TensorProto.STRING), "elements of type STRING"),
        (claim([1], b"\0", 99), "elements of type 99"),
        (claim([1], np.float32(np.nan).tobytes()), "NaN or infinite"),
        (claim([1], np.float32(np.inf).tobytes()), "NaN or infinite"),
        (TensorProto(name="w", dims=[1], data_type=1, data_location=TensorProto.EXTERNAL), "lie in another file"),
    ],
)
def test_refusals(tensor: Any, words: str) -> None:
    with pytest.raises(ComplaintError, match=words) as caught:
        array_of(tensor, LIMITS)
    assert caught.value.mend
