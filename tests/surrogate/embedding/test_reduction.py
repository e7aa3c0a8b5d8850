"""Fewer neurons, the same function."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from bilevel_lang.surrogate.bounds.interval import interval_bounds
from bilevel_lang.surrogate.embedding.reduction import DEAD, KEPT, LINEAR, MERGED, UNUSED, multiples, reduce_network
from bilevel_lang.surrogate.network import Affine, Network
from tests.surrogate.embedding.solving import random_network

LOW, UP = np.full(3, -0.2), np.full(3, 0.3)


@pytest.mark.parametrize("density", [1.0, 0.3])
@pytest.mark.parametrize("seed", range(6))
def test_the_function_stays(seed: int, density: float) -> None:
    network = random_network(seed, widths=(9, 8, 7), outputs=2, density=density)
    bounds = interval_bounds(network, LOW, UP)
    reduced = reduce_network(network, bounds, ("both", "both"))
    points = np.random.default_rng(seed).uniform(LOW, UP, size=(200, 3))
    assert np.allclose(reduced.network(points), network(points), rtol=1e-12, atol=1e-12)
    # In this small box many neurons are decided, and all that are left without a switch are linear.
    assert reduced.network.neurons < network.neurons
    assert (reduced.fate == KEPT).sum() == reduced.network.neurons == len(reduced.origin)
    columns = reduced.network.columns(points)[:, 3:]
    assert np.allclose(columns, network.columns(points)[:, 3 + reduced.origin], atol=1e-12)


def test_each_fate() -> None:
    # x in [0, 1]: always active, never active, 2x the fifth, -3x the fifth, unstable, unstable but unused.
    weights = np.array([[1.0], [-1.0], [2.0], [-3.0], [1.0], [4.0]])
    bias = np.array([1.0, -1.0, -1.0, 1.5, -0.5, -1.0])
    network = Network(1, (Affine(sp.csr_matrix(weights), bias),), Affine(sp.csr_matrix([[0.0, 1, 1, 1, 1, 1, 0]]), np.zeros(1)))
    reduced = reduce_network(network, interval_bounds(network, np.zeros(1), np.ones(1)), ("both",))
    assert reduced.fate.tolist() == [LINEAR, DEAD, KEPT, MERGED, MERGED, UNUSED]
    points = np.linspace(0, 1, 21)[:, None]
    assert np.allclose(reduced.network(points), network(points), atol=1e-14)


def test_linear_neurons_stay_columns_where_substituting_would_fill() -> None:
    # Two always-active neurons with 40 predecessors and 50 users each: 180 nonzeros would become 2,000.
    generator = np.random.default_rng(0)
    first = Affine(sp.csr_matrix(generator.normal(size=(40, 2))), generator.normal(size=40) * 0.1)
    few = np.hstack([np.zeros((2, 2)), generator.normal(size=(2, 40))])
    second = Affine(sp.csr_matrix(few), np.full(2, 100.0))
    many = np.hstack([np.zeros((50, 42)), generator.normal(size=(50, 2))])
    third = Affine(sp.csr_matrix(many), generator.normal(size=50))
    output = Affine(sp.csr_matrix(np.hstack([np.zeros((1, 44)), np.ones((1, 50))])), np.zeros(1))
    network = Network(2, (first, second, third), output)
    reduced = reduce_network(network, interval_bounds(network, -np.ones(2), np.ones(2)), ("both",))
    assert reduced.linear.sum() == 2
    points = generator.uniform(-1, 1, size=(50, 2))
    assert np.allclose(reduced.network(points), network(points))


def test_multiples_are_found_and_near_ones_are_not() -> None:
    rows = np.array([[1.0, 2.0], [-2.0, -4.0], [1.0, 2.0 + 1e-9], [3.0, 6.0]])
    layer = Affine(sp.csr_matrix(rows), np.array([1.0, -2.0, 1.0, 3.0]))
    merged, factor, into = multiples(layer, np.ones(4, dtype=bool))
    assert merged.tolist() == [False, True, False, True]
    assert factor[[1, 3]].tolist() == pytest.approx([-2.0, 3.0])
    assert into[[1, 3]].tolist() == [0, 0]


@pytest.mark.parametrize("seed", range(40))
def test_three_and_more_multiples_go_into_one(seed: int) -> None:
    # Which two of several multiples are compared first depends on rounding, so they are drawn many times.
    generator = np.random.default_rng(seed)
    weights, bias = generator.normal(size=(8, 3)), 0.3 * generator.normal(size=8)
    for base, others in ((1, (4, 6)), (0, (3, 5, 7))):
        for other in others:
            factor = generator.uniform(0.1, 3) * generator.choice([-1, 1])
            weights[other], bias[other] = factor * weights[base], factor * bias[base]
    output = Affine(sp.csr_matrix(generator.normal(size=(1, 11))), np.zeros(1))
    network = Network(3, (Affine(sp.csr_matrix(weights), bias),), output)
    reduced = reduce_network(network, interval_bounds(network, -np.ones(3), np.ones(3)), ("both",))
    assert reduced.network.neurons <= 3
    points = generator.uniform(-1, 1, size=(50, 3))
    assert np.allclose(reduced.network(points), network(points), atol=1e-12)
