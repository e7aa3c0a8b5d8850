"""Sets of scenarios drawn from pairs that were solved: any number of scenarios, any probabilities, leaning to any side.

A set is a choice of the scenarios that were solved for a decision, with probabilities; what it costs is their mean, without
another solve. A network that has seen sets of the law alone knows little of a few scenarios, or of unlikely ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from bilevel_lang.surrogate.network import Floats
from bilevel_lang.surrogate.scenario_encoder.labels import Ints, PairCosts

WHOLE, EVEN, LEANING = 0.35, 0.5, 0.35
"""Shares of the sets that have all scenarios of their decision; that are equally likely; that lean to one side."""

SHAPES = (0.3, 10.0)
"""Of the gamma law of the probabilities of other sets, which are Dirichlet: one scenario nearly alone, to nearly equal ones."""

TILT = 3.0
"""Of sets that lean to one side: a scenario that is one deviation further on that side is up to exp(this) times as likely."""


@dataclass(frozen=True, eq=False)
class Sets:
    """``owner`` (s,): the decision of each set; ``places`` (s, w): its scenarios; ``weights`` (s, w): their probabilities, 0
    where there are fewer; ``costs`` (s,): the expected cost."""

    owner: Ints
    places: Ints
    weights: Floats
    costs: Floats

    def matrix(self, scenarios: int) -> sp.csr_matrix:
        """(s, ``scenarios``): row k has the probabilities of set k."""
        rows, columns = np.nonzero(self.weights)
        entries = (self.weights[rows, columns], (rows, self.places[rows, columns]))
        return sp.csr_matrix(entries, shape=(len(self.owner), scenarios))

    def slice(self, begin: int, end: int) -> Sets:
        """Sets ``begin`` to ``end``."""
        part = slice(begin, end)
        return Sets(self.owner[part], self.places[part], self.weights[part], self.costs[part])


class SetDraw:
    """Draws sets for the decisions of ``pairs``."""

    def __init__(self, pairs: PairCosts) -> None:
        there = np.isfinite(pairs.costs)
        # The scenarios of each decision first, then what fills its row up.
        order = np.argsort(~there, axis=1, kind="stable")[:, : int(there.sum(axis=1).max())]
        self.places = order.astype(np.int64)
        self.there = np.take_along_axis(there, order, axis=1)
        self.costs = np.where(self.there, np.take_along_axis(pairs.costs, order, axis=1), 0.0)
        centre, spread = pairs.scenarios.mean(axis=0), pairs.scenarios.std(axis=0)
        self.scaled: Floats = (pairs.scenarios - centre) / np.where(spread > 0, spread, 1.0)
        _, self.group = np.unique(there, axis=0, return_inverse=True)
        self.group = self.group.ravel()
        self.groups = int(self.group.max()) + 1

    def each(self, count: int, generator: np.random.Generator) -> Sets:
        """``count`` sets for every decision."""
        return self.of(np.repeat(np.arange(len(self.places)), count), generator)

    def batch(self, count: int, groups: int, generator: np.random.Generator) -> Ints:
        """(count,) decisions at random, of no more than ``groups`` groups that were solved in the same scenarios each: a step of
        training then has few scenarios to look at."""
        if self.groups <= groups:
            return generator.integers(0, len(self.group), count)
        # Through decisions, so that every one of them is as likely as any other in the long run.
        seeds = generator.permutation(len(self.group))
        chosen = self.group[seeds][np.sort(np.unique(self.group[seeds], return_index=True)[1])[:groups]]
        return generator.choice(np.flatnonzero(np.isin(self.group, chosen)), count)

    def of(self, owner: npt.ArrayLike, generator: np.random.Generator) -> Sets:
        """One set for each of ``owner`` (s,), which are numbers of decisions."""
        owners: Ints = np.asarray(owner, dtype=np.int64)
        count = len(owners)
        there, places = self.there[owners], self.places[owners]
        width = there.sum(axis=1)
        some = np.floor(np.exp(generator.random(count) * np.log(width + 0.999)))
        size = np.where(generator.random(count) < WHOLE, width, np.maximum(some, 1.0))
        rank = np.argsort(np.argsort(np.where(there, generator.random(there.shape), 2.0), axis=1), axis=1)
        low, high = np.log(SHAPES)
        shape = np.exp(generator.uniform(low, high, (count, 1)))
        uneven = generator.standard_gamma(shape, there.shape) + 1e-9
        weights = np.where(generator.random((count, 1)) < EVEN, 1.0, uneven)
        weights = np.where(rank < size[:, None], weights * self._leaning(places, there, generator), 0.0)
        weights /= weights.sum(axis=1, keepdims=True)
        return Sets(owners, places, weights, (weights * self.costs[owners]).sum(axis=1))

    def _leaning(self, places: Ints, there: npt.NDArray[np.bool_], generator: np.random.Generator) -> Floats:
        """Factors (s, w) that grow exponentially in a random direction, at least 1e-12; 1 for sets that do not lean."""
        count = len(places)
        direction = generator.normal(size=(count, self.scaled.shape[1]))
        direction /= np.maximum(np.linalg.norm(direction, axis=1, keepdims=True), 1e-12)
        steep = TILT * generator.random((count, 1)) * (generator.random((count, 1)) < LEANING)
        height = steep * np.einsum("swp,sp->sw", self.scaled[places], direction)
        top = np.where(there, height, -np.inf).max(axis=1, keepdims=True)
        factors: Floats = np.exp(np.clip(height - top, -27.0, 0.0))
        return factors
