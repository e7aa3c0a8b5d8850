from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from bilevel_lang.surrogate.scenario_encoder.network import ScenarioNetwork
from tests.surrogate.scenario_encoder.nets import a_set, by_the_formula, parts, random_network, scenario_network

POINTS = np.random.default_rng(9).normal(size=(30, 2))


@pytest.mark.parametrize("convex", [True, False])
def test_the_network_of_a_set_is_the_formula(convex: bool) -> None:
    values, shares = a_set(11)
    folded = scenario_network(convex=convex).at(values, shares)
    assert np.allclose(folded(POINTS).ravel(), by_the_formula(parts(convex=convex), POINTS, values, shares), atol=1e-10)


def test_the_order_of_the_scenarios_does_not_matter() -> None:
    values, shares = a_set(8)
    order = np.random.default_rng(2).permutation(8)
    one, other = scenario_network().at(values, shares), scenario_network().at(values[order], shares[order])
    assert np.allclose(one(POINTS), other(POINTS), atol=1e-12)


def test_scenarios_written_twice_are_those_with_twice_the_probability() -> None:
    values, _ = a_set(3)
    repeated = values[[0, 1, 1, 2, 2, 2]]
    network = scenario_network()
    even, shared = network.mean_features(repeated, np.full(6, 1 / 6)), network.mean_features(values, np.array([1, 2, 3]) / 6)
    assert np.allclose(even, shared, atol=1e-12)
    # All of them as often again: nothing depends on how many there are.
    assert np.allclose(network.mean_features(np.vstack([repeated] * 5), np.full(30, 1 / 30)), shared, atol=1e-12)
    # Other probabilities are another set.
    assert not np.allclose(network.mean_features(values, np.full(3, 1 / 3)), shared, atol=1e-3)


def test_an_input_convex_network_is_convex_in_the_decision_for_every_set() -> None:
    generator = np.random.default_rng(4)
    for count in (1, 3, 20):
        folded = scenario_network(seed=count).at(*a_set(count, seed=count))
        assert folded.convex().all()
        one, other, share = generator.normal(size=(300, 2)), generator.normal(size=(300, 2)), generator.random((300, 1))
        between = folded(share * one + (1 - share) * other)
        assert (between <= share * folded(one) + (1 - share) * folded(other) + 1e-9).all()


def test_each_decision_over_a_set_of_its_own() -> None:
    network = scenario_network()
    values, shares = a_set(6)
    weights = np.vstack([shares, np.full(6, 1 / 6), np.eye(6)[2]])
    found = network.over_sets(POINTS[:3], values, sp.csr_matrix(weights))
    alone = [network.at(values, w)(x[None, :])[0, 0] for x, w in zip(POINTS[:3], weights, strict=True)]
    assert np.allclose(found, alone, atol=1e-12)


def test_parts_that_do_not_fit() -> None:
    with pytest.raises(ValueError, match="4 features do not fit a cost of 4 inputs"):
        ScenarioNetwork(random_network(2, (3,), 4, 0), random_network(4, (3,), 1, 0))
