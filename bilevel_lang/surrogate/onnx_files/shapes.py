"""Operators that move elements and compute nothing."""

from __future__ import annotations

import math

import numpy as np

from bilevel_lang.surrogate.onnx_files.complaint import ComplaintError
from bilevel_lang.surrogate.onnx_files.operator import Attributes, Operator, as_wire, constant_of
from bilevel_lang.surrogate.onnx_files.tensors import Array
from bilevel_lang.surrogate.onnx_files.wires import Tape, Value, Wire


def _shaped(value: Value | None, shape: tuple[int, ...], tape: Tape) -> Value:
    """The same elements in another shape of the same size."""
    if len(shape) > tape.limits.axes:
        raise ComplaintError(f"its result has {len(shape)} axes", f"{tape.limits.axes} are the most")
    if value is not None and not isinstance(value, Wire):
        return value.reshape(shape)
    return Wire(shape, as_wire(tape, value).forms)


def _axis(axis: int, axes: int) -> int:
    """A possibly negative axis as a number from 0. Raises ComplaintError."""
    if not -axes <= axis < axes:
        raise ComplaintError(f"there is no axis {axis} of {axes}", "export the network again")
    return axis % axes


def _flatten(tape: Tape, inputs: list[Value | None], attributes: Attributes) -> Value:
    wire = as_wire(tape, inputs[0])
    axis = attributes["axis"]
    axis = axis if axis == len(wire.shape) else _axis(axis, len(wire.shape))
    return _shaped(inputs[0], (math.prod(wire.shape[:axis]), math.prod(wire.shape[axis:])), tape)


def _reshape(tape: Tape, inputs: list[Value | None], attributes: Attributes) -> Value:
    wire, wanted = as_wire(tape, inputs[0]), [int(d) for d in constant_of(inputs[1], "the shape").ravel()]
    if not attributes["allowzero"] and any(d == 0 and k >= len(wire.shape) for k, d in enumerate(wanted)):
        raise ComplaintError(f"{wanted} copies an axis that {list(wire.shape)} does not have", "export the network again")
    shape = [wire.shape[k] if d == 0 and not attributes["allowzero"] else d for k, d in enumerate(wanted)]
    known = math.prod(d for d in shape if d != -1)
    if shape.count(-1) == 1 and known > 0 and wire.size % known == 0:
        shape[shape.index(-1)] = wire.size // known
    if any(d < 0 for d in shape) or math.prod(shape) != wire.size:
        mend = "export with a batch axis that is free or 1"
        raise ComplaintError(f"{list(wire.shape)} cannot be given the shape {wanted}", mend)
    return _shaped(inputs[0], tuple(shape), tape)


def _squeeze(tape: Tape, inputs: list[Value | None], attributes: Attributes) -> Value:
    shape = as_wire(tape, inputs[0]).shape
    axes = _axes(inputs, attributes)
    if axes is None:
        raise ComplaintError("it names no axes, so the result depends on the size of the batch", "name the axis to squeeze")
    gone = {_axis(a, len(shape)) for a in axes}
    if any(shape[a] != 1 for a in gone):
        raise ComplaintError(f"it removes axes {sorted(gone)} of {list(shape)}", "only axes of length 1 can be removed")
    return _shaped(inputs[0], tuple(d for k, d in enumerate(shape) if k not in gone), tape)


def _unsqueeze(tape: Tape, inputs: list[Value | None], attributes: Attributes) -> Value:
    shape, axes = as_wire(tape, inputs[0]).shape, _axes(inputs, attributes)
    if axes is None:
        raise ComplaintError("it names no axes", "export the network again")
    made = len(shape) + len(axes)
    new, old = {_axis(a, made) for a in axes}, iter(shape)
    if len(new) < len(axes):
        raise ComplaintError("it names an axis twice", "export the network again")
    return _shaped(inputs[0], tuple(1 if k in new else next(old) for k in range(made)), tape)


def _axes(inputs: list[Value | None], attributes: Attributes) -> list[int] | None:
    """An attribute in old operator sets, an input in new ones."""
    if len(inputs) > 1 and inputs[1] is not None:
        return [int(a) for a in constant_of(inputs[1], "the axes").ravel()]
    return attributes["axes"] if attributes["axes"] is None else [int(a) for a in attributes["axes"]]


def _transpose(tape: Tape, inputs: list[Value | None], attributes: Attributes) -> Value:
    axes = len(as_wire(tape, inputs[0]).shape)
    order = attributes["perm"] if attributes["perm"] is not None else list(range(axes))[::-1]
    if sorted(order) != list(range(axes)):
        raise ComplaintError(f"{order} is no order of {axes} axes", "export the network again")
    return transposed(tape, inputs[0], order)


def transposed(tape: Tape, value: Value | None, order: list[int] | None = None) -> Value:
    """The axes of a value in another order; reversed where none is given."""
    if value is not None and not isinstance(value, Wire):
        return np.transpose(value, order)
    wire = as_wire(tape, value)
    return tape.picked(wire, np.transpose(_numbers(wire.shape), order))


def _numbers(shape: tuple[int, ...], start: int = 0) -> Array:
    return np.arange(start, start + math.prod(shape)).reshape(shape)


def _concat(tape: Tape, inputs: list[Value | None], attributes: Attributes) -> Value:
    if all(v is not None and not isinstance(v, Wire) for v in inputs):
        return _joined_numbers([v for v in inputs if v is not None and not isinstance(v, Wire)], attributes["axis"])
    wires = [as_wire(tape, v) for v in inputs]
    tape.require(sum(w.size for w in wires), 0)
    starts = np.cumsum([0] + [w.size for w in wires])
    places = [_numbers(w.shape, int(start)) for w, start in zip(wires, starts, strict=False)]
    return tape.joined(wires, _joined_numbers(places, attributes["axis"]))


def _joined_numbers(parts: list[Array], axis: int) -> Array:
    try:
        return np.concatenate(parts, axis=axis)
    except ValueError as error:
        shapes = ", ".join(str(list(p.shape)) for p in parts)
        raise ComplaintError(f"shapes {shapes} cannot be joined along axis {axis}", "export the network again") from error


SHAPES = (
    Operator("Concat", _concat, 1, 1000, {"axis": 1}),
    Operator("Flatten", _flatten, attributes={"axis": 1}),
    Operator("Reshape", _reshape, 2, 2, {"allowzero": 0}),
    Operator("Squeeze", _squeeze, 1, 2, {"axes": None}),
    Operator("Transpose", _transpose, attributes={"perm": None}),
    Operator("Unsqueeze", _unsqueeze, 1, 2, {"axes": None}),
)
