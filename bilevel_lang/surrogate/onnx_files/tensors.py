"""Constants of a file as arrays: sizes compared before memory is taken, numbers finite."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from bilevel_lang.surrogate.onnx_files.complaint import ComplaintError
from bilevel_lang.surrogate.onnx_files.limits import Limits

Array = npt.NDArray[Any]

_KINDS = {
    "FLOAT": ("<f4", "float_data"),
    "DOUBLE": ("<f8", "double_data"),
    "FLOAT16": ("<f2", None),
    "INT64": ("<i8", "int64_data"),
    "INT32": ("<i4", "int32_data"),
    "BOOL": ("|b1", "int32_data"),
}
"""Element type -> how raw data are stored, and the field of data that are not raw."""


def array_of(tensor: Any, limits: Limits) -> Array:
    """A TensorProto as an array: float64 for all floating types, int64 for integers, bool. Raises ComplaintError."""
    import onnx

    name = tensor.name or "of a node"
    if tensor.data_location == onnx.TensorProto.EXTERNAL or len(tensor.external_data):
        mend = "keep the weights in the file: onnx.save_model(model, path, save_as_external_data=False)"
        raise ComplaintError(f"the data of tensor {name} lie in another file, which is not opened", mend)
    shape = tuple(tensor.dims)
    if len(shape) > limits.axes:
        raise ComplaintError(f"tensor {name} has {len(shape)} axes", f"{limits.axes} are the most")
    size = math.prod(shape)
    if any(d < 0 for d in shape) or size > limits.elements:
        mend = "export the network again" if size <= limits.elements else "train a smaller network"
        raise ComplaintError(f"tensor {name} claims the shape {list(shape)}; {limits.elements} elements are the most", mend)
    return _checked(_elements(tensor, name, size).reshape(shape), name)


def _elements(tensor: Any, name: str, size: int) -> Array:
    import onnx

    known = onnx.TensorProto.DataType
    kind = known.Name(tensor.data_type) if tensor.data_type in known.values() else str(tensor.data_type)
    if kind not in _KINDS:
        raise ComplaintError(f"tensor {name} has elements of type {kind}", "use float32 or float64 weights")
    stored, field = _KINDS[kind]
    itemsize = np.dtype(stored).itemsize
    if tensor.HasField("raw_data"):
        if len(tensor.raw_data) != size * itemsize:
            held = f"{len(tensor.raw_data)} bytes"
            raise ComplaintError(f"tensor {name} holds {held} and needs {size * itemsize}", "export the network again")
        return np.frombuffer(tensor.raw_data, dtype=stored)
    data = getattr(tensor, field) if field else ()
    if len(data) != size:
        raise ComplaintError(f"tensor {name} holds {len(data)} numbers and needs {size}", "export the network again")
    return np.array(data, dtype=stored)


def _checked(found: Array, name: str) -> Array:
    if found.dtype.kind == "f":
        if not np.isfinite(found).all():
            raise ComplaintError(f"tensor {name} holds NaN or infinite numbers", "train the network again; its training diverged")
        return found.astype(np.float64)
    return found.astype(np.bool_ if found.dtype.kind == "b" else np.int64)
