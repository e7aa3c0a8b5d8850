"""Which half of every ReLU a model needs, from the side on which it pushes the outputs.

An output that the model only ever pushes down (a minimised objective, a row ``... + N(x) <= b``) is represented exactly by
columns that can be no smaller than the network's: where a neuron counts with a positive weight, ``z >= a, z >= 0`` is enough,
which is linear; where it counts with a negative one, ``z <= max(0, a)`` is enough, which takes a switch but one half of the rows.
For an input-convex network pushed down no switch is left: the epigraph.

Why it is exact: let F be the forward pass. By induction over the layers a neuron that needs the lower half has ``z >= F``, one
that needs the upper half ``z <= F``, one that needs both ``z = F``, because a layer asks of each predecessor the half that its
weight's sign passes on. So ``t >= N(x)`` for all points of the model, and the forward pass itself is one of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from bilevel_lang.surrogate.network import Affine, Bools, Network

Push: TypeAlias = Literal["down", "up", "both"]
"""What the model does with an output: ``down`` where smaller values are never worse and never less feasible, ``up`` where larger
ones are, ``both`` where neither is known (or the exact value is wanted, as in an equality)."""


@dataclass(frozen=True, eq=False)
class Halves:
    """Which neurons (neurons,) need ``z >= max(0, a)`` (``lower``), which ``z <= max(0, a)`` (``upper``); neither: not used."""

    lower: Bools
    upper: Bools


def halves(network: Network, push: tuple[Push, ...]) -> Halves:
    """The halves needed so that output i is exact when it is pushed as ``push[i]`` says (outputs,)."""
    if len(push) != network.outputs:
        raise ValueError(f"{network.outputs} outputs, but {len(push)} directions")
    # Along all columns; the inputs' entries are never read.
    lower = np.zeros(network.inputs + network.neurons, dtype=bool)
    upper = lower.copy()
    down, up = (np.array([p in (side, "both") for p in push], dtype=bool) for side in ("down", "up"))
    _pass_on(network.output, down, up, lower, upper)
    end = len(lower)
    for layer in reversed(network.hidden):
        end -= len(layer.bias)
        here = slice(end, end + len(layer.bias))
        _pass_on(layer, lower[here].copy(), upper[here].copy(), lower, upper)
    return Halves(lower[network.inputs :], upper[network.inputs :])


def _pass_on(layer: Affine, need_lower: Bools, need_upper: Bools, lower: Bools, upper: Bools) -> None:
    """Mark in ``lower`` and ``upper`` what the rows of ``layer`` need of their columns."""
    weights = layer.weights
    rows = np.repeat(np.arange(len(layer.bias)), np.diff(weights.indptr))
    positive, negative = weights.data > 0, weights.data < 0
    lower[weights.indices[(positive & need_lower[rows]) | (negative & need_upper[rows])]] = True
    upper[weights.indices[(positive & need_upper[rows]) | (negative & need_lower[rows])]] = True
