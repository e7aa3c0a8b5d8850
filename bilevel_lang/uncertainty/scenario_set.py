"""A finite set of scenarios: what every random parameter is worth in each, and how likely each is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bilevel_lang.uncertainty.laws import Floats

SUM_TOLERANCE = 1e-6
"""How far probabilities may be from summing to 1 (files print them with six digits); they are scaled to sum to 1 exactly."""


@dataclass(frozen=True, eq=False)
class ScenarioSet:
    """``values`` (S, K): scenarios by random parameters; ``probabilities`` (S,), positive or 0, with the sum 1.

    ``sampled`` tells whether it was drawn from laws, so that the answer is a sample average approximation; ``names`` are those of
    a file, else empty.
    """

    values: Floats
    probabilities: Floats
    sampled: bool = False
    names: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """How many scenarios there are."""
        return len(self.probabilities)

    def mean(self) -> Floats:
        """The expected value of each parameter (K,)."""
        return np.asarray(self.probabilities @ self.values, dtype=float)

    def name(self, scenario: int) -> str:
        """What scenario number ``scenario`` (from 0) is called."""
        return self.names[scenario] if self.names else str(scenario + 1)


def wrong_probability(probabilities: Floats) -> str | None:
    """Why numbers cannot be the probabilities of all scenarios, None where they can."""
    negative = np.flatnonzero(probabilities < 0)
    if negative.size:
        return f"the probability {probabilities[negative[0]]:g} is negative"
    total = float(probabilities.sum())
    if not abs(total - 1.0) <= SUM_TOLERANCE * (1 + 1e-9):
        return f"the probabilities sum to {total:.10g}, not to 1"
    return None


def product(parts: list[ScenarioSet]) -> ScenarioSet:
    """All combinations of independent parts; the parameters stand in the order of the parts. The last part varies fastest."""
    values, probabilities = np.zeros((1, 0)), np.ones(1)
    for part in parts:
        left = np.repeat(np.arange(len(probabilities)), part.size)
        right = np.tile(np.arange(part.size), len(probabilities))
        values = np.hstack([values[left], part.values[right]])
        probabilities = probabilities[left] * part.probabilities[right]
    names = parts[0].names if len(parts) == 1 else ()
    return ScenarioSet(values, probabilities / probabilities.sum(), any(p.sampled for p in parts), names)
