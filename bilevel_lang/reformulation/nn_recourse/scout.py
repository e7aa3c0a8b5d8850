"""Decisions by the relaxed second stage: all scenarios as LPs, many decisions a second, from neighbour to neighbour.

Where one decision takes minutes to evaluate, few can be: which ones is found out here. Every relaxed cost is a bound of the true
one.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from bilevel_lang.reformulation.nn_recourse.cuts import Cuts
from bilevel_lang.reformulation.nn_recourse.decisions import Decisions
from bilevel_lang.reformulation.stochastic.arrays import TwoStageArrays
from bilevel_lang.reformulation.stochastic.expectation import expected
from bilevel_lang.reformulation.stochastic.second_stage import SecondStage
from bilevel_lang.solvers.program import Floats

TOGETHER = 20
"""Decisions that are asked about at once: each goes on from the basis of another one, and the first gain is taken."""


@dataclass(frozen=True, eq=False)
class Scouted:
    """``x`` (n1,), with the relaxed costs (S,) of the scenarios there and ``total``, a minimisation; +inf without an answer.

    ``rounding`` (S,): what whole numbers are likely to cost more; it is in the ``total``, and no bound.
    """

    key: bytes
    x: Floats
    relaxed: Floats
    total: float
    rounding: Floats | None = None

    @property
    def expected(self) -> Floats:
        """(S,): what the scenarios are expected to cost, which is not proven."""
        return self.relaxed if self.rounding is None else self.relaxed + self.rounding


class Scout:
    """Of the scenarios of ``arrays``, some or all of those that the program has; ``cuts`` of them gets some more.

    ``until``: a reading of ``time.perf_counter``. ``share``: of the rounding that goes into what is found from then on.
    """

    def __init__(self, arrays: TwoStageArrays, decisions: Decisions, until: float | None, cuts: Cuts | None = None) -> None:
        self.arrays, self.decisions, self.until = arrays, decisions, until
        self.stage = SecondStage(arrays, relaxed=True, deadline=until)
        self.cuts = Cuts(arrays) if cuts is None else cuts
        self.found: dict[bytes, Scouted] = {}
        self.share = 0.0

    @property
    def late(self) -> bool:
        """Whether the time is over."""
        return self.until is not None and time.perf_counter() >= self.until

    def stop_at(self, until: float | None) -> None:
        """Another deadline from now on."""
        self.until = until
        self.stage.stop_at(until)

    def reweigh(self, share: float) -> None:
        """Another ``share``, for what is known, too; from one that is not 0."""
        for key, old in self.found.items():
            if old.rounding is not None:
                rounding = share / self.share * old.rounding
                total = old.total + float(self.arrays.probabilities @ (rounding - old.rounding))
                self.found[key] = Scouted(key, old.x, old.relaxed, total, rounding)
        self.share = share

    def best(self) -> Scouted | None:
        """The decision that costs least with the second stage relaxed."""
        return min((s for s in self.found.values() if np.isfinite(s.total)), key=lambda s: s.total, default=None)

    def ask(self, points: Floats, below: float = np.inf) -> list[Scouted]:
        """What is found of ``points`` (k, inputs), the new ones among them, that cuts do not prove to cost ``below`` or more.

        Fewer where time is over; a decision that no row of the first stage allows is left out.
        """
        fresh: dict[bytes, Floats] = {}
        for point in points:
            x = self.decisions.completed(point)
            if x is not None and key_of(x) not in self.found:
                # A zero with a sign is another key, and another point to whoever compares them.
                fresh[key_of(x)] = x + 0.0
        if not fresh:
            return []
        keys, xs = list(fresh), np.array(list(fresh.values()))
        first = np.array([self.cuts.first_cost(x) for x in xs])
        lower = first + self.cuts.expected(xs) if self.cuts.slopes else np.full(len(xs), -np.inf)
        chosen = np.flatnonzero(lower < below)
        found = self.stage.costs(xs[chosen]) if len(chosen) else None
        if found is None:
            return []
        more = np.zeros_like(found.values) if found.rounding is None else self.share * found.rounding
        total = first[chosen] + expected(found.values + more, self.arrays.probabilities)
        new = [Scouted(keys[k], xs[k], v, float(t), m) for k, v, t, m in zip(chosen, found.values, total, more, strict=True)]
        self.found.update({s.key: s for s in new})
        best = int(total.argmin())
        if np.isfinite(total[best]) and found.slopes is not None:
            self.cuts.add(xs[chosen[best]], found.values[best], found.slopes[best])
        return new

    def descend(self, start: Floats) -> Scouted | None:
        """From ``start`` (inputs,) to better neighbours until there is none, or no time; None without a first answer."""
        self.ask(start[None])
        x = self.decisions.completed(start)
        here = None if x is None else self.found.get(key_of(x))
        while here is not None and not self.late:
            better = self._better(here)
            if better is None:
                return here
            here = better
        return here

    def _better(self, here: Scouted) -> Scouted | None:
        """A neighbour that costs less, the best of the first few of which one does; None where there is none."""
        points = self.promising(self.decisions.around(here.x[self.decisions.seen]))
        known = [s for s in self.known(points) if s.total < here.total]
        if known:
            return min(known, key=lambda s: s.total)
        for start in range(0, len(points), TOGETHER):
            new = [s for s in self.ask(points[start : start + TOGETHER], here.total) if s.total < here.total]
            if new:
                return min(new, key=lambda s: s.total)
            if self.late:
                break
        return None

    def promising(self, points: Floats) -> Floats:
        """``points`` (k, inputs) in the order of what cuts say of them; those first of which they say little."""
        if not self.cuts.slopes or not len(points):
            return points
        wide = np.zeros((len(points), len(self.cuts.cost)))
        wide[:, self.decisions.seen] = points
        return np.asarray(points[np.argsort(wide @ self.cuts.cost + self.cuts.expected(wide), kind="stable")])

    def known(self, points: Floats) -> list[Scouted]:
        """What was found of ``points`` (k, inputs) before, each once."""
        completed = (self.decisions.completed(p) for p in points)
        keys = dict.fromkeys(key_of(x) for x in completed if x is not None)
        return [self.found[key] for key in keys if key in self.found]


def key_of(x: Floats) -> bytes:
    """By which a first stage (n1,) is known."""
    return bytes((np.round(x, 9) + 0.0).tobytes())
