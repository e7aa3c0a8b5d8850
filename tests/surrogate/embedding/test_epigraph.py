"""Input-convex networks as LPs: tight where allowed, refused on the other side."""

from __future__ import annotations

import numpy as np
import pytest

from bilevel_lang.errors import RefusedError
from bilevel_lang.surrogate.bounds.input_set import box
from bilevel_lang.surrogate.embedding.construction import embed
from bilevel_lang.surrogate.network import Affine, Network
from tests.surrogate.embedding.solving import convex_network, optimum, random_network

BOX = box(-np.ones(3), 2 * np.ones(3))


def negated(network: Network) -> Network:
    return Network(network.inputs, network.hidden, Affine(-network.output.weights, -network.output.bias))


@pytest.mark.parametrize("seed", range(4))
def test_minimum_of_a_convex_network_is_an_lp_and_tight(seed: int) -> None:
    network = convex_network(seed)
    embedding = embed(network, BOX, "epigraph", push=("down",))
    assert not embedding.integer.any() and not len(embedding.sos1)
    value, columns = optimum(embedding, BOX, np.ones(1))
    assert value == pytest.approx(network(columns[None, :3])[0, 0], abs=1e-6)
    assert value == pytest.approx(optimum(embed(network, BOX), BOX, np.ones(1))[0], abs=1e-6)


def test_maximum_of_a_concave_network_is_an_lp_and_tight() -> None:
    network = negated(convex_network(5))
    value, columns = optimum(embed(network, BOX, "epigraph", push=("up",)), BOX, -np.ones(1))
    assert -value == pytest.approx(network(columns[None, :3])[0, 0], abs=1e-6)


@pytest.mark.parametrize(
    ("network", "push"), [(convex_network(1), "up"), (convex_network(1), "both"), (random_network(1), "down")]
)
def test_the_wrong_side_and_other_networks_are_refused(network: Network, push: str) -> None:
    with pytest.raises(RefusedError, match="held from above") as caught:
        embed(network, BOX, "epigraph", push=(push,))  # type: ignore[arg-type]
    assert "use the form split" in str(caught.value)


def test_the_wrong_side_costs_switches_in_the_split_form_and_is_exact() -> None:
    network = convex_network(3)
    embedding = embed(network, BOX, push=("up",))
    assert embedding.binaries > 0
    value, columns = optimum(embedding, BOX, -np.ones(1))
    assert -value == pytest.approx(network(columns[None, :3])[0, 0], abs=1e-6)
    assert -value == pytest.approx(-optimum(embed(network, BOX), BOX, -np.ones(1))[0], abs=1e-6)


def test_no_bounds_are_needed() -> None:
    # |x1| + max(0, x2 - 1) over all of R^2 with both inputs free.
    import scipy.sparse as sp

    hidden = Affine(sp.csr_matrix([[1.0, 0], [-1.0, 0], [0, 1.0]]), np.array([0.0, 0, -1]))
    network = Network(2, (hidden,), Affine(sp.csr_matrix([[0.0, 0, 1, 1, 1]]), np.zeros(1)))
    free = box(np.full(2, -np.inf), np.full(2, np.inf))
    assert optimum(embed(network, free, "epigraph", push=("down",)), free, np.ones(1))[0] == pytest.approx(0.0, abs=1e-9)
