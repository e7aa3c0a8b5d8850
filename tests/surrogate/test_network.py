"""The one form of a network: shapes, values, and what it can prove of convexity."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from bilevel_lang.surrogate.network import Affine, Network, dense


def absolute_value(skip: float = 0.0, second: float = 1.0) -> Network:
    """|x| * second-ish through two ReLUs, plus ``skip`` * x."""
    hidden = Affine(sp.csr_matrix([[1.0], [-1.0]]), np.zeros(2))
    return Network(1, (hidden,), Affine(sp.csr_matrix([[skip, 1.0, second]]), np.zeros(1)))


def test_relu_pair_is_the_absolute_value() -> None:
    points = np.linspace(-3, 3, 7)[:, None]
    assert np.allclose(absolute_value()(points), np.abs(points))


def test_skip_connection_reaches_the_output() -> None:
    assert np.allclose(absolute_value(skip=2.0)(np.array([[-1.0], [4.0]])).ravel(), [-1.0, 12.0])


def test_dense_is_the_product_of_its_layers() -> None:
    generator = np.random.default_rng(3)
    weights = [generator.normal(size=s) for s in [(5, 3), (4, 5), (2, 4)]]
    biases = [generator.normal(size=k) for k in (5, 4, 2)]
    points = generator.normal(size=(11, 3))
    expected = points
    for number, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        expected = expected @ weight.T + bias
        expected = np.maximum(expected, 0) if number < 2 else expected
    network = dense(weights, biases)
    assert network.widths == (5, 4)
    assert np.allclose(network(points), expected)


def test_convexity_is_proven_and_refused() -> None:
    assert absolute_value(skip=-7.0).convex().tolist() == [True]
    assert absolute_value(second=-1.0).convex().tolist() == [False]
    assert absolute_value().concave().tolist() == [False]


def test_negative_weight_between_hidden_layers_refuses_convexity_only_where_it_counts() -> None:
    first = Affine(sp.csr_matrix([[1.0], [-1.0]]), np.zeros(2))
    second = Affine(sp.csr_matrix([[0.0, 1.0, -1.0], [3.0, 1.0, 2.0]]), np.zeros(2))
    output = Affine(sp.csr_matrix([[0.0, 0, 0, 1.0, 0], [0.0, 0, 0, 0, 1.0]]), np.zeros(2))
    assert Network(1, (first, second), output).convex().tolist() == [False, True]


def test_wrong_shapes_and_nan_are_errors() -> None:
    with pytest.raises(ValueError, match="layer 1"):
        Network(2, (), Affine(sp.csr_matrix([[1.0]]), np.zeros(1)))
    with pytest.raises(ValueError, match="not finite"):
        Network(1, (), Affine(sp.csr_matrix([[np.nan]]), np.zeros(1)))
