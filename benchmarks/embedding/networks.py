"""The networks that are embedded: trained on the value of one LP follower with ten parameters, plain and with our regularisation.

The follower is a blend with 8 rows and 12 variables, ``min (c + C x)'y, A y >= b + B x, 0 <= y <= 10``: x enters costs and
right-hand sides, so its value is neither convex nor concave. All numbers come from one seed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import scipy.sparse as sp
from scipy.optimize import linprog

from bilevel_lang.surrogate.network import Affine, Floats, Network
from bilevel_lang.surrogate.onnx_files.reading import read_onnx
from bilevel_lang.surrogate.onnx_files.writing import write_onnx
from bilevel_lang.surrogate.training.fitting import fit
from bilevel_lang.surrogate.training.labels import Labels
from bilevel_lang.surrogate.training.settings import Settings

INPUTS, ROWS, VARIABLES = 10, 8, 12
SAMPLES, TESTS = 2000, 500
SHAPES = {"2x50": (50, 50), "3x100": (100, 100, 100)}
_NONE = {"l1": 0.0, "stability": 0.0, "prune": 0.0}
KINDS: dict[str, dict[str, float]] = {"plain": {**_NONE, "rate": 1e-3}, "unregularised": _NONE, "regularised": {}}
"""What each differs in from the training of nn-embed."""
LOWER, UPPER = np.zeros(INPUTS), np.ones(INPUTS)


def samples(seed: int, number: int) -> tuple[Floats, Floats]:
    """Points (number, 10) of the unit box and the follower's value (number,) there."""
    generator = np.random.default_rng(1)
    matrix = generator.uniform(0, 1, (ROWS, VARIABLES)) * (generator.random((ROWS, VARIABLES)) < 0.5) + 0.05
    cost, slope = generator.uniform(1, 3, VARIABLES), generator.uniform(-1, 1, (VARIABLES, INPUTS))
    side, shift = generator.uniform(1, 2, ROWS), generator.uniform(-1, 1, (ROWS, INPUTS))
    points = np.random.default_rng(seed).uniform(LOWER, UPPER, (number, INPUTS))

    def value(x: Floats) -> float:
        done = linprog(cost + slope @ x, A_ub=-matrix, b_ub=-(side + shift @ x), bounds=(0, 10), method="highs")
        assert done.status == 0, done.message
        return float(done.fun)

    return points, np.array([value(x) for x in points])


@dataclass(frozen=True)
class Trained:
    """A network and its mean absolute error on samples that training has not seen."""

    network: Network
    error: float


def trained(
    folder: Path, seed: int, shapes: tuple[str, ...] = tuple(SHAPES), kinds: tuple[str, ...] = tuple(KINDS)
) -> dict[tuple[str, str], Trained]:
    """By shape and kind (a name of ``KINDS``); kept as ONNX in ``folder``, and taken from there the next time."""
    folder.mkdir(parents=True, exist_ok=True)
    points, values = samples(seed + 100, TESTS)
    found = {}
    for shape in shapes:
        widths = SHAPES[shape]
        for kind in kinds:
            path = folder / f"{shape}-{kind}-{seed}.onnx"
            if not path.exists():
                write_onnx(path, _fit(widths, kind, seed))
            network = read_onnx(path).network
            found[shape, kind] = Trained(network, float(abs(network(points)[:, 0] - values).mean()))
    return found


def without_skip(network: Network) -> tuple[Network, Floats]:
    """The network without what its output takes from the inputs directly, and that (inputs,): tools without skips need it so."""
    weights = network.output.weights.toarray()
    skip = weights[0, : network.inputs].copy()
    weights[:, : network.inputs] = 0.0
    return replace(network, output=Affine(sp.csr_matrix(weights), network.output.bias)), skip


def _fit(widths: tuple[int, ...], kind: str, seed: int) -> Network:
    points, values = samples(seed, SAMPLES)
    return fit(Labels(points, values[:, None], LOWER, UPPER), replace(Settings(layers=widths, seed=seed), **KINDS[kind])).network
