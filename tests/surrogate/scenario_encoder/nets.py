"""Small networks of scenario sets with random weights, and their formula written out once more."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from bilevel_lang.surrogate.network import Affine, Floats, Network
from bilevel_lang.surrogate.scenario_encoder.network import ScenarioNetwork, composed


def random_network(inputs: int, widths: tuple[int, ...], outputs: int, seed: int, convex: bool = False) -> Network:
    """Every layer sees everything before it; ``convex``: neurons enter with weights >= 0."""
    generator = np.random.default_rng(seed)
    layers, columns = [], inputs
    for width in (*widths, outputs):
        weights = generator.normal(size=(width, columns))
        if convex:
            weights[:, inputs:] = np.abs(weights[:, inputs:])
        layers.append(Affine(sp.csr_matrix(weights), generator.normal(size=width)))
        columns += width
    return Network(inputs, tuple(layers[:-1]), layers[-1])


def parts(seed: int = 0, convex: bool = True) -> tuple[Network, Network, Network]:
    """Phi1 of 2 parameters to 4 features, Phi2 of them to 3, N of 2 decisions and these 3."""
    return (
        random_network(2, (5,), 4, seed),
        random_network(4, (6,), 3, seed + 1),
        random_network(5, (7, 4), 1, seed + 2, convex),
    )


def scenario_network(seed: int = 0, convex: bool = True) -> ScenarioNetwork:
    return composed(*parts(seed, convex))


def by_the_formula(networks: tuple[Network, Network, Network], points: Floats, values: Floats, shares: Floats) -> Floats:
    """N(x, Phi2(sum_k p_k Phi1(s_k))), one scenario after the other."""
    features, embedding, value = networks
    mean = sum(p * features(s[None, :])[0] for p, s in zip(shares, values, strict=True))
    told = embedding(np.array(mean)[None, :])[0]
    return np.array([value(np.concatenate([x, told])[None, :])[0, 0] for x in points])


def a_set(count: int, seed: int = 5) -> tuple[Floats, Floats]:
    """(S, 2) scenarios with probabilities (S,)."""
    generator = np.random.default_rng(seed)
    shares = generator.random(count)
    return generator.normal(size=(count, 2)), shares / shares.sum()
