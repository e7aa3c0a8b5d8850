"""The benchmark of embeddings at tiny sizes: that its problems are what the README says, and that its arithmetic is right."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.embedding.networks import INPUTS, samples, without_skip
from benchmarks.embedding.ours import Outcome, input_set, minimise
from benchmarks.embedding.run import row
from tests.surrogate.embedding.solving import random_network


def test_samples_are_values_of_one_follower() -> None:
    points, values = samples(3, 4)
    again, same = samples(3, 4)
    assert points.shape == (4, INPUTS) and (points == again).all() and (values == same).all()
    assert len(set(values.tolist())) == 4


def test_without_skip_and_skip_add_up() -> None:
    network = random_network(1)
    plain, skip = without_skip(network)
    points = np.random.default_rng(0).normal(size=(6, 3))
    assert np.allclose(plain(points)[:, 0] + points @ skip, network(points)[:, 0])
    assert not plain.output.weights.toarray()[:, :3].any()


@pytest.mark.parametrize("capacity", [0.0, 2.5])
def test_our_minimum_is_below_all_samples_and_attained(capacity: float) -> None:
    network, inputs = random_network(2), input_set(3, 0.0, 1.0, capacity)
    found = minimise(network, inputs, 20.0)
    points = np.random.default_rng(0).uniform(0, 1, size=(5000, 3))
    points = points[points @ [1.0, 1.1, 1.2] >= capacity]
    least = network(points)[:, 0].min()
    assert found.status == "kOptimal" and found.bound - 1e-3 <= found.objective <= least + 1e-6


def test_rows_of_the_table() -> None:
    assert row("net", "box", "tool", Outcome(0.5, 7, 2.0, "kOptimal", -10.0, -11.0)).endswith("| -10.0000 | -11.000 | 10.00% |")
    assert "none" in row("net", "box", "tool", Outcome(0.5, 7, 2.0, "kTimeLimit", float("inf"), -11.0))
    assert "no answer" in row("net", "box", "tool", None)
