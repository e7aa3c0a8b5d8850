"""What operators ask of their inputs."""

from __future__ import annotations

import numpy as np
import pytest

from bilevel_lang.surrogate.onnx_files.complaint import ComplaintError
from bilevel_lang.surrogate.onnx_files.limits import Limits
from bilevel_lang.surrogate.onnx_files.operator import as_wire, constant_of, wire_of
from bilevel_lang.surrogate.onnx_files.wires import Tape


def test_constants_and_wires_are_told_apart() -> None:
    tape = Tape(1, Limits())
    wire, number = tape.source(0, (1,)), np.ones(1)
    assert wire_of(wire) is wire and constant_of(number, "it") is number and as_wire(tape, wire) is wire
    assert as_wire(tape, number).forms.bias.tolist() == [1.0]
    for call, words in (
        (lambda: wire_of(number), "applied to a constant"),
        (lambda: constant_of(wire, "the slope"), "the slope depends on the inputs"),
        (lambda: constant_of(None, "the slope"), "the slope is missing"),
        (lambda: as_wire(tape, None), "an input is missing"),
    ):
        with pytest.raises(ComplaintError, match=words):
            call()
