"""The best of decisions that take long to evaluate: few are, and only those that much speaks for.

1. Relaxed costs of some scenarios lead from neighbour to neighbour, then those of all (:mod:`.scout`).
2. Where the second stage is made of knapsacks, the bounds of patterns take the place of relaxed costs, for the decisions that
   look best (:meth:`.Probe.least`): they take a tenth of the time of MILPs and are nearly as good. What they are more than
   expected is learned on the way (:class:`~.contender.Premiums`), with how sure that is, and says whom to look at next and where
   to look for others (:mod:`.trials`).
3. The decisions that look best are tried on the MILPs of a few scenarios (:mod:`.probe`), in the same way.
4. The better half is tried on twice as many scenarios, until few are left.
5. They are solved in every scenario, the most promising one first, the others until it is clear that they are no better.

Steps 2 to 5 are repeated around a new best one while there is time.
"""

from __future__ import annotations

import itertools
import math
import sys
import time
from collections.abc import Iterable, Sequence

import numpy as np

from bilevel_lang.reformulation.nn_recourse.archive import Archive
from bilevel_lang.reformulation.nn_recourse.contender import Contender, ranked, typical_spread
from bilevel_lang.reformulation.nn_recourse.decisions import Decisions
from bilevel_lang.reformulation.nn_recourse.finalists import Finalists
from bilevel_lang.reformulation.nn_recourse.probe import Probe
from bilevel_lang.reformulation.nn_recourse.sampled import few_of
from bilevel_lang.reformulation.nn_recourse.scout import Scout, Scouted
from bilevel_lang.reformulation.nn_recourse.trials import Trials
from bilevel_lang.reformulation.nn_recourse.weighing import true_share
from bilevel_lang.reformulation.options import Options
from bilevel_lang.reformulation.stochastic.arrays import TwoStageArrays
from bilevel_lang.reformulation.stochastic.expectation import mixed
from bilevel_lang.solvers.program import Floats

BUDGET = 600.0
"""Seconds that the shares below are of, where there is no time limit."""

COARSE_SHARE, FINE_SHARE, TIGHT_SHARE, TRIAL_SHARE, CLOSE_SHARE = 0.1, 0.16, 0.6, 0.62, 0.65
"""Of the time: when each of the first steps is over at the latest. What is left is for the finalists."""

DRAWN_ON, COARSE = 10, 16
"""Scenarios of the first decisions, and of the search from the best of them."""

WEIGHED, WEIGHED_AT = 20, 2
"""Scenarios and decisions by which it is found out how much of the rounding is true."""

NEIGHBOURS = 250
"""Of a good decision, those that cuts speak for."""

STARTS = 4
"""Decisions that the first search starts from."""

DRAWN = 200
"""Decisions all over the box of which the best are starts."""

TRIED_ON = 12
"""Scenarios that a decision is tried on before others are preferred to it."""

MOST_TRIED = 300
"""Decisions that are tried."""

AROUND = 30
"""Decisions that are asked about in all scenarios at once, those that may be best by some scenarios."""

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
    """How long one scenario takes at one decision, by a few of them; 0 where none is found that the rows allow."""
    probe = Probe(arrays, GAP)
    points: list[Floats] = []
    # Of decisions that have to fit together (five sites of thirty) few that are drawn do.
    for count in (MEASURED, DRAWN):
        if not points:
            allowed = (x for x in map(decisions.completed, decisions.sample(count)) if x is not None)
            points = list(itertools.islice(allowed, MEASURED))
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
    """Of the decisions of ``archive``, which gets what is known in the end, and the cuts that are made on the way.

    ``visited`` (k, n1): decisions to begin with, where there are any.
    """

    def __init__(self, arrays: TwoStageArrays, archive: Archive, options: Options, deadline: float | None) -> None:
        self.arrays, self.archive, self.options, self.deadline = arrays, archive, options, deadline
        self.began = time.perf_counter()
        self.seconds = BUDGET if deadline is None else max(1.0, deadline - self.began)
        decisions = archive.decisions
        self.order = mixed(arrays.probabilities, options.seed)
        few = np.sort(self.order[: min(DRAWN_ON, arrays.scenarios)])
        weights = arrays.probabilities[few]
        self.coarse = Scout(arrays.restricted(few, weights / weights.sum()), decisions, self._until(COARSE_SHARE))
        self.fine = Scout(arrays, decisions, self._until(FINE_SHARE), archive.cuts)
        self.tight_over = self._until(TIGHT_SHARE)
        self.trial_over, self.close_over = self._until(TRIAL_SHARE), self._until(CLOSE_SHARE)
        self.probe = Probe(arrays, min(options.gap or GAP, GAP), deadline)
        self.bounds = Trials(archive, self.order, arrays.probabilities, self._bound_of)
        self.milps = Trials(archive, self.order, arrays.probabilities, self._cost_of)
        self.patterns = True
        self.visited = np.zeros((0, len(arrays.first.lower)))
        self.tight: dict[bytes, Scouted] = {}
        self.searched: set[bytes] = set()
        self.said: list[str] = []

    @property
    def tried(self) -> dict[bytes, Contender]:
        """Decisions of which MILPs were solved."""
        return self.milps.tried

    def run(self) -> None:
        """All steps, those after the first again while there is time and something to try; the time limit ends each of them."""
        self._scout()
        final = Finalists(self.archive, self.probe, self.deadline, self._tell)
        before = -1
        while before < len(self.tried) and not final.over:
            before = len(self.tried)
            self._tighten()
            self._try_out(final.leader)
            self._tell_close()
            final.run(ranked(self.tried.values()) or self._untried())
            self._share_out(final.until or self._until(1.0))
        final.sharpen()
        self.said.append(self._summary())

    # --- 1. Relaxed costs.

    def _scout(self) -> None:
        decisions = self.archive.decisions
        self.coarse.share = self.fine.share = 1.0
        # The decisions to begin with are looked at in any case: what is stopped half-way is lost.
        for scout in (self.coarse, self.fine):
            scout.stop_at(self._until(1.0))
        visited = self.visited[-DRAWN:, decisions.seen] if len(self.visited) else decisions.sample(DRAWN)
        drawn = self._best_of(self.coarse.ask(np.where(decisions.inputs.integer, np.rint(visited), visited)))
        starts = np.array([s.x[decisions.seen] for s in drawn[:STARTS]]).reshape(-1, len(decisions.seen))
        everywhere = [s for s in self.fine.ask(starts) if math.isfinite(s.total)]
        self._weigh(everywhere)
        if len(everywhere) > 1:
            costs = np.array([self.fine.found[s.key].expected for s in everywhere])
            chosen, weights = few_of(costs, self.arrays.probabilities, COARSE)
            few = Scout(self.arrays.restricted(chosen, weights), decisions, None)
            few.share, self.coarse = self.fine.share, few
        self.coarse.stop_at(self._until(COARSE_SHARE))
        self.fine.stop_at(self._until(FINE_SHARE))
        for start in starts:
            self.coarse.descend(start)
        self._tell(
            f"{len(self.coarse.found):,} decisions relaxed in {self.coarse.arrays.scenarios} scenarios", self.coarse.best()
        )
        order = self._best_of(self.coarse.found.values())
        self.fine.ask(np.array([s.x[decisions.seen] for s in order[:AROUND]]).reshape(-1, len(decisions.seen)))
        if not self.patterns and (best := self.fine.best()) is not None:
            self.fine.descend(best.x[decisions.seen])
        self.fine.stop_at(self.trial_over)
        self._tell(f"{len(self.fine.found):,} decisions relaxed in all {self.arrays.scenarios} scenarios", self.fine.best())

    def _weigh(self, scouted: Sequence[Scouted]) -> None:
        share = true_share(scouted[:WEIGHED_AT], self.order[:WEIGHED], self.probe.least)
        self.patterns = share is not None
        for scout in (self.coarse, self.fine):
            scout.reweigh(share or 0.0)

    @staticmethod
    def _best_of(scouted: Iterable[Scouted]) -> list[Scouted]:
        return sorted((s for s in scouted if math.isfinite(s.total)), key=lambda s: s.total)

    def _widen(self, trials: Trials, until: float) -> bool:
        """Relaxed costs in all scenarios of decisions that may be good by those of some; False where there are no others.

        The neighbours of a good decision are among them. What ``trials`` have shown counts: a relaxation is often cheap where
        integers make it dear.
        """
        decisions = self.archive.decisions
        for scout in (self.coarse, self.fine):
            scout.stop_at(until)
        centre = next((c for c in ranked(trials.tried.values()) if c.scouted.key not in self.searched), None)
        if centre is not None:
            self.searched.add(centre.scouted.key)
            points = decisions.around(centre.scouted.x[decisions.seen])
            self.coarse.ask(self.coarse.promising(points)[:NEIGHBOURS])
        known = [s for s in self.coarse.found.values() if math.isfinite(s.total) and s.key not in self.fine.found]
        known = [known[k] for k in np.argsort(trials.hoped(known), kind="stable")[:AROUND].tolist()]
        return bool(known and self.fine.ask(np.array([s.x[decisions.seen] for s in known])))

    # --- 2. Bounds of patterns.

    def _tighten(self) -> None:
        """The relaxation's costs made better by patterns, for decisions that may be the best one by what is known."""
        fruitless, count = 0, self.arrays.scenarios
        done = [c for c in self.bounds.tried.values() if c.tried == count and math.isfinite(c.estimate())]
        best = min(done, key=lambda c: c.estimate(), default=None)
        while self.patterns and not self._late(self.tight_over):
            chosen = self.bounds.next(self.fine.found.values(), best)
            if chosen is None:
                fruitless += 1
                if fruitless > PATIENT or not self._widen(self.bounds, self.tight_over):
                    return
                continue
            one = self.bounds.begin(chosen)
            self.bounds.advance(one, count, best, lambda: self._late(self.tight_over))
            if one.tried < count:
                continue
            self.tight[chosen.key] = Scouted(chosen.key, chosen.x, one.proven(), one.estimate())
            if math.isfinite(one.estimate()) and (best is None or one.estimate() < best.estimate()):
                best, fruitless = one, 0
                self._tell(f"{len(self.bounds.tried):,} decisions bounded by patterns", None, one.estimate())
                self._widen(self.bounds, self.tight_over)

    def _bound_of(self, number: int, x: Floats) -> tuple[float, float] | None:
        bound = self.probe.least(number, x, self.seconds / TRIALS)
        return None if bound is None else (bound, bound)

    # --- 3. A few scenarios.

    def _try_out(self, best: Contender | None) -> None:
        """``best``: the decision to beat, if one is known."""
        fruitless = 0
        # One is tried whatever the time is: the finalists begin with what is known of it.
        while len(self.tried) < MOST_TRIED and not (self.tried and self._late(self.trial_over)):
            chosen = self.milps.next((self.tight or self.fine.found).values(), best)
            if chosen is None:
                fruitless += 1
                if fruitless > PATIENT or self.tight or not self._widen(self.milps, self.trial_over):
                    break
                continue
            one = self.milps.begin(chosen)
            self._advance(one, min(TRIED_ON, self.arrays.scenarios), best)
            if math.isfinite(one.estimate()) and (best is None or one.against(best) < best.estimate()):
                best, fruitless = one, 0
                self._tell(f"{len(self.tried):,} decisions tried on {one.tried} scenarios", None, one.estimate())

    def _untried(self) -> list[Contender]:
        """The decision that costs least by what is known, where there was no time to try any."""
        known = self._best_of((self.tight or self.fine.found).values())
        return [Contender(one, self.order, self.arrays.probabilities) for one in known[:1]]

    def _cost_of(self, number: int, x: Floats) -> tuple[float, float] | None:
        found = self.probe(number, x, self.seconds / TRIALS)
        return None if found is None else (found.value, found.bound)

    def _advance(self, one: Contender, count: int, rival: Contender | None) -> None:
        self.milps.advance(one, count, rival, lambda: self._late(self.close_over))

    # --- 4. More scenarios.

    def _tell_close(self) -> None:
        """Those in front on twice as many scenarios each time, half of them at least left out."""
        count, kept = min(TRIED_ON, self.arrays.scenarios), KEPT
        while kept > 1 and 2 * count < self.arrays.scenarios and not self._late(self.close_over):
            count = min(2 * count, self.arrays.scenarios)
            order, spread = ranked(self.tried.values()), typical_spread(self.tried.values())
            front = [c for c in order if not c.behind(order[0], spread)][:kept]
            if len(front) < 2:
                break
            for one in front:
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
        self.tight_over = now + TIGHT_SHARE * left
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
        relaxed, bounded, tried = len(self.fine.found), len(self.bounds.tried), len(self.tried)
        patterns = f"{bounded:,} of them by patterns, " if bounded else ""
        return (
            f"{relaxed:,} decisions were compared by their relaxed second stage in all scenarios, "
            f"{patterns}{tried:,} of them by the MILPs of some"
        )
