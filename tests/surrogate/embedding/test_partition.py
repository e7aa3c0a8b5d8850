"""The form partition against the forward pass and against the split form."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from bilevel_lang.surrogate.bounds.input_set import box
from bilevel_lang.surrogate.embedding.construction import embed
from bilevel_lang.surrogate.embedding.partition import blocks
from tests.surrogate.embedding.solving import optimum, random_network

BOX = box(-np.ones(3), 2 * np.ones(3))


@pytest.mark.parametrize("seed", range(3))
def test_with_inputs_fixed_the_output_is_the_network_s(seed: int) -> None:
    network = random_network(seed)
    embedding = embed(network, BOX, "partition")
    for point in np.random.default_rng(seed).uniform(-1, 2, size=(3, 3)):
        for sign in (1.0, -1.0):
            value, _ = optimum(embedding, BOX, np.array([sign]), fixed=point)
            expected = sign * float(network(point[None])[0, 0])
            assert value == pytest.approx(expected, abs=1e-6 * max(1, abs(expected)))


@pytest.mark.parametrize("seed", range(3))
def test_optimum_and_switches_are_those_of_the_split_form(seed: int) -> None:
    network = random_network(seed, widths=(6, 7))
    ours, split = embed(network, BOX, "partition"), embed(network, BOX)
    assert ours.binaries == split.binaries
    for sign in (1.0, -1.0):
        expected = optimum(split, BOX, np.array([sign]))[0]
        assert optimum(ours, BOX, np.array([sign]))[0] == pytest.approx(expected, abs=1e-6)


def test_blocks_add_up_and_are_sorted() -> None:
    weights = sp.csr_matrix(np.array([[3.0, -1.0, 2.0, 0.0], [0.0, 5.0, 0.0, 0.0]]))
    small, large = blocks(weights)
    assert (small + large - weights).nnz == 0
    assert small.toarray()[0].tolist() == [0.0, -1.0, 2.0, 0.0] and large.toarray()[0].tolist() == [3.0, 0.0, 0.0, 0.0]
