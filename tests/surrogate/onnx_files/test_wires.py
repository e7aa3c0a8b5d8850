"""Affine forms of everything before: layers are made by ReLUs and by nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from bilevel_lang.surrogate.onnx_files.complaint import ComplaintError
from bilevel_lang.surrogate.onnx_files.limits import Limits
from bilevel_lang.surrogate.onnx_files.wires import Tape


def test_a_skip_connection_over_a_relu() -> None:
    # relu(2x - 1) + x, with x of two elements.
    tape = Tape(2, Limits())
    x = tape.source(0, (1, 2))
    z = tape.relu(tape.scaled(x, np.array([2.0]), np.array([-1.0])))
    network = tape.network(tape.total(x, z))
    points = np.array([[0.0, 3.0], [0.5, -1.0]])
    assert network(points).tolist() == [[0.0, 8.0], [0.5, -1.0]]
    assert network.widths == (2,)


def test_joined_and_picked_keep_the_order() -> None:
    tape = Tape(2, Limits())
    x = tape.source(0, (2,))
    both = tape.joined([x, tape.constant(np.array([7.0]))], np.array([2, 1, 0, 1]))
    assert tape.network(both)(np.array([[1.0, 2.0]])).tolist() == [[7.0, 2.0, 1.0, 2.0]]


def test_limits_hold() -> None:
    tape = Tape(2, Limits(columns=3, elements=3, nonzeros=3))
    x = tape.source(0, (2,))
    with pytest.raises(ComplaintError, match="more than 3 inputs and neurons"):
        tape.relu(x)
    with pytest.raises(ComplaintError, match="4 elements"):
        tape.picked(x, np.zeros(4, dtype=np.int64))
