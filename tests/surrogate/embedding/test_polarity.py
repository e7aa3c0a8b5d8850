"""Which half of a ReLU is needed: by hand on small networks, and for input-convex ones in general."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from bilevel_lang.surrogate.embedding.polarity import halves
from bilevel_lang.surrogate.network import Affine, Network
from tests.surrogate.embedding.solving import convex_network, random_network


def test_signs_pass_backwards() -> None:
    # z3 = relu(z1 - z2), output = -z3 + z4 with z4 = relu(x): pushed down, z3 is held from above, so z1 too and z2 from below.
    first = Affine(sp.csr_matrix([[1.0], [2.0]]), np.zeros(2))
    second = Affine(sp.csr_matrix([[0.0, 1, -1], [1.0, 0, 0]]), np.zeros(2))
    network = Network(1, (first, second), Affine(sp.csr_matrix([[0.0, 0, 0, -1, 1]]), np.zeros(1)))
    down = halves(network, ("down",))
    assert down.lower.tolist() == [False, True, False, True]
    assert down.upper.tolist() == [True, False, True, False]
    up = halves(network, ("up",))
    assert up.lower.tolist() == down.upper.tolist() and up.upper.tolist() == down.lower.tolist()


def test_both_asks_for_all_that_is_used() -> None:
    network = random_network(0)
    both = halves(network, ("both",))
    assert both.lower.all() and both.upper.all()


def test_nothing_is_asked_of_neurons_that_no_output_uses() -> None:
    hidden = Affine(sp.csr_matrix([[1.0], [2.0]]), np.zeros(2))
    needs = halves(Network(1, (hidden,), Affine(sp.csr_matrix([[1.0, 1, 0]]), np.zeros(1))), ("both",))
    assert needs.lower.tolist() == [True, False] and needs.upper.tolist() == [True, False]


def test_a_convex_network_pushed_down_needs_lower_halves_only() -> None:
    needs = halves(convex_network(2), ("down",))
    assert not needs.upper.any()


def test_one_direction_for_every_output() -> None:
    with pytest.raises(ValueError, match="2 outputs, but 1 directions"):
        halves(random_network(0, outputs=2), ("down",))
