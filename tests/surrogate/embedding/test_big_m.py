"""The form big-m against the forward pass and against the split form."""

from __future__ import annotations

import numpy as np
import pytest

from bilevel_lang.surrogate.bounds.input_set import box
from bilevel_lang.surrogate.embedding.construction import embed
from tests.surrogate.embedding.solving import optimum, random_network

BOX = box(-np.ones(3), 2 * np.ones(3))


@pytest.mark.parametrize("seed", range(3))
def test_with_inputs_fixed_the_output_is_the_network_s(seed: int) -> None:
    network = random_network(seed)
    embedding = embed(network, BOX, "big-m")
    for point in np.random.default_rng(seed).uniform(-1, 2, size=(3, 3)):
        for sign in (1.0, -1.0):
            value, _ = optimum(embedding, BOX, np.array([sign]), fixed=point)
            expected = sign * float(network(point[None])[0, 0])
            assert value == pytest.approx(expected, abs=1e-6 * max(1, abs(expected)))


@pytest.mark.parametrize("seed", range(3))
def test_optimum_and_switches_are_those_of_the_split_form(seed: int) -> None:
    network = random_network(seed, widths=(6, 7))
    ours, split = embed(network, BOX, "big-m"), embed(network, BOX)
    assert ours.binaries == split.binaries
    for sign in (1.0, -1.0):
        expected = optimum(split, BOX, np.array([sign]))[0]
        assert optimum(ours, BOX, np.array([sign]))[0] == pytest.approx(expected, abs=1e-6)
