"""Interval bounds contain what is sampled, are attained where they must be, and survive infinite inputs."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from bilevel_lang.surrogate.bounds.interval import interval_bounds, reach
from bilevel_lang.surrogate.network import Affine, Floats, Network
from tests.surrogate.embedding.solving import random_network


def before_each_relu(network: Network, points: Floats) -> Floats:
    columns = network.columns(points)
    return np.hstack([layer(columns[:, : layer.weights.shape[1]]) for layer in network.hidden])


@pytest.mark.parametrize("seed", range(5))
def test_sampled_values_lie_inside(seed: int) -> None:
    network = random_network(seed, inputs=4, widths=(7, 6, 5), outputs=2, density=0.7)
    lower, upper = np.array([-1.0, 0, 2, -3]), np.array([1.0, 0, 5, -2.5])
    bounds = interval_bounds(network, lower, upper)
    points = np.random.default_rng(seed).uniform(lower, upper, size=(2000, 4))
    values, outputs = before_each_relu(network, points), network(points)
    assert (values >= bounds.lower).all() and (values <= bounds.upper).all()
    assert (outputs >= bounds.output_lower).all() and (outputs <= bounds.output_upper).all()


def test_one_layer_is_attained_at_the_corners() -> None:
    layer = Affine(sp.csr_matrix([[2.0, -3.0]]), np.array([1.0]))
    low, up = reach(layer, np.array([-1.0, 0.0]), np.array([1.0, 4.0]))
    assert (low[0], up[0]) == pytest.approx((-13.0, 3.0))


def test_corners_are_never_outside_by_rounding() -> None:
    # 0.1 + 0.2 + ... in another order: without the padding the last digit may lie outside.
    generator = np.random.default_rng(0)
    layer = Affine(sp.csr_matrix(generator.normal(size=(200, 50))), generator.normal(size=200))
    ends = generator.uniform(1, 2, size=50)
    low, up = reach(layer, -ends, ends)
    best = np.array([np.sum(np.sort(abs(row) * ends)) for row in layer.weights.toarray()])
    assert (up >= best + layer.bias).all() and (low <= layer.bias - best).all()


def test_a_bound_that_is_a_sum_of_zeros_decides_the_neuron() -> None:
    # Binary inputs and weights of one sign: never active, whatever the size of the weights, and the other one always.
    layer = Affine(sp.csr_matrix([[-1e6, -3.0], [1e6, 3.0]]), np.zeros(2))
    low, up = reach(layer, np.zeros(2), np.ones(2))
    assert up[0] == 0.0 and low[1] == 0.0


def test_an_infinite_input_reaches_only_what_uses_it() -> None:
    layer = Affine(sp.csr_matrix([[1.0, 0.0], [-1.0, 1.0]]), np.zeros(2))
    layer.weights.data[0] = 1.0
    low, up = reach(layer, np.array([0.0, -1.0]), np.array([np.inf, 1.0]))
    assert (low[0], up[0]) == (0.0, np.inf)
    assert low[1] == -np.inf and up[1] == pytest.approx(1.0)
    explicit_zero = sp.csr_matrix((np.array([0.0, 1.0]), np.array([0, 1]), np.array([0, 2])), shape=(1, 2))
    low, up = reach(Affine(explicit_zero, np.zeros(1)), np.array([-np.inf, -1.0]), np.array([np.inf, 1.0]))
    assert (low[0], up[0]) == pytest.approx((-1.0, 1.0))


def test_no_hidden_layer() -> None:
    bounds = interval_bounds(Network(1, (), Affine(sp.csr_matrix([[2.0]]), np.ones(1))), np.zeros(1), np.ones(1))
    assert bounds.lower.shape == (0,)
    assert (bounds.output_lower[0], bounds.output_upper[0]) == pytest.approx((1.0, 3.0))
