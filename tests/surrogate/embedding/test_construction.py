"""What goes in and what is refused; the forms themselves have tests of their own."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from bilevel_lang.errors import RefusedError
from bilevel_lang.surrogate.bounds.input_set import box
from bilevel_lang.surrogate.bounds.interval import NetworkBounds
from bilevel_lang.surrogate.embedding.construction import embed
from bilevel_lang.surrogate.network import Affine, Network
from tests.surrogate.embedding.solving import optimum, random_network

BOX = box(-np.ones(3), 2 * np.ones(3))


def test_inputs_must_fit() -> None:
    with pytest.raises(ValueError, match="2 inputs, the input set 3"):
        embed(random_network(0, inputs=2), BOX)


def test_given_bounds_decide_who_gets_a_switch() -> None:
    network = random_network(0, widths=(4,))
    known = NetworkBounds(np.ones(4), np.full(4, 2.0), np.zeros(1), np.ones(1))
    assert embed(network, BOX, bounds=known).binaries == 0
    assert embed(network, BOX).binaries > 0


def test_a_network_without_neurons_is_its_output() -> None:
    network = Network(3, (), Affine(sp.csr_matrix([[1.0, -2, 0]]), np.array([0.5])))
    embedding = embed(network, BOX)
    assert embedding.columns == 0
    assert optimum(embedding, BOX, np.ones(1))[0] == pytest.approx(-1 - 4 + 0.5)


def test_an_unbounded_input_that_no_switch_depends_on_is_no_obstacle() -> None:
    # Input 0 is free and enters the output directly; the ReLU sees the other one.
    network = Network(2, (Affine(sp.csr_matrix([[0.0, 1.0]]), np.zeros(1)),), Affine(sp.csr_matrix([[1.0, 0, 1]]), np.zeros(1)))
    assert embed(network, box(np.array([-np.inf, -1]), np.array([np.inf, 1]))).binaries == 1


def test_finite_inputs_with_overflowing_bounds_are_refused() -> None:
    network = random_network(0, widths=(4,))
    huge = np.full(3, 1.7e308)
    with np.errstate(over="ignore"), pytest.raises(RefusedError, match="infinite ones"):
        embed(network, box(-huge, huge))
