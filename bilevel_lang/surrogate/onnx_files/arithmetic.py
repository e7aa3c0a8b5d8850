"""Operators that act element by element and stay affine: sums, multiples, scalers, and what does nothing in inference."""

from __future__ import annotations

import math

import numpy as np

from bilevel_lang.surrogate.network import Floats
from bilevel_lang.surrogate.onnx_files.complaint import ComplaintError
from bilevel_lang.surrogate.onnx_files.operator import Attributes, Operator, as_wire, constant_of, wire_of
from bilevel_lang.surrogate.onnx_files.tensors import Array
from bilevel_lang.surrogate.onnx_files.wires import Tape, Value, Wire

_CHANNELS = "BatchNormalization is read for (batch, features) only"


def broadcast_shape(tape: Tape, *shapes: tuple[int, ...]) -> tuple[int, ...]:
    """The common shape by ONNX's (numpy's) rules. Raises ComplaintError."""
    try:
        shape = np.broadcast_shapes(*shapes)
    except ValueError as error:
        raise ComplaintError(
            f"shapes {' and '.join(str(list(s)) for s in shapes)} do not fit", "export the network again"
        ) from error
    tape.require(math.prod(shape), 0)
    return shape


def spread(tape: Tape, wire: Wire, shape: tuple[int, ...]) -> Wire:
    """``wire`` repeated to ``shape``."""
    if wire.shape == shape:
        return wire
    return tape.picked(wire, np.broadcast_to(np.arange(wire.size).reshape(wire.shape), shape))


def _flat(values: Array, shape: tuple[int, ...]) -> Floats:
    return np.asarray(np.broadcast_to(values, shape), dtype=float).ravel()


def _sum(tape: Tape, first: Value, second: Value, sign: float) -> Wire:
    """first + sign * second."""
    shape = broadcast_shape(tape, first.shape, second.shape)
    if not isinstance(second, Wire):
        return tape.scaled(spread(tape, as_wire(tape, first), shape), np.ones(1), sign * _flat(second, shape))
    right = tape.scaled(spread(tape, second, shape), np.array([sign]), np.zeros(1))
    if not isinstance(first, Wire):
        return tape.scaled(right, np.ones(1), _flat(first, shape))
    return tape.total(spread(tape, first, shape), right)


def _add(tape: Tape, inputs: list[Value | None], _: Attributes) -> Value:
    values = [v if v is not None else as_wire(tape, v) for v in inputs]
    result = values[0]
    for value in values[1:]:
        result = _sum(tape, result, value, 1.0)
    return result


def _subtract(tape: Tape, inputs: list[Value | None], _: Attributes) -> Value:
    first, second = (v if v is not None else as_wire(tape, v) for v in inputs)
    return _sum(tape, first, second, -1.0)


def _multiply(tape: Tape, inputs: list[Value | None], _: Attributes) -> Value:
    first, second = inputs
    if isinstance(first, Wire) and isinstance(second, Wire):
        raise ComplaintError(
            "it multiplies two values that both depend on the inputs", "only products with constants can be embedded"
        )
    wire, factor = (first, second) if isinstance(first, Wire) else (as_wire(tape, second), constant_of(first, "the factor"))
    return _times(tape, wire, constant_of(factor, "the factor"))


def _times(tape: Tape, wire: Wire, factor: Array) -> Wire:
    shape = broadcast_shape(tape, wire.shape, factor.shape)
    return tape.scaled(spread(tape, wire, shape), _flat(factor, shape), np.zeros(1))


def _divide(tape: Tape, inputs: list[Value | None], _: Attributes) -> Value:
    divisor = constant_of(inputs[1], "the divisor")
    if divisor.dtype.kind != "f":
        raise ComplaintError("it divides whole numbers", "export the network with a fixed batch axis")
    if (divisor == 0).any():
        raise ComplaintError("it divides by zero", "train the network again: a scaler has a deviation of 0")
    return _times(tape, as_wire(tape, inputs[0]), 1.0 / divisor)


def _negate(tape: Tape, inputs: list[Value | None], _: Attributes) -> Value:
    return tape.scaled(as_wire(tape, inputs[0]), -np.ones(1), np.zeros(1))


def _same(tape: Tape, inputs: list[Value | None], _: Attributes) -> Value:
    value = inputs[0]
    return value if value is not None else as_wire(tape, value)


def _dropout(tape: Tape, inputs: list[Value | None], attributes: Attributes) -> Value:
    if len(inputs) > 2 and inputs[2] is not None and constant_of(inputs[2], "training_mode").any():
        raise ComplaintError("it drops values at random (training mode)", "export the network in evaluation mode: net.eval()")
    return _same(tape, inputs, attributes)


def _cast(tape: Tape, inputs: list[Value | None], attributes: Attributes) -> Value:
    import onnx

    value, kind = inputs[0], attributes["to"]
    floating = kind in (onnx.TensorProto.FLOAT, onnx.TensorProto.DOUBLE)
    if value is None or isinstance(value, Wire):
        if not floating:
            raise ComplaintError("it makes something else than float32 or float64 of a value", "remove the cast")
        return as_wire(tape, value)
    if not floating and kind not in (onnx.TensorProto.INT64, onnx.TensorProto.INT32, onnx.TensorProto.BOOL):
        raise ComplaintError("it makes numbers of a kind that is not read", "use float32, float64 or int64")
    return value.astype(np.float64 if floating else np.int64)


def _batch_normalisation(tape: Tape, inputs: list[Value | None], attributes: Attributes) -> Value:
    wire = wire_of(inputs[0])
    if attributes["training_mode"]:
        raise ComplaintError("it is in training mode", "export the network in evaluation mode: net.eval()")
    scale, shift, mean, variance = (constant_of(v, "a parameter") for v in inputs[1:])
    if len(wire.shape) != 2 or {p.shape for p in (scale, shift, mean, variance)} != {wire.shape[1:]}:
        raise ComplaintError(f"its input has the shape {list(wire.shape)}", _CHANNELS)
    if not (variance + attributes["epsilon"] > 0).all():
        raise ComplaintError("its variance is negative", "train the network again")
    factor = scale / np.sqrt(variance + attributes["epsilon"])
    return tape.scaled(wire, _flat(factor, wire.shape), _flat(shift - mean * factor, wire.shape))


def _scaler(tape: Tape, inputs: list[Value | None], attributes: Attributes) -> Value:
    """scikit-learn's StandardScaler and MinMaxScaler as skl2onnx writes them: (x - offset) * scale."""
    wire = wire_of(inputs[0])
    offset, scale = np.array(attributes["offset"], dtype=float), np.array(attributes["scale"], dtype=float)
    if not (np.isfinite(offset).all() and np.isfinite(scale).all()):
        raise ComplaintError("it scales by NaN or infinite numbers", "fit the scaler again")
    if broadcast_shape(tape, wire.shape, offset.shape, scale.shape) != wire.shape:
        raise ComplaintError("offset or scale has another length than the input", "export the network again")
    return tape.scaled(wire, _flat(scale, wire.shape), _flat(-offset * scale, wire.shape))


ARITHMETIC = (
    Operator("Add", _add, 2, 2),
    Operator(
        "BatchNormalization", _batch_normalisation, 5, 5, {"epsilon": 1e-5, "momentum": 0.9, "training_mode": 0, "spatial": 1}
    ),
    Operator("Cast", _cast, attributes={"to": 0, "saturate": 1, "round_mode": b"up"}),
    Operator("Div", _divide, 2, 2),
    Operator("Dropout", _dropout, 1, 3, {"seed": 0, "ratio": 0.5}),
    Operator("Identity", _same),
    Operator("Mul", _multiply, 2, 2),
    Operator("Neg", _negate),
    Operator("Scaler", _scaler, attributes={"offset": [], "scale": []}, domain="ai.onnx.ml"),
    Operator("Sub", _subtract, 2, 2),
    Operator("Sum", _add, 1, 1000),
)
