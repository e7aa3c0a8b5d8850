"""The split form is exact: at fixed inputs, at the optimum over a box, and for outputs pushed one way."""

from __future__ import annotations

import numpy as np
import pytest

from bilevel_lang.errors import RefusedError
from bilevel_lang.surrogate.bounds.input_set import box
from bilevel_lang.surrogate.embedding.construction import embed
from bilevel_lang.surrogate.embedding.polarity import Push
from tests.surrogate.embedding.solving import optimum, random_network

BOX = box(-np.ones(3), 2 * np.ones(3))


@pytest.mark.parametrize("seed", range(4))
def test_with_inputs_fixed_the_output_is_the_network_s(seed: int) -> None:
    network = random_network(seed, outputs=2)
    embedding = embed(network, BOX)
    for point in np.random.default_rng(seed).uniform(-1, 2, size=(3, 3)):
        for sign in (1.0, -1.0):
            weights = sign * np.array([1.0, -2.0])
            value, _ = optimum(embedding, BOX, weights, fixed=point)
            expected = float(network(point[None])[0] @ weights)
            assert value == pytest.approx(expected, abs=1e-6 * max(1, abs(expected)))


@pytest.mark.parametrize("push", ["down", "up"])
@pytest.mark.parametrize("seed", range(3))
def test_pushed_one_way_it_is_exact_with_fewer_switches(seed: int, push: Push) -> None:
    network = random_network(seed, widths=(6, 8))
    exact, one_sided = embed(network, BOX), embed(network, BOX, push=(push,))
    assert one_sided.binaries < exact.binaries
    weights = np.array([1.0 if push == "down" else -1.0])
    value, columns = optimum(one_sided, BOX, weights)
    assert value == pytest.approx(optimum(exact, BOX, weights)[0], abs=1e-6)
    assert value == pytest.approx(float(network(columns[None, :3])[0] @ weights), abs=1e-6)
    # Against sampling: nothing better is there.
    points = np.random.default_rng(seed).uniform(-1, 2, size=(2000, 3))
    assert (network(points) @ weights).min() >= value - 1e-6


def test_an_input_without_bounds_is_named() -> None:
    open_box = box(np.array([0.0, -np.inf, 0.0]), np.ones(3), names=("price", "load", "wind"))
    with pytest.raises(RefusedError, match=r"load lies in \[-inf, 1\]") as caught:
        embed(random_network(0), open_box)
    assert "give load a finite lower and upper bound" in str(caught.value)
