"""Starts by the forward pass: feasible, whole where they must be, near the optimum of small problems."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp

from bilevel_lang.surrogate.bounds.input_set import InputSet, box
from bilevel_lang.surrogate.embedding.construction import embed
from bilevel_lang.surrogate.embedding.local_search import gradient, satisfied, search
from tests.surrogate.embedding.solving import optimum, random_network

BOX = box(-np.ones(3), 2 * np.ones(3))
KNAPSACK = replace(BOX, rows=sp.csr_matrix([[1.0, 2.0, 3.0]]), row_lower=np.array([2.0]), row_upper=np.array([4.0]))
WHOLE = replace(KNAPSACK, integer=np.ones(3, dtype=bool))


@pytest.mark.parametrize("inputs", [BOX, KNAPSACK, WHOLE], ids=["box", "row", "whole"])
@pytest.mark.parametrize("seed", range(3))
def test_near_the_optimum(seed: int, inputs: InputSet) -> None:
    network, weights = random_network(seed), np.ones(1)
    point = search(network, inputs, weights)
    assert point is not None
    assert (point >= inputs.lower).all() and (point <= inputs.upper).all() and satisfied(inputs, point[None]).all()
    assert (point[inputs.integer] % 1 == 0).all()
    best = optimum(embed(network, inputs), inputs, weights)[0]
    value = float(network(point[None])[0, 0])
    assert best - 1e-6 <= value <= best + 0.02 * max(1, abs(best))


def test_no_point_satisfies_the_rows() -> None:
    assert (
        search(random_network(0), replace(KNAPSACK, row_lower=np.array([100.0]), row_upper=np.array([101.0])), np.ones(1)) is None
    )


def test_gradient_against_differences() -> None:
    network = random_network(5, outputs=2)
    points, weights, step = np.random.default_rng(0).uniform(-1, 2, size=(20, 3)), np.array([1.0, -2.0]), 1e-6
    found = gradient(network, weights, points)
    for j in range(3):
        moved = np.eye(3)[j] * step
        expected = (network(points + moved) - network(points - moved)) @ weights / (2 * step)
        # A point within 1e-6 of a kink would differ; none of these is.
        assert found[:, j] == pytest.approx(expected, abs=1e-5)
