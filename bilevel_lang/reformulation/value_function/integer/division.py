"""How a part of the tree is divided at a whole point that is no solution: by an answer, or by what can stop a step."""

from __future__ import annotations

import numpy as np

from bilevel_lang.reformulation.value_function.integer.directions import Directions
from bilevel_lang.reformulation.value_function.integer.disjunctions import Change, Disjunctions
from bilevel_lang.reformulation.value_function.integer.extended import Extended
from bilevel_lang.reformulation.value_function.integer.part import Part
from bilevel_lang.solvers.matrix import Ints
from bilevel_lang.solvers.program import Floats


class Division:
    """It shares the pool of answers and the steps with the rest of the search."""

    def __init__(self, extended: Extended, pool: Disjunctions, directions: Directions | None) -> None:
        self._extended, self._pool, self._directions = extended, pool, directions

    def answer(self, z: Floats, part: Part) -> int | None:
        """The number of the answer to divide by: one that ``z`` violates, and that the fewest rows can block, or None."""
        sigma = self._extended.rows.sigma(z[: self._extended.n])
        numbers = self._pool.violated(sigma, float(self._extended.value_cost @ z[: self._extended.n]))
        if not numbers.size:
            return None
        _, sigma_up = part.sigma_range()
        counts = (sigma_up[None, :] > self._pool.thresholds[numbers] + 0.5).sum(axis=1)
        return int(numbers[np.lexsort((self._pool.values[numbers], counts))[0]])

    def blockers(self, number: int, part: Part) -> Ints:
        """The rows that can block an answer."""
        _, sigma_up = part.sigma_range()
        found: Ints = np.flatnonzero(sigma_up > self._pool.thresholds[number] + 0.5)
        return found

    def by_answer(self, number: int, rows: Ints) -> list[list[Change]]:
        """No row blocks the answer and its value is reached; or the first row that does is the k-th."""
        thresholds = self._pool.thresholds[number]
        children: list[list[Change]] = []
        left_alone: list[Change] = []
        for r in rows.tolist():
            children.append([*left_alone, self._pool.block(r, thresholds[r])])
            left_alone.append(self._pool.leave(r, thresholds[r]))
        return [[*left_alone, self.reached(number)], *children]

    def reached(self, number: int) -> Change:
        """The bound that the value gets where nothing blocks the answer."""
        return Change(self._extended.value, True, self._pool.admitted(self._pool.responses[number].value))

    def by_step(self, z: Floats, part: Part, most: int) -> list[list[Change]] | None:
        """The children by what stops a step that ``z`` admits, if there are fewer than ``most``; None otherwise."""
        steps = self._directions
        if steps is None:
            return None
        violated = steps.violated(z)
        if not violated.size:
            steps.find(z)
            violated = steps.violated(z)
            if not violated.size:
                return None
        can, _ = steps.state(part.lower, part.upper)
        counts = np.bincount(steps.clause, can, minlength=steps.count)[violated]
        if counts.min() >= most:
            return None
        chosen = violated[int(np.argmin(counts))]
        return [[steps.literal(int(k))] for k in np.flatnonzero(can & (steps.clause == chosen))]

    def by_decision(self, z: Floats, part: Part) -> list[list[Change]]:
        """The decision of the leader at ``z`` in one child, all others in two more, by the first linking column that is open."""
        links = self._extended.links
        j = int(links[np.flatnonzero(part.lower[links] < part.upper[links])[0]])
        x = float(np.rint(z[j]))
        return [[Change(j, True, x - 1)], [Change(j, False, x), Change(j, True, x)], [Change(j, False, x + 1)]]
