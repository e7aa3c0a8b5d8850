"""Tiny and huge neurons: the same function in numbers that a solver's tolerances do not swallow."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from bilevel_lang.surrogate.bounds.input_set import box
from bilevel_lang.surrogate.bounds.interval import interval_bounds
from bilevel_lang.surrogate.embedding.construction import embed
from bilevel_lang.surrogate.embedding.equilibration import equilibrated, factors
from bilevel_lang.surrogate.embedding.reduction import reduce_network
from bilevel_lang.surrogate.network import Affine, Network
from tests.surrogate.embedding.solving import optimum, random_network

LOW, UP = -np.ones(3), np.ones(3)
BOX = box(LOW, UP)


def stretched(seed: int, sizes: tuple[float, float]) -> Network:
    """The random network of that seed with the neurons of its two layers multiplied by ``sizes``, and divided where they are
    used: the same function."""
    plain = random_network(seed, widths=(4, 3))
    before = np.concatenate([np.ones(3), np.full(4, sizes[0]), np.full(3, sizes[1])])

    def over(layer: Affine, size: float) -> Affine:
        columns = sp.diags(1 / before[: layer.weights.shape[1]])
        return Affine(sp.csr_matrix(size * (layer.weights @ columns)), size * layer.bias)

    hidden = tuple(over(layer, size) for layer, size in zip(plain.hidden, sizes, strict=True))
    return Network(3, hidden, over(plain.output, 1.0))


@pytest.mark.parametrize("form", ["split", "big-m", "partition"])
@pytest.mark.parametrize("sizes", [(1e-8, 1.0), (1.0, 1e-8), (1e-7, 1e7), (1e9, 1e-3)])
def test_a_solver_finds_the_network_s_values(sizes: tuple[float, float], form: str) -> None:
    for seed in range(3):
        network, plain = stretched(seed, sizes), random_network(seed, widths=(4, 3))
        embedding = embed(network, BOX, form)
        for point in np.random.default_rng(seed).uniform(LOW, UP, size=(2, 3)):
            expected = float(plain(point[None])[0, 0])
            for sign in (1.0, -1.0):
                value, _ = optimum(embedding, BOX, np.array([sign]), fixed=point)
                assert sign * value == pytest.approx(expected, abs=1e-6 * max(1, abs(expected)))


def test_the_function_and_its_bounds_stay() -> None:
    network = stretched(0, (1e-6, 1e8))
    reduced = reduce_network(network, interval_bounds(network, LOW, UP), ("both",))
    found = equilibrated(reduced)
    points = np.random.default_rng(0).uniform(LOW, UP, size=(100, 3))
    assert np.allclose(found.network(points), reduced.network(points), rtol=1e-13)
    again = interval_bounds(found.network, LOW, UP)
    assert np.allclose(again.lower, found.lower) and np.allclose(again.upper, found.upper)
    assert (np.maximum(-found.lower, found.upper) < 2).all()


def test_ordinary_neurons_and_those_without_bounds_keep_their_size() -> None:
    network = random_network(1)
    reduced = reduce_network(network, interval_bounds(network, LOW, UP), ("both",))
    assert equilibrated(reduced) is reduced
    free = reduce_network(network, interval_bounds(network, np.full(3, -np.inf), UP), ("both",))
    assert (factors(free) == 1.0).all()
