"""The last step of a contest: decisions solved in every scenario, and the best of them as well as the time allows."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np

from bilevel_lang.reformulation.nn_recourse.archive import Archive
from bilevel_lang.reformulation.nn_recourse.contender import Contender
from bilevel_lang.reformulation.nn_recourse.probe import Probe
from bilevel_lang.reformulation.nn_recourse.race import Runner
from bilevel_lang.solvers.program import Floats

EVALUATIONS = 4
"""Decisions that are solved to their end, at most, beside those that are given up on the way."""

RESERVED = 0.35
"""Share of the time that is left for finalists which is kept to solve the best one's hard scenarios further."""

SECONDS = 20.0
"""For one scenario, where there is no time limit."""

FINAL_GAP = 1e-3
"""Relative, of every scenario of the best decision, as far as the time allows."""

AT_ONCE = 3.0
"""A scenario may take so many times its part of the time that is left: most take less, and what is over goes to the others."""


class Finalists:
    """``contenders`` in the order of what speaks for them; ``answer`` solves a scenario."""

    def __init__(
        self,
        archive: Archive,
        answer: Probe,
        contenders: Sequence[Contender],
        deadline: float | None,
        tell: Callable[[str], None],
    ) -> None:
        self.archive, self.answer, self.contenders, self.deadline, self.tell = archive, answer, contenders, deadline, tell
        self.said: list[str] = []
        self._y: dict[bytes, Floats] = {}

    def run(self) -> None:
        """The first one always to its end, as well as there is time; then others while there is."""
        evaluated = 0
        until = None if self.deadline is None else self.deadline - RESERVED * max(0.0, self.deadline - time.perf_counter())
        for contender in self.contenders:
            best = self.archive.best
            if evaluated and (evaluated >= EVALUATIONS or _over(until)):
                break
            if best is not None and contender.estimate() >= best.total:
                break
            runner = self._runner(contender)
            if self._race(runner, until, first=best is None):
                evaluated += 1
                self._keep(runner)
        self._sharpen()

    def _runner(self, contender: Contender) -> Runner:
        first = self.archive.cuts.first_cost(contender.scouted.x)
        weights = contender.weights
        key = self.archive.key(contender.scouted.x[self.archive.decisions.seen])
        return Runner(key, contender.scouted.x, first, contender.proven(), weights, contender.order)

    def _race(self, runner: Runner, until: float | None, first: bool) -> bool:
        """Solve scenario by scenario; whether it was solved to its end."""
        count = len(runner.order)
        y = np.full((count, len(self.answer.arrays.lower)), np.nan)
        while not runner.finished:
            best = self.archive.best
            if not first and best is not None and (runner.least >= best.total or runner.hopeless(best.total) or _over(until)):
                return False
            number = int(runner.order[runner.done])
            most = self._most(count - runner.done, until)
            found = self.answer(number, runner.x, most)
            if found is None or not np.isfinite(found.value):
                if not first:
                    return False
                # A decision there must be: what is bad of it is made better as long as there is time. That a scenario whose
                # relaxation has an answer has none is not believed at the first word.
                found = self.answer.any_answer(number, runner.x)
            runner.enter(found.value, found.bound)
            if found.y is not None:
                y[number] = found.y
            if runner.done == 5:
                self.tell(f"5 scenarios of a finalist in {self.answer.seconds:.1f} s")
        self._y[runner.key] = y
        return True

    def _keep(self, runner: Runner) -> None:
        self.archive.enter(runner.key, runner.x, runner.values, runner.bounds, self._y.pop(runner.key))
        self.tell(
            f"a finalist in all {len(runner.order)} scenarios: {self.answer.arrays.sense * (runner.first + runner.second):.8g}"
        )

    def _sharpen(self) -> None:
        """The widest scenarios of the best decision first, to :data:`FINAL_GAP`."""
        best = self.archive.best
        evaluated = None if best is None else self.archive.evaluation(best)
        if best is None or evaluated is None:
            return
        values, bounds, y = evaluated.values.copy(), evaluated.bounds.copy(), evaluated.y.copy()
        wide = self.archive.stage.arrays.probabilities * (values - bounds)
        todo = [int(k) for k in np.argsort(-wide) if values[k] - bounds[k] > FINAL_GAP * max(1.0, abs(values[k]))]
        last = Probe(self.answer.arrays, FINAL_GAP, self.deadline)
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
