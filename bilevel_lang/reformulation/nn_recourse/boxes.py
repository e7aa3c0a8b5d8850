"""The bound where the second stage is looked up in a list: boxes of first-stage decisions, halved from the least bound on.

Over a box each scenario has the loosest sides that any decision in it leaves, and its best answer for them is no dearer than that
for any decision; the first stage costs at least what the cheapest one in the box does. The cost of an integer second stage is
constant between the places where a row becomes tight, so that small boxes are proven exactly. Branching on what the second stage
sees of the first: Ahmed, Tawarmalani and Sahinidis 2004, "A finite branch-and-bound algorithm for two-stage stochastic integer
programs", Mathematical Programming 100:355.
"""

from __future__ import annotations

import sys
import time

import numpy as np

from bilevel_lang.reformulation.nn_recourse.archive import Known
from bilevel_lang.reformulation.nn_recourse.neighbourhood import Neighbourhood
from bilevel_lang.reformulation.nn_recourse.polishing import can_be_polished, polished
from bilevel_lang.reformulation.stochastic.arrays import TwoStageArrays
from bilevel_lang.solvers.program import Floats

TOGETHER = 2_000_000
"""Pairs of a box and a scenario that are looked up at once, and boxes at most."""
MOST_TOGETHER = 200

EFFORT, MOST_LOOKED_AT = 5e9, 200_000
"""Comparisons, and boxes, where there is no time limit: about half a minute."""

KEPT = 20_000_000
"""Sides of open boxes, which bounds the memory."""

EVERY = 2.0
"""Seconds between two lines of progress."""

MOVED = 5
"""Decisions of boxes that are moved to where rows become tight, in a round."""

BESIDE = 0.3
"""Share of its width as which that of a whole column counts that the second stage does not see: rows mostly decide it, once it is
known that what it switches is used."""

SNAP = 1e-9

NARROW = 1e-10
"""Of the width of all decisions: what is narrower is not halved."""


class Boxes:
    """``near`` has the archive, which gets decisions of the boxes; ``tolerance`` is relative. ``bound``: of a minimisation.

    Boxes are of all columns of the first stage: those that the second stage sees are halved, and whole ones beside them, such as
    the switch of a capacity that has a fixed cost.
    """

    def __init__(self, near: Neighbourhood, tolerance: float, verbose: bool = False) -> None:
        self.near, self.archive, self.tolerance, self.verbose = near, near.archive, tolerance, verbose
        self._began = self._told = time.perf_counter()
        decisions = near.archive.decisions
        inside = decisions.domain
        self.whole, self.width = inside.integer, np.maximum(inside.upper - inside.lower, 1e-300)
        self._weights = np.where(inside.integer, BESIDE, 0.0)
        self._weights[decisions.seen] = 1.0
        self.bound, self.looked_at = -np.inf, 0
        self._lower, self._upper = inside.lower[None, :].copy(), inside.upper[None, :].copy()
        self._bounds = self._bounds_of(self._lower, self._upper)
        self._least_closed = np.inf
        self._loose = _loosest(near.arrays)
        self._reaches = can_be_polished(near.arrays) and _equalities(near.arrays)
        self._rounds = 0

    def run(self, deadline: float | None) -> None:
        """Until the bound meets the best decision, or ``deadline``, a reading of ``time.perf_counter``, or :data:`EFFORT`."""
        left = np.inf if deadline is not None else min(MOST_LOOKED_AT, EFFORT / max(1.0, self.archive.stage.effort))
        together = int(np.clip(TOGETHER // self.archive.stage.arrays.scenarios, 2, MOST_TOGETHER))
        self._prune()
        while len(self._bounds) and self.looked_at < left and self._lower.size < KEPT and not self.archive.late:
            if deadline is not None and time.perf_counter() >= deadline:
                break
            order = np.argsort(self._bounds, kind="stable")[:together]
            lower, upper = self._lower[order], self._upper[order]
            self._ask(lower, upper)
            rest = np.ones(len(self._bounds), dtype=bool)
            rest[order] = False
            lower, upper = self.archive.decisions.tightened(*self._halves(lower, upper))
            some = (lower <= upper).all(axis=1)
            lower, upper = lower[some], upper[some]
            self._lower, self._upper = np.vstack([self._lower[rest], lower]), np.vstack([self._upper[rest], upper])
            self._bounds = np.concatenate([self._bounds[rest], self._bounds_of(lower, upper)])
            self._prune()
            self._tell()
        self._tell(last=True)

    def _bounds_of(self, lower: Floats, upper: Floats) -> Floats:
        """(k,) proven of every decision's total in the boxes from ``lower`` to ``upper`` (k, n1); +inf: there is none."""
        self.looked_at += len(lower)
        return self.archive.decisions.floors(lower, upper) + self.archive.cuts.constant + self.archive.stage.floors(lower, upper)

    def _prune(self) -> None:
        """Without boxes that have nothing better, beyond the tolerance."""
        best = self.archive.best
        limit = np.inf if best is None else best.total - self.tolerance * max(1.0, abs(best.total))
        left = self._bounds < limit
        self._least_closed = min(self._least_closed, float(self._bounds[~left].min(initial=np.inf)))
        self._lower, self._upper, self._bounds = self._lower[left], self._upper[left], self._bounds[left]
        self.bound = max(self.bound, min(self._least_closed, float(self._bounds.min(initial=np.inf))))

    def _tell(self, last: bool = False) -> None:
        """Progress on stderr, every :data:`EVERY` seconds, where it is wanted."""
        now = time.perf_counter()
        if not self.verbose or (now < self._told + EVERY and not last):
            return
        self._told, sense, best = now, self.archive.stage.arrays.sense, self.archive.best
        value, proven = ("-" if best is None else f"{sense * best.total:.8g}"), f"{sense * self.bound:.8g}"
        open_ = len(self._bounds)
        sys.stderr.write(f"{now - self._began:7.1f}s  {self.looked_at:,} boxes, {open_:,} open; best {value}, bound {proven}\n")

    def _ask(self, lower: Floats, upper: Floats) -> None:
        """About the middle of each box, or, every other time, about its corner with the loosest sides; the best ones are moved.

        Only the corner is in the cell of a best decision that lies at a bound, such as nothing invested.
        """
        self._rounds += 1
        inside = self.archive.decisions.domain
        points = lower + (self._loose if self._rounds % 2 else 0.5) * (upper - lower)
        points = np.where(self.whole, np.floor(points), points)
        # What follows from rows is off by a last digit, which a switch would have to be paid for.
        for end in (inside.lower, inside.upper):
            points = np.where(np.abs(points - end) < SNAP, end, points)
        before = len(self.archive.known)
        self.archive.ask(points[:, self.archive.decisions.seen])
        for k in range(min(MOVED, len(lower)) if self._reaches else 0):
            self._reach(lower[k], upper[k])
        fresh: list[Known] = [
            k for k in list(self.archive.known.values())[before:] if k is not None and k.total < self._hopeful()
        ]
        for known in sorted(fresh, key=lambda k: k.total)[:MOVED]:
            self.near.polish(known)

    def _reach(self, lower: Floats, upper: Floats) -> None:
        """About the decision at which the answers to the loosest sides of a box meet every row: no middle of a box and no corner
        need be one that meets an equality."""
        middle = 0.5 * (lower + upper)
        y = self.archive.stage.loosest_responses(lower, upper)
        x = polished(self.near.arrays, np.where(self.whole, np.floor(middle), middle), y)
        if x is not None:
            self.archive.ask(x[None, self.archive.decisions.seen])

    def _hopeful(self) -> float:
        """A decision that costs as much more than the best one as that is above the bound is not worth moving."""
        best = self.archive.best
        return np.inf if best is None or self.bound == -np.inf else best.total + (best.total - self.bound)

    def _halves(self, lower: Floats, upper: Floats) -> tuple[Floats, Floats]:
        """Two boxes of each, across its widest side; those that are too narrow are closed with what is proven of them."""
        share = np.where(self.whole & (upper - lower < 1.0), 0.0, self._weights * (upper - lower) / self.width)
        wide = share.max(axis=1) > NARROW
        if not wide.all():
            self._least_closed = min(self._least_closed, float(self._bounds_of(lower[~wide], upper[~wide]).min()))
        lower, upper, side = lower[wide], upper[wide], share[wide].argmax(axis=1)
        each = np.arange(len(side))
        middle = 0.5 * (lower[each, side] + upper[each, side])
        left, right = upper.copy(), lower.copy()
        left[each, side] = np.where(self.whole[side], np.floor(middle), middle)
        right[each, side] = np.where(self.whole[side], np.floor(middle) + 1.0, middle)
        return np.vstack([lower, right]), np.vstack([left, upper])


def _equalities(arrays: TwoStageArrays) -> bool:
    """Whether a row of the second stage with a decision in it has equal sides in some scenario."""
    decided = np.diff(arrays.technology.tocsr().indptr) > 0
    return bool(((arrays.everywhere("row_lower") == arrays.everywhere("row_upper")) & decided).any())


def _loosest(arrays: TwoStageArrays) -> Floats:
    """(n1,): 0 for columns that leave the second stage more room at their lower bound, 1: at their upper one, 0.5: it depends."""
    above = np.isfinite(arrays.everywhere("row_upper")).any(axis=0)
    below = np.isfinite(arrays.everywhere("row_lower")).any(axis=0)
    taken = np.asarray((above.astype(float) - below) @ arrays.technology).ravel()
    return np.asarray(0.5 - 0.5 * np.sign(taken))
