"""What decisions cost where all scenarios of one take too long: LPs in every scenario, integers in a few, another few each time.

Integers count by the bounds of patterns, which come close, or else by MILPs. What they cost more than the LPs estimates the
others (a control variate: Law, "Simulation Modeling and Analysis", chapter 11). Each decision has scenarios of its own, every
scenario is as often among them as any other, and a network that is trained on many decisions sees them all: it learns the mean.
Decisions that networks lead to are solved in every scenario.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Sequence

import numpy as np

from bilevel_lang.reformulation.nn_recourse.archive import Archive, Known
from bilevel_lang.reformulation.nn_recourse.contender import Contender, Premiums
from bilevel_lang.reformulation.nn_recourse.contest import GAP, LONG
from bilevel_lang.reformulation.nn_recourse.finalists import Finalists
from bilevel_lang.reformulation.nn_recourse.polishing import can_be_polished, polished
from bilevel_lang.reformulation.nn_recourse.probe import Probe
from bilevel_lang.reformulation.nn_recourse.scout import Scout, Scouted, key_of
from bilevel_lang.reformulation.options import Options
from bilevel_lang.reformulation.stochastic.arrays import TwoStageArrays
from bilevel_lang.reformulation.stochastic.expectation import expected, mixed
from bilevel_lang.solvers.program import Floats
from bilevel_lang.surrogate.training.fitting import LEAST_SAMPLES

AT_A_TIME = 4
"""Scenarios that a decision is tried on before the next one has its turn; when all had theirs, there is another turn."""

TOGETHER, ALL_OVER = 10, 3
"""Decisions that are chosen together, and how many of them anywhere in the box: the network has to know what is bad, too."""

POOL = 500
"""Decisions drawn all over the box of which the most promising are taken."""

AT_ONCE = 3.0
"""A scenario may take so many times what one takes in the mean, or its part of the time that is left where that is more."""

FINALISTS = 5
"""Labelled decisions that are compared with the networks' in the end."""

BETTER = 1e-6
"""Relative gain below which a decision is not moved again."""


class FewScenarios:
    """Labels for the networks of ``archive``, and what their decisions cost in truth. ``deadline``: of ``time.perf_counter``.

    ``each``: seconds that one scenario takes; ``every`` (k, inputs): all decisions there are, None of too many; ``visited`` (k,
    inputs): those that led to the bound.
    ``solves`` and ``seconds`` are those of the labels.
    """

    def __init__(self, arrays: TwoStageArrays, archive: Archive, options: Options, deadline: float | None, each: float) -> None:
        self.arrays, self.archive, self.options, self.deadline = arrays, archive, options, deadline
        self.order = mixed(arrays.probabilities, options.seed)
        self.scout = Scout(arrays, archive.decisions, deadline, archive.cuts)
        self.probe = Probe(arrays, min(options.gap or GAP, GAP), deadline)
        self.final = Finalists(archive, Probe(arrays, self.probe.gap, deadline), deadline, self._tell)
        self.labelled: dict[bytes, Contender] = {}
        self.settled = True
        self.each, self.visited = each, np.zeros((0, len(archive.decisions.seen)))
        self.every: Floats | None = None
        self.began, self.seconds = time.perf_counter(), 0.0

    @property
    def solves(self) -> int:
        """Second stages of the labels, those relaxed apart."""
        return sum(c.tried for c in self.labelled.values())

    def label(self, count: int, until: float | None) -> None:
        """So many decisions (k) more, in turns while there is time; None: for :data:`~.contest.LONG` seconds.

        Without a time limit it goes on until there are enough to train on. Raises RefusedError for a second stage without limit.
        """
        began = time.perf_counter()
        over, wanted = began + LONG if until is None else until, len(self.labelled) + count
        self.scout.stop_at(self.deadline)
        while len(self.labelled) < wanted and not self._enough(over, until is None):
            new = [s for s in self.scout.ask(self._batch()) if math.isfinite(s.total)]
            if not new:
                break
            for found in new:
                if self._enough(over, until is None):
                    break
                self.labelled[found.key] = one = self._contender(found)
                self._try(one, AT_A_TIME, over, max(1, wanted - len(self.labelled)))
        self._more_turns(over)
        self._publish()
        self.seconds += time.perf_counter() - began
        self._tell(f"{len(self.archive.estimated):,} decisions solved in {self.per_decision:.0f} of {len(self.order)} scenarios")

    @property
    def per_decision(self) -> float:
        """Scenarios that a decision was tried on, in the mean."""
        return self.solves / max(1, len(self.labelled))

    def estimate(self, point: Floats) -> Known | None:
        """What ``point`` (inputs,), to which a network led, is likely to cost; None where a scenario has no answer.

        It is a label from now on. ``settled`` is no longer true where that is news, and the decision not the best of all.
        """
        found = self._scouted(point)
        if found is None or not math.isfinite(found.total):
            return None
        best = min((c.estimate() for c in self._usable()), default=math.inf)
        if found.key not in self.labelled:
            self.labelled[found.key] = one = self._contender(found)
            began = time.perf_counter()
            self._try(one, 2 * AT_A_TIME, began, 1)
            self.seconds += time.perf_counter() - began
            self.settled = self.settled and one.estimate() <= best
            self._publish()
        return self._known(self.labelled[found.key])

    def finish(self, networks: Sequence[Known]) -> None:
        """The decision that looks best is solved in every scenario; the other good ones and those of the ``networks`` until it is
        clear that they cost more."""
        order = sorted(self._usable(), key=lambda c: c.estimate())
        led_to = {key_of(k.x) for k in networks}
        order = [*order[:FINALISTS], *(c for c in order[FINALISTS:] if c.scouted.key in led_to)]
        for one in order:
            if self.final.leader is None or not self.final.over:
                self.final.run([Contender(one.scouted, self.order, self.arrays.probabilities)])
        self._polish(self.archive.best)
        self.final.sharpen()

    def summary(self) -> str:
        """What networks were trained on."""
        count, each = len(self.archive.estimated), self.per_decision
        said = f"{count:,} decisions to learn from: relaxed in all {len(self.order):,} scenarios, with integers in {each:.0f}"
        return f"{said}; what networks lead to is solved in all"

    def short(self) -> str:
        """What is missing where no network could be trained."""
        least = 2 * LEAST_SAMPLES
        seconds = least * self.seconds / max(1, len(self.labelled))
        return f"no network was trained: it takes {least} decisions, and those about {seconds:,.0f} s for samples alone"

    # --- Labels.

    def _batch(self) -> Floats:
        """(k, inputs): some all over the box, and those that may be good by cuts and by what the labels say of MILPs."""
        decisions = self.archive.decisions
        drawn = decisions.sample(POOL) if self.every is None else self.every
        best = min(self._usable(), key=lambda c: c.estimate(), default=None)
        around = drawn[:0] if best is None else decisions.around(best.scouted.x[decisions.seen])
        pool = np.concatenate([self.visited, around, drawn])
        box, wide = decisions.domain, decisions.wide(pool)
        premiums = Premiums(self.labelled.values(), box.lower, box.upper - box.lower, self.archive.cuts.cost)
        total = wide @ self.archive.cuts.cost + self.archive.cuts.expected(wide) + premiums(wide)
        known = {self.archive.key(c.scouted.x[decisions.seen]) for c in self.labelled.values()}
        chosen: dict[bytes, Floats] = {}
        for point in (*drawn[:ALL_OVER], *pool[np.argsort(total, kind="stable")]):
            key = self.archive.key(point)
            if key not in known and len(chosen) < TOGETHER:
                chosen.setdefault(key, point)
        return np.array(list(chosen.values())).reshape(-1, len(decisions.seen))

    def _contender(self, found: Scouted) -> Contender:
        """With an order of scenarios of its own: the next few are the first."""
        turned = np.roll(self.order, -AT_A_TIME * len(self.labelled))
        return Contender(found, turned, self.arrays.probabilities)

    def _try(self, one: Contender, count: int, over: float, decisions: int) -> None:
        """So many more scenarios; ``decisions`` share the time that is ``over`` then."""
        for _ in range(min(count, len(one.order) - one.tried)):
            left = max(0.0, over - time.perf_counter())
            most = AT_ONCE * max(self.each, left / (count * decisions))
            if not self._enter(one, int(one.order[one.tried]), most):
                return

    def _enter(self, one: Contender, number: int, most: float) -> bool:
        """What scenario ``number`` costs, in ``most`` seconds: False where time was over before."""
        least = self.probe.least(number, one.scouted.x, most)
        if least is not None and math.isfinite(least):
            one.enter(least, least)
            return True
        found = self.probe(number, one.scouted.x, most)
        if found is None:
            return False
        value = found.value
        if found.bound < math.inf and not math.isfinite(value):
            value = self.probe.any_answer(number, one.scouted.x).value
        one.enter(value, found.bound)
        # Where time ended it the truth is anywhere between: a bound alone promises too much.
        if math.isfinite(value) and value > one.costs[-1]:
            one.costs[-1] = (value + one.bounds[-1]) / 2
        return True

    def _more_turns(self, over: float) -> None:
        """Again and again the same decisions in further scenarios, the one with the fewest first."""
        while time.perf_counter() < over:
            open_ = [c for c in self._usable() if c.tried < len(c.order)]
            if not open_:
                return
            before = self.solves
            for one in sorted(open_, key=lambda c: c.tried):
                self._try(one, AT_A_TIME, over, len(open_))
                if time.perf_counter() >= over:
                    return
            if self.solves == before:
                return

    def _enough(self, over: float, unlimited: bool) -> bool:
        if self.deadline is not None and time.perf_counter() >= self.deadline:
            return True
        return time.perf_counter() >= over and not (unlimited and len(self._usable()) < 2 * LEAST_SAMPLES)

    def _usable(self) -> list[Contender]:
        """Those with an answer in all scenarios that they were tried on."""
        return [c for c in self.labelled.values() if c.tried and math.isfinite(c.estimate())]

    def _publish(self) -> None:
        self.archive.estimated = [self._known(c) for c in self._usable()]

    def _known(self, one: Contender) -> Known:
        x = one.scouted.x
        first = self.archive.cuts.first_cost(x)
        least = first + float(expected(one.proven(), self.arrays.probabilities))
        return Known(x, one.estimate(), least, one.estimate() - first)

    # --- Decisions in every scenario.

    def _scouted(self, point: Floats) -> Scouted | None:
        x = self.archive.decisions.completed(point)
        if x is None:
            return None
        self.scout.stop_at(None)  # seconds, whatever is left: without its LPs no decision can be solved
        self.scout.ask(point[None])
        return self.scout.found.get(key_of(x))

    def _polish(self, known: Known | None) -> None:
        """Move a continuous decision to where rows become tight, as long as it becomes better."""
        while known is not None and can_be_polished(self.arrays) and not self.final.over:
            solved = self.archive.evaluation(known)
            x = None if solved is None else polished(self.arrays, known.x, solved.y)
            found = None if x is None else self._scouted(x[self.archive.decisions.seen])
            if found is None or not math.isfinite(found.total):
                return
            self.final.run([Contender(found, self.order, self.arrays.probabilities)])
            best = self.archive.best
            better = best is not None and best.total < known.total - BETTER * max(1.0, abs(known.total))
            known = best if better else None

    def _tell(self, said: str) -> None:
        """A line on stderr, where progress is wanted."""
        if self.options.verbose:
            sys.stderr.write(f"{time.perf_counter() - self.began:7.1f}s  {said}\n")
