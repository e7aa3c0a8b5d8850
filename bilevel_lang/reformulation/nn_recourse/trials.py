"""Decisions that are tried scenario after scenario, the one that may be best next, until they are clearly behind the best."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from bilevel_lang.reformulation.nn_recourse.archive import Archive
from bilevel_lang.reformulation.nn_recourse.contender import Contender, Premiums, typical_spread
from bilevel_lang.reformulation.nn_recourse.scout import Scouted
from bilevel_lang.solvers.program import Floats

HOPE = 2.0
"""Standard deviations that a decision may do better than is expected of it, when it is chosen to be tried."""


class Trials:
    """``ask`` says what a scenario costs at a decision, value and bound, None where there is no time; ``order`` (S,) is that of
    the scenarios for all decisions. ``tried``: by key, those that were."""

    def __init__(
        self, archive: Archive, order: np.ndarray, weights: Floats, ask: Callable[[int, Floats], tuple[float, float] | None]
    ) -> None:
        self.archive, self.order, self.weights, self.ask = archive, order, weights, ask
        self.tried: dict[bytes, Contender] = {}

    def next(self, pool: Iterable[Scouted], best: Contender | None) -> Scouted | None:
        """Of those in ``pool`` that are not tried the decision that may be the best one; None where none is likely to be."""
        open_ = [s for s in pool if s.key not in self.tried and math.isfinite(s.total)]
        if not open_:
            return None
        hoped = self.hoped(open_)
        chosen = int(hoped.argmin())
        return None if best is not None and hoped[chosen] > best.estimate() else open_[chosen]

    def hoped(self, scouted: Sequence[Scouted]) -> Floats:
        """(k,): what was scouted and what it is expected to cost more, less :data:`HOPE` standard deviations of that."""
        if not scouted:
            return np.zeros(0)
        box = self.archive.decisions.domain
        premiums = Premiums(self.tried.values(), box.lower, box.upper - box.lower, self.archive.cuts.cost)
        points = np.array([s.x for s in scouted])
        return np.array([s.total for s in scouted]) + np.maximum(0.0, premiums(points) - HOPE * premiums.doubt(points))

    def begin(self, chosen: Scouted) -> Contender:
        """A decision that was not tried."""
        self.tried[chosen.key] = one = Contender(chosen, self.order, self.weights)
        return one

    def advance(self, one: Contender, count: int, rival: Contender | None, late: Callable[[], bool]) -> None:
        """Try ``one`` on up to ``count`` scenarios, as long as it is not clearly behind the ``rival``."""
        spread = typical_spread(self.tried.values())
        while one.tried < count and not late():
            found = self.ask(int(self.order[one.tried]), one.scouted.x)
            if found is None:
                return
            one.enter(*found)
            if rival is not None and rival is not one and one.behind(rival, spread):
                return
