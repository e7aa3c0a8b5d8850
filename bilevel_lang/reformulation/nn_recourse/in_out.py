"""Where to make cuts: between the best point so far and what the master proposes (Ben-Ameur and Neto 2007, Networks 49:3)."""

from __future__ import annotations

import numpy as np

from bilevel_lang.solvers.program import Floats

HALF = 0.5
"""Weight of the best point."""

GAINED = 0.05
"""A share of the gap by which the bound has to rise; otherwise the next point is nearer to the master's."""

LEAST = 0.05
"""A weight below that is none: the point is the master's own."""


class InOut:
    """The best point ``centre`` (n1,) so far, None where none is known, and its ``value``."""

    def __init__(self, start: Floats | None) -> None:
        self.centre, self.value = start, np.inf
        self._weight, self._bound = HALF, -np.inf

    def between(self, proposed: Floats, bound: float) -> Floats:
        """The next point, with what the master proposes and has proven."""
        if self.centre is None:
            return proposed
        if not np.isfinite(self.value):
            return self.centre
        if np.isfinite(self._bound) and bound - self._bound <= GAINED * (self.value - self._bound):
            self._weight = self._weight / 2 if self._weight > LEAST else 0.0
        self._bound = bound
        return self._weight * self.centre + (1 - self._weight) * proposed

    def enter(self, point: Floats, value: float) -> None:
        """What ``point`` costs, +inf where it has no answer."""
        if value < self.value:
            self.centre, self.value, self._weight = point, value, HALF
        elif not np.isfinite(self.value):
            # The start was none: begin with what the master says.
            self.centre = None
