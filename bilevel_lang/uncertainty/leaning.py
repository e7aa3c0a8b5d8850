"""Scenarios to train on that a law seldom gives: far out, and with parameters that are high, or low, together.

Other sets of scenarios than those of the law are made of such ones (a forecast for one week, a stress test, a table of a few
kinds of weather). Each of them is possible under the law. A normal score z of every parameter has a common factor, wider than
the law's own, by which parameters lean to the same side or to opposite ones; with u = Phi(z) their quantiles are taken.
"""

from __future__ import annotations

import numpy as np

from bilevel_lang.uncertainty.laws import Floats
from bilevel_lang.uncertainty.sampling import Discrete, Group

WIDE = 1.5
"""Standard deviation of the common factor; 1 is the law's own."""

TAIL = 1e-3
"""Probability on either side that is left out: laws without an end go no farther."""


def leaning(groups: tuple[Group, ...], count: int, seed: tuple[int, ...], stream: int) -> Floats:
    """(count, parameters in their own order). A joint law of listed values gives whole rows, each as often as any other."""
    from scipy.stats import norm

    generator = np.random.Generator(np.random.Philox(np.random.SeedSequence([*seed, stream])))
    places = [p for group in groups for p in group.parameters]
    scores = _scores(count, len(places), generator)
    shares = np.clip(norm.cdf(scores), TAIL, 1.0 - TAIL)
    found, at = np.empty((count, len(places))), 0
    for group in groups:
        end = at + len(group.parameters)
        found[:, list(group.parameters)] = _quantiles(group, shares[:, at:end])
        at = end
    return found


def _scores(count: int, width: int, generator: np.random.Generator) -> Floats:
    """(count, width) normal scores; in half of the rows all parameters lean to one side."""
    joint = generator.random((count, 1))
    sides = np.where(generator.random((count, width)) < 0.5, -1.0, 1.0)
    sides = np.where(generator.random((count, 1)) < 0.5, 1.0, sides)
    common = WIDE * generator.normal(size=(count, 1))
    found: Floats = sides * np.sqrt(joint) * common + np.sqrt(1.0 - joint) * generator.normal(size=(count, width))
    return found


def _quantiles(group: Group, shares: Floats) -> Floats:
    """(count, k) values of ``group`` at ``shares`` (count, k)."""
    if not isinstance(group, Discrete):
        return np.column_stack([law.quantiles(shares[:, k]) for k, law in enumerate(group.laws)])
    rows = group.values[group.probabilities > 0]
    spread = rows.std(axis=0)
    height = ((rows - rows.mean(axis=0)) / np.where(spread > 0, spread, 1.0)).sum(axis=1)
    order = np.argsort(height, kind="stable")
    found: Floats = rows[order[np.floor(shares[:, 0] * len(rows)).astype(int)]]
    return found
