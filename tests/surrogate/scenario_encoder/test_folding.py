from __future__ import annotations

import numpy as np
import pytest

from bilevel_lang.surrogate.scenario_encoder.folding import with_last_inputs
from tests.surrogate.scenario_encoder.nets import random_network, scenario_network


def test_the_rest_is_the_same_function() -> None:
    network = random_network(5, (6, 4), 2, seed=3)
    points, known = np.random.default_rng(0).normal(size=(40, 3)), np.array([0.7, -1.2])
    whole = network(np.hstack([points, np.tile(known, (40, 1))]))
    assert np.allclose(with_last_inputs(network, known)(points), whole, atol=1e-12)


def test_neurons_of_what_is_known_alone_are_gone() -> None:
    network = scenario_network()
    folded = with_last_inputs(network.cost, np.arange(4.0))
    # Phi2 has 6 neurons, which see the set alone; N has 7 and 4, which see the decision.
    assert network.cost.widths == (6, 7, 4)
    assert folded.widths == (7, 4)
    assert folded.inputs == 2


def test_all_inputs_known_leaves_a_number() -> None:
    network = random_network(2, (3,), 1, seed=1)
    folded = with_last_inputs(network, np.array([0.5, 2.0]))
    assert (folded.inputs, folded.neurons) == (0, 0)
    assert folded.output.bias == pytest.approx(network(np.array([[0.5, 2.0]]))[0])


def test_more_values_than_inputs() -> None:
    with pytest.raises(ValueError, match="3 values for the last of 2 inputs"):
        with_last_inputs(random_network(2, (3,), 1, seed=1), np.zeros(3))
