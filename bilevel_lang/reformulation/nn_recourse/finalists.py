"""The last step of a contest: decisions solved in every scenario, and the best of them as well as the time allows."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np

from bilevel_lang.reformulation.nn_recourse.archive import Archive
from bilevel_lang.reformulation.nn_recourse.contender import Contender, typical_spread
from bilevel_lang.reformulation.nn_recourse.probe import Probe
from bilevel_lang.reformulation.nn_recourse.race import Runner
from bilevel_lang.solvers.program import Floats

EVALUATIONS = 4
"""Decisions that are solved to their end, at most, where there is no time limit."""

RESERVED = 0.35
"""Share of the time that is left for finalists which is kept to solve the best one's hard scenarios further."""

SECONDS = 20.0
"""For one scenario, where there is no time limit."""

FINAL_GAPS = (1e-3, 1e-4)
"""Relative, of every scenario of the best decision, one after the other as far as the time allows; where there is no time limit
the first of them alone."""

AT_ONCE = 3.0
"""A scenario may take so many times its part of the time that is left: most take less, and what is over goes to the others."""


class Finalists:
    """``answer`` solves a scenario; ``leader`` is the best decision that was solved in all of them.

    ``until``: when no further decision is begun, None without a time limit and before the first :meth:`run`.
    """

    def __init__(self, archive: Archive, answer: Probe, deadline: float | None, tell: Callable[[str], None]) -> None:
        self.archive, self.answer, self.deadline, self.tell = archive, answer, deadline, tell
        self.leader: Contender | None = None
        self.until: float | None = None
        self._begun: set[bytes] = set()
        self._evaluated, self._spread = 0, 0.0
        self._y: dict[bytes, Floats] = {}

    @property
    def over(self) -> bool:
        """Whether no further decision is to be solved."""
        return _over(self.until) or (self.deadline is None and self._evaluated >= EVALUATIONS)

    def run(self, contenders: Sequence[Contender]) -> None:
        """In the order of what speaks for them, each one once. The first of all goes to its end, as well as there is time; the
        others until it is clear, or likely, that the leader costs less."""
        if self.until is None and self.deadline is not None:
            self.until = self.deadline - RESERVED * max(0.0, self.deadline - time.perf_counter())
        while (contender := self._next(contenders)) is not None:
            self._begun.add(contender.scouted.key)
            self._spread = typical_spread(contenders)
            runner = self._runner(contender)
            if self._race(runner, contender):
                self._evaluated += 1
                self._keep(runner, contender)

    def _next(self, contenders: Sequence[Contender]) -> Contender | None:
        """Estimates change with each decision that is solved: they are made against the leader."""
        leader = self.leader
        if leader is None:
            return next((c for c in contenders if c.scouted.key not in self._begun), None)
        if self.over:
            return None
        open_ = [c for c in contenders if c.scouted.key not in self._begun and not c.behind(leader, self._spread)]
        return min(open_, key=lambda c: c.against(leader), default=None)

    def _runner(self, contender: Contender) -> Runner:
        """Scenarios that it was not tried on come first: they say something new."""
        first = self.archive.cuts.first_cost(contender.scouted.x)
        key = self.archive.key(contender.scouted.x[self.archive.decisions.seen])
        order = np.roll(contender.order, -contender.tried)
        return Runner(key, contender.scouted.x, first, contender.proven(), contender.weights, order)

    def _race(self, runner: Runner, contender: Contender) -> bool:
        """Solve scenario by scenario; whether it was solved to its end."""
        count, leader = len(runner.order), self.leader
        y = np.full((count, len(self.answer.arrays.lower)), np.nan)
        while not runner.finished:
            best = self.archive.best
            if (
                leader is not None
                and best is not None
                and (runner.least >= best.total or contender.behind(leader, self._spread) or self.over)
            ):
                return False
            number = int(runner.order[runner.done])
            found = self.answer(number, runner.x, self._most(count - runner.done, self.until))
            if found is None or not np.isfinite(found.value):
                if leader is not None:
                    return False
                # A decision there must be: what is bad of it is made better as long as there is time. That a scenario whose
                # relaxation has an answer has none is not believed at the first word; then another decision is the first.
                found = self.answer.any_answer(number, runner.x)
                if not np.isfinite(found.value):
                    return False
            runner.enter(found.value, found.bound)
            if contender.tried < count:
                contender.enter(found.value, found.bound)
            if found.y is not None:
                y[number] = found.y
        self._y[runner.key] = y
        return True

    def _keep(self, runner: Runner, contender: Contender) -> None:
        self.archive.enter(runner.key, runner.x, runner.values, runner.bounds, self._y.pop(runner.key))
        total = runner.first + runner.second
        if self.leader is None or (self.archive.best is not None and total <= self.archive.best.total):
            self.leader = contender
        self.tell(f"a finalist in all {len(runner.order)} scenarios: {self.answer.arrays.sense * total:.8g}")

    def sharpen(self) -> None:
        """The best decision to the gaps of :data:`FINAL_GAPS`, one after the other: all scenarios are at the first of them
        before any is brought to the next."""
        for gap in FINAL_GAPS if self.deadline is not None else FINAL_GAPS[:1]:
            if not _over(self.deadline):
                self._bring_to(gap)

    def _bring_to(self, gap: float) -> None:
        """The widest scenarios of the best decision first, to ``gap``."""
        best = self.archive.best
        evaluated = None if best is None else self.archive.evaluation(best)
        if best is None or evaluated is None:
            return
        values, bounds, y = evaluated.values.copy(), evaluated.bounds.copy(), evaluated.y.copy()
        wide = self.archive.stage.arrays.probabilities * (values - bounds)
        todo = [int(k) for k in np.argsort(-wide) if values[k] - bounds[k] > gap * max(1.0, abs(values[k]))]
        last = Probe(self.answer.arrays, gap, self.deadline)
        for done, number in enumerate(todo):
            found = last(number, best.x, self._most(len(todo) - done, self.deadline))
            if found is None:
                break
            bounds[number] = max(bounds[number], min(found.bound, values[number]))
            if found.value < values[number] and found.y is not None:
                values[number], y[number] = found.value, found.y
        self.archive.enter(self.archive.key(best.x[self.archive.decisions.seen]), best.x, values, bounds, y)

    def _most(self, left: int, until: float | None) -> float:
        """Seconds for one of ``left`` scenarios."""
        if until is None:
            return SECONDS
        return max(0.05, AT_ONCE * (until - time.perf_counter()) / max(1, left))


def _over(until: float | None) -> bool:
    return until is not None and time.perf_counter() >= until
