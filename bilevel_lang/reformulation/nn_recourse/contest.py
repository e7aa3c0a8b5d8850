"""The best of decisions that take long to evaluate: few are, and only those that much speaks for.

1. Relaxed costs of some scenarios lead from neighbour to neighbour, then those of all (:mod:`.scout`).
2. The decisions that look best are tried on a few scenarios (:mod:`.probe`). What they cost more than their LPs is learned on the
   way (:class:`~.contender.Premiums`), with how sure that is, and says whom to try next and where to look for others.
3. The better half is tried on twice as many scenarios, until few are left.
4. They are solved in every scenario, the most promising one first, the others until it is clear that they are no better.

Steps 2 to 4 are repeated around a new best one while there is time.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Sequence

import numpy as np

from bilevel_lang.reformulation.nn_recourse.archive import Archive
from bilevel_lang.reformulation.nn_recourse.contender import Contender, Premiums, ranked, typical_spread
from bilevel_lang.reformulation.nn_recourse.decisions import Decisions
from bilevel_lang.reformulation.nn_recourse.finalists import Finalists
from bilevel_lang.reformulation.nn_recourse.probe import Probe
from bilevel_lang.reformulation.nn_recourse.scout import Scout, Scouted
from bilevel_lang.reformulation.options import Options
from bilevel_lang.reformulation.stochastic.arrays import TwoStageArrays
from bilevel_lang.solvers.program import Floats

BUDGET = 600.0
"""Seconds that the shares below are of, where there is no time limit."""

COARSE_SHARE, FINE_SHARE, TRIAL_SHARE, CLOSE_SHARE = 0.15, 0.25, 0.5, 0.6
"""Of the time: when each of the first steps is over at the latest. What is left is for the finalists."""

COARSE = 10
"""Scenarios of the first search."""

STARTS = 6
"""Decisions that the first search starts from."""

DRAWN = 200
"""Decisions all over the box of which the best are starts."""

TRIED_ON = 12
"""Scenarios that a decision is tried on before others are preferred to it."""

MOST_TRIED = 300
"""Decisions that are tried."""

AROUND = 30
"""Decisions that are asked about in all scenarios at once, those that may be best by some scenarios."""

HOPE = 2.0
"""Standard deviations that a decision may do better than is expected of it, when it is chosen to be tried."""

PATIENT = 10
"""Times that more decisions are looked at without finding a better one."""

KEPT = 32
"""Decisions that are tried on more scenarios."""

GAP = 1e-2
"""Relative gap at which a scenario is left while decisions are compared."""

TRIALS = 200
"""It is left anyway after this part of the contest's time: few scenarios are that hard, and they took most of it."""

RESERVED = 1.5
"""Times what one decision takes in all scenarios, as measured: kept for the first finalist, whatever the shares say."""

LONG = 120.0
"""Seconds of sampling that are not too many, where there is no time limit."""

MEASURED, PATIENCE = 6, 2.0
"""Scenarios that are solved to measure how long one takes, and seconds after which one is left."""


def seconds_each(arrays: TwoStageArrays, decisions: Decisions) -> float:
    """How long one scenario takes at one decision, by a few of them."""
    probe = Probe(arrays, GAP)
    points = [x for x in map(decisions.completed, decisions.sample(MEASURED)) if x is not None]
    for number, x in enumerate(points):
        probe(number * arrays.scenarios // len(points), x, PATIENCE)
    return probe.seconds / max(1, probe.solves)


def takes_long(each: float, scenarios: int, samples: int, seconds: float) -> str | None:
    """What to tell the user where ``samples`` decisions in all ``scenarios``, of ``each`` seconds, take more than ``seconds``.

    None where they do not.
    """
    whole = each * scenarios
    total = whole * samples
    if total <= (seconds if np.isfinite(seconds) else LONG):
        return None
    return (
        f"one scenario takes about {each:.2g} s and one decision in all {scenarios:,} about {whole:,.0f} s: {samples:,} "
        f"of them would take {total:,.0f} s"
    )


class Contest:
    """Of the decisions of ``archive``, which gets what is known in the end, and the cuts that are made on the way."""

    def __init__(self, arrays: TwoStageArrays, archive: Archive, options: Options, deadline: float | None) -> None:
        self.arrays, self.archive, self.options, self.deadline = arrays, archive, options, deadline
        self.began = time.perf_counter()
        self.seconds = BUDGET if deadline is None else max(1.0, deadline - self.began)
        decisions = archive.decisions
        self.order = np.random.Generator(np.random.Philox(options.seed)).permutation(arrays.scenarios)
        few = np.sort(self.order[: min(COARSE, arrays.scenarios)])
        weights = arrays.probabilities[few]
        self.coarse = Scout(arrays.restricted(few, weights / weights.sum()), decisions, self._until(COARSE_SHARE))
        self.fine = Scout(arrays, decisions, self._until(FINE_SHARE), archive.cuts)
        self.trial_over, self.close_over = self._until(TRIAL_SHARE), self._until(CLOSE_SHARE)
        self.probe = Probe(arrays, min(options.gap or GAP, GAP), deadline)
        self.tried: dict[bytes, Contender] = {}
        self.searched: set[bytes] = set()
        self.said: list[str] = []

    def run(self) -> None:
        """All four steps, the last three again while there is time and something to try; the time limit ends each of them."""
        self._scout()
        final = Finalists(self.archive, self.probe, self.deadline, self._tell)
        before = -1
        while before < len(self.tried) and not final.over:
            before = len(self.tried)
            self._try_out(final.leader)
            self._tell_close()
            final.run(ranked(self.tried.values()))
            self._share_out(final.until or self._until(1.0))
        final.sharpen()
        self.said.append(self._summary())

    # --- 1. Relaxed costs.

    def _scout(self) -> None:
        decisions = self.archive.decisions
        drawn = self.coarse.ask(decisions.sample(DRAWN))
        order = sorted((s for s in drawn if math.isfinite(s.total)), key=lambda s: s.total)
        for start in order[:STARTS]:
            self.coarse.descend(start.x[decisions.seen])
        self._tell(
            f"{len(self.coarse.found):,} decisions relaxed in {self.coarse.arrays.scenarios} scenarios", self.coarse.best()
        )
        order = sorted((s for s in self.coarse.found.values() if math.isfinite(s.total)), key=lambda s: s.total)
        self.fine.ask(np.array([s.x[decisions.seen] for s in order[:AROUND]]).reshape(-1, len(decisions.seen)))
        if (best := self.fine.best()) is not None:
            self.fine.descend(best.x[decisions.seen])
        self.fine.stop_at(self.trial_over)
        self._tell(f"{len(self.fine.found):,} decisions relaxed in all {self.arrays.scenarios} scenarios", self.fine.best())

    def _widen(self) -> bool:
        """Relaxed costs in all scenarios of decisions that may be good by those of some; False where there are no others.

        The neighbours of a good decision are among them. What MILPs may cost more counts: a relaxation is often cheap where
        integers make it dear.
        """
        decisions = self.archive.decisions
        for scout in (self.coarse, self.fine):
            scout.stop_at(self.trial_over)
        centre = next((c for c in ranked(self.tried.values()) if c.scouted.key not in self.searched), None)
        if centre is not None:
            self.searched.add(centre.scouted.key)
            self.coarse.ask(decisions.around(centre.scouted.x[decisions.seen]))
        known = [s for s in self.coarse.found.values() if math.isfinite(s.total) and s.key not in self.fine.found]
        known = [known[k] for k in np.argsort(self._hoped(known), kind="stable")[:AROUND].tolist()]
        return bool(known and self.fine.ask(np.array([s.x[decisions.seen] for s in known])))

    # --- 2. A few scenarios.

    def _try_out(self, best: Contender | None) -> None:
        """``best``: the decision to beat, if one is known."""
        fruitless = 0
        while len(self.tried) < MOST_TRIED and not self._late(self.trial_over):
            chosen = self._next(best)
            if chosen is None:
                fruitless += 1
                if fruitless > PATIENT or not self._widen():
                    break
                continue
            one = Contender(chosen, self.order, self.arrays.probabilities)
            self.tried[chosen.key] = one
            self._advance(one, min(TRIED_ON, self.arrays.scenarios), best)
            if math.isfinite(one.estimate()) and (best is None or one.against(best) < best.estimate()):
                best, fruitless = one, 0
                self._tell(f"{len(self.tried):,} decisions tried on {one.tried} scenarios", None, one.estimate())

    def _next(self, best: Contender | None) -> Scouted | None:
        """Of those that are not tried the decision that may be the best one; None where none is likely to be."""
        open_ = [s for s in self.fine.found.values() if s.key not in self.tried and math.isfinite(s.total)]
        if not open_:
            return None
        hoped = self._hoped(open_)
        chosen = int(hoped.argmin())
        return None if best is not None and hoped[chosen] > best.estimate() else open_[chosen]

    def _hoped(self, scouted: Sequence[Scouted]) -> Floats:
        """(k,): relaxed cost and what the MILPs are expected to cost more, less :data:`HOPE` standard deviations of that."""
        if not scouted:
            return np.zeros(0)
        box = self.archive.decisions.domain
        premiums = Premiums(self.tried.values(), box.lower, box.upper - box.lower, self.archive.cuts.cost)
        points = np.array([s.x for s in scouted])
        return np.array([s.total for s in scouted]) + np.maximum(0.0, premiums(points) - HOPE * premiums.doubt(points))

    def _advance(self, one: Contender, count: int, rival: Contender | None) -> None:
        """Try ``one`` on up to ``count`` scenarios, as long as it is not clearly behind the ``rival``."""
        spread = typical_spread(self.tried.values())
        while one.tried < count and not self._late(self.close_over):
            found = self.probe(int(self.order[one.tried]), one.scouted.x, self.seconds / TRIALS)
            if found is None:
                return
            one.enter(found.value, found.bound)
            if rival is not None and rival is not one and one.behind(rival, spread):
                return

    # --- 3. More scenarios.

    def _tell_close(self) -> None:
        """Those in front on twice as many scenarios each time, half of them at least left out."""
        count, kept = min(TRIED_ON, self.arrays.scenarios), KEPT
        while kept > 1 and 2 * count < self.arrays.scenarios and not self._late(self.close_over):
            count = min(2 * count, self.arrays.scenarios)
            order, spread = ranked(self.tried.values()), typical_spread(self.tried.values())
            for one in [c for c in order if not c.behind(order[0], spread)][:kept]:
                self._advance(one, count, order[0])
            kept //= 2
        if order := ranked(self.tried.values()):
            self._tell(f"the best one on {order[0].tried} scenarios", None, order[0].estimate())

    # --- Time and words.

    def _until(self, share: float) -> float:
        return self.began + share * self.seconds

    def _share_out(self, until: float) -> None:
        """What is left of the time before ``until`` among steps 2 to 4, once more."""
        now = time.perf_counter()
        left = max(0.0, until - now)
        self.trial_over, self.close_over = now + TRIAL_SHARE * left, now + CLOSE_SHARE * left

    def _late(self, until: float) -> bool:
        each = self.probe.seconds / max(1, self.probe.solves)
        reserved = RESERVED * each * self.arrays.scenarios if self.tried else 0.0
        return time.perf_counter() >= min(until, self._until(1.0) - reserved)

    def _tell(self, said: str, scouted: Scouted | None = None, total: float | None = None) -> None:
        """A line on stderr, where progress is wanted."""
        if not self.options.verbose:
            return
        value = scouted.total if scouted is not None else total
        best = "" if value is None else f", best {self.arrays.sense * value:.8g}"
        sys.stderr.write(f"{time.perf_counter() - self.began:7.1f}s  {said}{best}\n")

    def _summary(self) -> str:
        relaxed, tried = len(self.fine.found), len(self.tried)
        return (
            f"{relaxed:,} decisions were compared by their relaxed second stage in all scenarios, "
            f"{tried:,} of them by the MILPs of some"
        )
