"""Which settings to train with: many are tried on few steps, the better half on twice as many, until one is left.

Jamieson and Talwalkar 2016, AISTATS ("successive halving"); the settings are drawn at random, with a seed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from bilevel_lang.surrogate.network import Network
from bilevel_lang.surrogate.training.fitting import Trained
from bilevel_lang.surrogate.training.settings import Settings

WIDTHS = ((16,), (32,), (64,), (16, 16), (32, 32), (50, 50), (32, 16), (24, 24, 24))
"""Of hidden layers; a program with a larger network takes too long to solve."""

L1 = (1e-6, 1e-3)
RATES = (1e-3, 3e-2)
"""Ranges of the weight of the L1 term and of the first learning rate, both drawn on a logarithmic scale."""

LEAST_STEPS = 50

Fit = Callable[[Settings, Network | None], Trained]
"""Trains with settings, from a network of the same shape where one is given."""


@dataclass(frozen=True, slots=True)
class Tried:
    """``settings`` and the held-out mean absolute error that ``steps`` with them led to."""

    settings: Settings
    steps: int
    error: float


def drawn(base: Settings, count: int, layers: bool = True) -> tuple[Settings, ...]:
    """``base`` and ``count - 1`` others; ``layers`` False leaves the widths as they are. The same for the same ``base.seed``."""
    generator = np.random.Generator(np.random.Philox(np.random.SeedSequence(base.seed, spawn_key=(count,))))
    found = [base]
    while len(found) < count:
        widths = WIDTHS[int(generator.integers(len(WIDTHS)))]
        l1, rate = (float(np.exp(generator.uniform(*np.log(ends)))) for ends in (L1, RATES))
        found.append(replace(base, layers=widths if layers else base.layers, l1=l1, rate=rate))
    return tuple(found)


def halved(candidates: tuple[Settings, ...], fit: Fit) -> tuple[Settings, tuple[Tried, ...]]:
    """The settings that are left, with the steps they came with, and all that was tried.

    The last round has half of the steps; a survivor goes on from where it was. Ties go to the one drawn first.
    """
    rounds = max(1, int(np.ceil(np.log2(len(candidates)))))
    alive: list[tuple[Settings, Network | None]] = [(settings, None) for settings in candidates]
    tried: list[Tried] = []
    for number in range(rounds):
        steps = max(LEAST_STEPS, candidates[0].steps // 2 ** (rounds - number))
        ends = [(settings, fit(replace(settings, steps=steps), start)) for settings, start in alive]
        tried += [Tried(settings, steps, trained.validation_mae) for settings, trained in ends]
        ends.sort(key=lambda end: end[1].validation_mae)
        alive = [(settings, trained.network) for settings, trained in ends[: max(1, len(ends) // 2)]]
    return alive[0][0], tuple(tried)
