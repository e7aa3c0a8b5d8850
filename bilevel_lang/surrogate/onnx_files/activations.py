"""Piecewise linear activations by ReLUs."""

from __future__ import annotations

import math

import numpy as np

from bilevel_lang.surrogate.onnx_files.complaint import ComplaintError
from bilevel_lang.surrogate.onnx_files.operator import Attributes, Operator, constant_of, wire_of
from bilevel_lang.surrogate.onnx_files.wires import Tape, Value, Wire

_ONE, _ZERO = np.ones(1), np.zeros(1)

_LARGE = 1e6
"""A limit beyond this stands for none in most files, and a sum with it would cost digits."""


def _relu(tape: Tape, inputs: list[Value | None], _: Attributes) -> Value:
    return tape.relu(wire_of(inputs[0]))


def _leaky_relu(tape: Tape, inputs: list[Value | None], attributes: Attributes) -> Value:
    """alpha a + (1 - alpha) max(0, a)."""
    wire, alpha = wire_of(inputs[0]), attributes["alpha"]
    if not math.isfinite(alpha):
        raise ComplaintError("its slope is not finite", "train the network again")
    positive = tape.scaled(tape.relu(wire), np.array([1.0 - alpha]), _ZERO)
    return tape.total(positive, tape.scaled(wire, np.array([alpha]), _ZERO))


def _clip(tape: Tape, inputs: list[Value | None], attributes: Attributes) -> Value:
    """low + max(0, a - low) - max(0, a - high)."""
    wire = wire_of(inputs[0])
    low, high = (_limit(inputs, attributes, place, key) for place, key in ((1, "min"), (2, "max")))
    if low is not None and high is not None and low > high:
        raise ComplaintError(f"it cuts between {low:g} and {high:g}, which is empty", "export the network again")
    if low is None:
        return wire if high is None else _cut_above(tape, wire, high)
    raised = _at_least(tape, wire, low)
    if high is None:
        return raised
    over = tape.relu(tape.scaled(wire, _ONE, np.array([-high])))
    return tape.total(raised, tape.scaled(over, -_ONE, _ZERO))


def _at_least(tape: Tape, wire: Wire, low: float) -> Wire:
    """low + max(0, a - low); where that would lose the digits of a, a + max(0, low - a)."""
    if abs(low) <= _LARGE:
        return tape.scaled(tape.relu(tape.scaled(wire, _ONE, np.array([-low]))), _ONE, np.array([low]))
    return tape.total(wire, tape.relu(tape.scaled(wire, -_ONE, np.array([low]))))


def _cut_above(tape: Tape, wire: Wire, high: float) -> Wire:
    """high - max(0, high - a), the negative of the cut below of -a."""
    return tape.scaled(_at_least(tape, tape.scaled(wire, -_ONE, _ZERO), -high), -_ONE, _ZERO)


def _limit(inputs: list[Value | None], attributes: Attributes, place: int, key: str) -> float | None:
    """A limit, an attribute in old operator sets and an input in new ones; None where there is none, or an end of float32."""
    if len(inputs) > place and inputs[place] is not None:
        found = constant_of(inputs[place], key)
        if found.size != 1:
            raise ComplaintError(f"its {key} has {found.size} elements", "a single number is expected")
        limit = float(found.ravel()[0])
    elif attributes[key] is not None:
        limit = float(attributes[key])
    else:
        return None
    if math.isnan(limit):
        raise ComplaintError(f"its {key} is NaN", "export the network again")
    outward = limit if key == "max" else -limit
    return None if outward >= float(np.finfo(np.float32).max) else limit


ACTIVATIONS = (
    Operator("Clip", _clip, 1, 3, {"min": None, "max": None}),
    Operator("LeakyRelu", _leaky_relu, attributes={"alpha": 0.01}),
    Operator("Relu", _relu),
)
