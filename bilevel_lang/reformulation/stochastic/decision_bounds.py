"""What every one of a list of first-stage decisions costs at least, by cuts that all scenarios share.

1. The second stage is relaxed in a few scenarios at the decision that looks best, over and over. What the multipliers prove goes
   to all decisions in all of these scenarios (:mod:`.side_cuts`), so that soon only good decisions look good.
2. The same in ten times as many scenarios, which begin with all cuts there are, and so on, until it is all of them.
3. Whoever asks gets the decision of the least bound, with its relaxation solved there; once he knows a true cost, decisions whose
   bound reaches it need no further look.

The LP is solved a little inside: beside a decision that builds nothing at a place the multipliers may say anything of building
there, and those that hold for a little of it are the best (Magnanti and Wong 1981, Operations Research 29:464).
"""

from __future__ import annotations

import time

import numpy as np

from bilevel_lang.reformulation.stochastic.borders import borders_at
from bilevel_lang.reformulation.stochastic.expectation import mixed
from bilevel_lang.reformulation.stochastic.side_cuts import SideCuts, SideStage, joined
from bilevel_lang.solvers.matrix import Flags, Ints
from bilevel_lang.solvers.program import Floats

FIRST, GROWTH = 20, 10
"""Scenarios of the first step, and how many times more of them the next one has."""

INSIDE = 1e-3
"""Of the way from a decision to the middle of all: where the LP is solved first."""

SHARED = 50
"""Cuts that each look gives to all scenarios; each scenario's own is its own in any case."""

POOL, WORK = 3_000, 4_000_000_000
"""Latest cuts that a step begins with, and products of them with scenarios and decisions: some seconds."""

PROVING = 200_000_000
"""The same where time is over and a bound of all scenarios is wanted: some tenths of a second."""

MARGIN = 5e-3
"""Relative, in a step with some of the scenarios: up to so much above the best decision the others are told apart."""

BLOCK = 64
"""Decisions that a cut is given to at once: what is written stays near the processor."""


class DecisionBounds:
    """Of ``points`` (k, n1) with ``first`` (k,), their own costs; ``weights`` (S,) of scenarios. ``rounds`` counts looks.

    ``totals`` (k,) are proven: at most what each decision costs, +inf where it leaves a scenario without an answer. ``deadline``
    is a reading of ``time.perf_counter``; with another one it goes on from where it was.
    """

    def __init__(
        self, stage: SideStage, points: Floats, first: Floats, weights: Floats, deadline: float | None = None, seed: int = 0
    ) -> None:
        self.stage, self.points, self.first, self.deadline = stage, points, first, deadline
        self.weights, self.rounds = weights, 0
        self.totals = np.full(len(points), -np.inf)
        self._order = mixed(weights, seed)
        self._cuts: list[SideCuts] = []
        self._step: _Step | None = None

    def begin(self) -> None:
        """The first step alone: :meth:`promising` has something to say after it."""
        if len(self.points):
            self._settle(self._first(), None)

    def lowest(self, limit: float = np.inf) -> int | None:
        """The place of the least total, where that is below ``limit``, after its relaxation was solved; None where none is, or
        where time is over. Raises as :meth:`SideStage.at`."""
        if not len(self.points):
            return None
        step = self._whole()
        return None if step is None else self._settle(step, limit)

    def promising(self) -> list[int]:
        """Places in the order in which they look good by now, those whose relaxation was solved first; none before
        :meth:`begin`."""
        if self._step is None:
            return []
        totals = np.where(np.isposinf(self.totals), np.inf, self._step.totals)
        order = np.lexsort((totals, self._step.looks < 2))
        return [int(place) for place in order if totals[place] < np.inf]

    def prove(self) -> None:
        """Give all scenarios the latest cuts, where the last step was not reached: then there is a bound, whatever the time.

        The deadline is off afterwards.
        """
        if self._step is None or self._step.whole or not self._cuts:
            return
        self.deadline = None
        step = _Step(self, np.arange(len(self.weights)))
        most = max(1, PROVING // (len(self.points) * len(self.weights)))
        step.share(joined(self._cuts).distinct().some(slice(-most, None)))
        self.totals = np.maximum(self.totals, step.totals)

    def close(self, place: int) -> None:
        """Whoever asks knows better: not to be given again, and out of :attr:`least`."""
        self.totals[place] = np.inf

    def costs(self, place: int) -> Floats:
        """(S,): proven of each scenario's second stage at a decision that :meth:`lowest` has given."""
        assert self._step is not None
        return self._step.costs(place)

    @property
    def least(self) -> float:
        """Proven of all decisions that are not closed."""
        return float(self.totals.min(initial=np.inf))

    @property
    def late(self) -> bool:
        """Whether the deadline has passed."""
        return self.deadline is not None and time.perf_counter() >= self.deadline

    def _first(self) -> _Step:
        if self._step is None:
            self._step = self._made(min(FIRST, len(self.weights)))
        return self._step

    def _whole(self) -> _Step | None:
        """The step of all scenarios; None where time is over before."""
        step = self._first()
        while not step.whole:
            self._settle(step, None)
            following = self._made(min(GROWTH * len(step.chosen), len(self.weights)))
            if self._cuts:
                most = max(SHARED, min(POOL, WORK // (len(self.points) * len(following.chosen))))
                following.share(joined(self._cuts).distinct().some(slice(-most, None)))
            if self.late:
                return None
            self._step = step = following
        if step.totals is not self.totals:
            # What is known of decisions already, those that are closed among them, stays.
            step.totals = self.totals = np.maximum(self.totals, step.totals)
        return step

    def _made(self, count: int) -> _Step:
        return _Step(self, np.sort(self._order[:count]))

    def _settle(self, step: _Step, limit: float | None) -> int | None:
        """Looks until the least total of ``step`` is one that is looked at; without a limit, until all that are near are."""
        while not self.late:
            place = step.least_open(limit)
            if place is None:
                return None
            if step.looks[place] == 2:
                return place
            self._look(step, place)
        return None

    def _look(self, step: _Step, place: int) -> None:
        """At first a little inside, then at the decision itself."""
        point = self.points[place]
        if step.looks[place] == 0:
            point = (1 - INSIDE) * point + INSIDE * self.points.mean(axis=0)
        found = self.stage.at(point, step.chosen, self.deadline)
        if found is None:
            return
        self.rounds += 1
        step.looks[place] += 1
        if not found.possible.all() and step.looks[place] == 2:
            # What is without an answer in some scenarios is so in all, and other decisions are for the same reason.
            borders = borders_at(self.stage.arrays, point, step.chosen[~found.possible], self.deadline)
            out = borders.beyond(self.points)
            out[place] = True
            step.totals[out] = self.totals[out] = np.inf
        if found.possible.any():
            step.own(found.cuts, found.possible)
            cuts = found.cuts.distinct()
            some = np.unique(np.linspace(0, len(cuts.constants) - 1, SHARED).astype(np.int64))
            self._cuts.append(cuts.some(some))
            step.share(self._cuts[-1])


class _Step:
    """The decisions of ``bounds`` in the scenarios ``chosen`` (c,). ``looks`` (k,): 2 where the relaxation is solved.

    Decisions that are no longer of interest keep the total that they had and get no further cuts.
    """

    def __init__(self, bounds: DecisionBounds, chosen: Ints) -> None:
        self.stage, self.points, self.first, self.chosen = bounds.stage, bounds.points, bounds.first, chosen
        self._bounds, self.whole = bounds, len(chosen) == len(bounds.weights)
        weights = bounds.weights[chosen]
        self.weights = weights / weights.sum() if len(chosen) < len(bounds.weights) and weights.sum() else weights
        self.rows = np.arange(len(self.points))
        self.looks = np.zeros(len(self.points), dtype=np.int64)
        self.totals = np.where(np.isposinf(bounds.totals), np.inf, -np.inf)
        self._values = np.full((len(self.points), len(chosen)), -np.inf)

    def costs(self, place: int) -> Floats:
        """(c,) of the scenarios at a decision of interest."""
        found: Floats = self._values[int(np.searchsorted(self.rows, place))].copy()
        return found

    def least_open(self, limit: float | None) -> int | None:
        """Where the least total is, looked at or not, if it is below ``limit``.

        Without a limit: where the least one is of those that are not looked at and near the best, or None.
        """
        if limit is not None:
            self._leave(limit)
            place = int(self.totals.argmin())
            return place if self.totals[place] < limit else None
        seen = self.totals[self.looks == 2].min(initial=np.inf)
        waiting = np.where(self.looks == 2, np.inf, self.totals)
        place = int(waiting.argmin())
        return place if waiting[place] < seen + MARGIN * abs(seen) else None

    def own(self, cuts: SideCuts, possible: Flags) -> None:
        """To each scenario that is ``possible`` (c,) its own cut."""
        mine = np.flatnonzero(possible)
        offsets = self.stage.own_offsets(cuts, self.chosen[mine])
        for begin in range(0, len(self.rows), BLOCK):
            block = slice(begin, begin + BLOCK)
            new = self.points[self.rows[block]] @ cuts.slopes.T + offsets
            self._values[block, mine] = np.maximum(self._values[block][:, mine], new)
        self._add_up()

    def share(self, cuts: SideCuts) -> None:
        """All cuts to all scenarios; what there is no time for goes without."""
        offsets = self.stage.offsets(cuts, self.chosen)
        for begin in range(0, len(self.rows), BLOCK):
            if self._bounds.late:
                break
            values = self._values[begin : begin + BLOCK]
            at = self.points[self.rows[begin : begin + BLOCK]] @ cuts.slopes.T
            room = np.empty_like(values)
            for i in range(len(offsets)):
                np.add.outer(at[:, i], offsets[i], out=room)
                np.maximum(values, room, out=values)
        self._add_up()

    def _add_up(self) -> None:
        paid = self.weights > 0
        sums = self.first[self.rows] + self._values[:, paid] @ self.weights[paid]
        self.totals[self.rows] = np.maximum(self.totals[self.rows], sums)

    def _leave(self, limit: float) -> None:
        """Forget the scenarios of decisions that have reached the limit, where that is half of them."""
        kept = self.totals[self.rows] < limit
        if 2 * int(kept.sum()) < len(self.rows):
            self.rows, self._values = self.rows[kept], self._values[kept]
