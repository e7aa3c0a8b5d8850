"""Cuts at a point of the relaxation, from everything that the follower's answers and steps say.

Cuts on the value (:mod:`.interdiction`) come first, for they hold everywhere. Intersection cuts are taken from steps, from
answers, and from the unit hypercube around a decision of the leader that is known: every other whole decision is outside of it.

Reference: Fischetti, Ljubic, Monaci and Sinnl 2018, Math. Program. 172:77 (intersection and hypercube cuts).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bilevel_lang.reformulation.value_function.integer.directions import Directions
from bilevel_lang.reformulation.value_function.integer.disjunctions import Disjunctions
from bilevel_lang.reformulation.value_function.integer.extended import Extended
from bilevel_lang.reformulation.value_function.integer.features import Features
from bilevel_lang.reformulation.value_function.integer.follower import Follower
from bilevel_lang.reformulation.value_function.integer.interdiction import ValueCuts
from bilevel_lang.reformulation.value_function.integer.intersection import Cone, FreeSet, intersection_cut
from bilevel_lang.reformulation.value_function.integer.part import Part
from bilevel_lang.solvers.matrix import Flags
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.tree_judge import Cut, Vertex

CUTS_A_ROUND = 4
"""Intersection cuts at one vertex; more of them are nearly parallel."""

AskVertex = Callable[[], Vertex | None]


class Separation:
    """All cuts; ``count`` is how many there were. It shares the pool of answers and the steps with the rest of the search."""

    def __init__(
        self, extended: Extended, follower: Follower, pool: Disjunctions, directions: Directions, features: Features
    ) -> None:
        self._extended, self._follower, self._pool, self._directions = extended, follower, pool, directions
        self._features = features
        self._value_cuts = ValueCuts(extended)
        self.count = 0

    def value_cuts(self, z: Floats) -> list[Cut]:
        """Cuts on the value that hold everywhere: from answers known, or from the one that ``z`` violates most."""
        if not self._features.value_cuts:
            return []
        self._value_cuts.grow(self._pool)
        cuts = self._value_cuts.violated(z, CUTS_A_ROUND)
        if not cuts and self._features.priced:
            asked = self._value_cuts.prices(z)
            found = None if asked is None else self._follower.priced(*asked)
            if found is not None:
                self._pool.add(found)
                self._value_cuts.grow(self._pool)
                cuts = self._value_cuts.violated(z, CUTS_A_ROUND)
        self.count += len(cuts)
        return cuts

    def cuts(self, z: Floats, part: Part, vertex: AskVertex) -> list[Cut]:
        """Cuts on the value if there are any; else intersection cuts from steps and answers."""
        return self.value_cuts(z) or self._from_sets(self._violated_sets(z, part), vertex)

    def around(self, z: Floats, part: Part, vertex: AskVertex) -> list[Cut]:
        """The same, and the hypercube around the leader's decision at ``z``, which has to be one that is known in full."""
        return self._from_sets([*self._violated_sets(z, part), self._hypercube(z, part)], vertex)

    def _from_sets(self, sets: list[FreeSet], vertex: AskVertex) -> list[Cut]:
        if not self._features.intersection or not sets:
            return []
        at = vertex()
        if at is None:
            return []
        sets = [each for each in sets if len(each.columns)]
        if not sets:
            return []
        cone = Cone(at, np.unique(np.concatenate([each.columns for each in sets])))
        cuts = [cut for cut in (intersection_cut(cone, each) for each in sets) if cut is not None]
        self.count += len(cuts)
        return cuts

    def _violated_sets(self, z: Floats, part: Part) -> list[FreeSet]:
        """Steps and answers that ``z`` violates, the deepest first."""
        sets = self._steps(z, part) if self._features.directions else []
        return [*sets, *self._answers(z, part)][:CUTS_A_ROUND]

    def _answers(self, z: Floats, part: Part) -> list[FreeSet]:
        extended, pool = self._extended, self._pool
        if not len(pool):
            return []
        _, sigma_up = part.sigma_range()
        sigma = extended.rows.sign * z[extended.activity_columns][extended.rows.activity]
        value = float(z[extended.value])
        blockable = sigma_up[None, :] > pool.thresholds + 0.5
        room = np.where(blockable, pool.thresholds + 1 - sigma[None, :], np.inf).min(axis=1, initial=np.inf)
        better = value - pool.values
        depth = np.minimum(room, better / max(1.0, abs(value)) * 10)
        found = np.flatnonzero((room > 1e-4) & (better > 1e-4 * max(1.0, abs(value))))
        return [self._answer_set(int(k), blockable[k]) for k in found[np.argsort(-depth[found])][:CUTS_A_ROUND]]

    def _answer_set(self, number: int, rows: Flags) -> FreeSet:
        """Where the answer is feasible and better, as far as the rows that can block it here go."""
        extended, thresholds = self._extended, self._pool.thresholds[number]
        kept = np.flatnonzero(rows)
        columns = extended.activity_columns[extended.rows.activity[kept]]
        return FreeSet(
            np.append(columns, extended.value),
            np.append(extended.rows.sign[kept], -1.0),
            np.append(thresholds[kept] + 1, -self._pool.responses[number].value),
        )

    def _steps(self, z: Floats, part: Part) -> list[FreeSet]:
        """Where a step is feasible, as far as what can stop it here goes: there is no solution inside."""
        steps = self._directions
        violated = steps.violated(z)
        if not violated.size:
            return []
        can, _ = steps.state(part.lower, part.upper)
        counts = np.bincount(steps.clause, can, minlength=steps.count)[violated]
        sets = []
        for clause in violated[np.argsort(counts)][:CUTS_A_ROUND].tolist():
            k = np.flatnonzero(can & (steps.clause == clause))
            sign = np.where(steps.upward[k], 1.0, -1.0)
            sets.append(FreeSet(steps.columns[k], sign, sign * steps.bounds[k]))
        return sets

    def _hypercube(self, z: Floats, part: Part) -> FreeSet:
        """Inside, no whole decision but that of ``z``. What the part's bounds say already is left out."""
        links = self._extended.links
        x = np.rint(z[links])
        above, below = x + 1 <= part.upper[links], x - 1 >= part.lower[links]
        return FreeSet(
            np.concatenate([links[above], links[below]]),
            np.concatenate([np.ones(int(above.sum())), -np.ones(int(below.sum()))]),
            np.concatenate([x[above] + 1, 1 - x[below]]),
        )
