"""The collector: rows as they were added, constants moved to the sides."""

from __future__ import annotations

import numpy as np
import pytest

from bilevel_lang.surrogate.bounds.interval import interval_bounds
from bilevel_lang.surrogate.embedding.assembly import Assembly, stacked
from bilevel_lang.surrogate.embedding.reduction import reduce_network
from tests.surrogate.embedding.solving import random_network


def test_stacked_layers_give_the_values_before_the_relus() -> None:
    network = random_network(1, widths=(4, 3, 5))
    weights, bias = stacked(network)
    points = np.random.default_rng(0).normal(size=(6, 3))
    columns = network.columns(points)
    assert np.allclose(np.maximum(columns @ weights.toarray().T + bias, 0), columns[:, 3:])


def test_a_row_and_its_constant() -> None:
    network = random_network(1, widths=(4,))
    ends = -np.ones(3), np.ones(3)
    assembly = Assembly(reduce_network(network, interval_bounds(network, *ends), ("both",)), *ends)
    neurons = np.array([1, 2])
    assembly.add_rows("test", neurons, assembly.before(neurons, -2.0), [(assembly.relu[neurons], 3.0)], -np.inf, [5.0, 6.0])
    made = assembly.finish("test", ("both",))
    point = np.arange(1.0, 1 + made.matrix.shape[1])
    before = assembly.affine[neurons] @ point + assembly.bias[neurons]
    assert made.matrix @ point - made.row_upper == pytest.approx(-2 * before + 3 * point[3 + neurons] - [5.0, 6.0])
    assert (made.row_lower == -np.inf).all()
    assert made.row_names == tuple(f"test[{i}]" for i in assembly.reduced.origin[neurons])
