"""Which decisions the judge is asked about before, between and beside networks: all over the box, and around the best."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bilevel_lang.reformulation.nn_embed.budgets import MOVED, TOLERATED, TRIED, Budget, budget_for
from bilevel_lang.reformulation.nn_embed.design import every_point, latin_hypercube
from bilevel_lang.reformulation.nn_embed.judge import Judge
from bilevel_lang.reformulation.nn_embed.projection import Projection
from bilevel_lang.reformulation.nn_embed.proposals import InputRows
from bilevel_lang.reformulation.nn_embed.report import Report
from bilevel_lang.reformulation.nn_embed.room import Room
from bilevel_lang.reformulation.nn_embed.search import Search
from bilevel_lang.solvers.program import Floats
from bilevel_lang.surrogate.bounds.input_set import InputSet


@dataclass(eq=False, kw_only=True)
class Drawing:
    """Decisions in ``domain`` for ``judge``; the ``report`` hears how many, and what they took.

    ``rows`` are those of the leader's decisions alone, ``onto_rows`` moves a decision to where they hold, ``projection`` to where
    all rows can. ``room`` (None: unknown) bounds what a decision may be worth. ``until``: when :meth:`begin` has to be over,
    ``deadline``: everything else, readings of ``time.perf_counter``.
    """

    judge: Judge
    search: Search
    domain: InputSet
    rows: InputRows
    onto_rows: Projection
    projection: Projection
    room: Room | None
    budget: Budget
    report: Report
    generator: np.random.Generator
    until: float | None
    deadline: float | None

    def begin(self, start: Floats) -> None:
        """Decisions all over the box and ``start`` (k, n); others around the best so far, where the network has to be right."""
        began, before = time.perf_counter(), self.judge.drawn
        budget = self.budget
        wanted = budget.everywhere + budget.questions
        size = float(np.prod(self.domain.upper - self.domain.lower + 1.0)) if self.domain.integer.all() else math.inf
        whole = size <= wanted
        everywhere = every_point(self.domain) if whole else latin_hypercube(self.domain, budget.everywhere, self.generator)
        last = self.until
        half = None if last is None else (time.perf_counter() + last) / 2
        self._all_over(np.vstack([start, self._onto_rows(everywhere)]), lambda: _passed(half))
        if whole and not _passed(half):
            self.report.said.append(f"all {size:.0f} decisions of the box were looked at, by enumeration")
        if not whole:
            self.search.run(budget.questions, budget.patience, lambda: _passed(last))
        self._told(began, before)

    def _told(self, began: float, before: int) -> None:
        """The report hears of samples since the clock read ``began``, when ``before`` had been drawn."""
        self.report.sampling_seconds += time.perf_counter() - began
        self.report.drawn += self.judge.drawn - before

    def _onto_rows(self, points: Floats) -> Floats:
        """``points``, those that violate rows of the leader's decisions alone moved to the nearest that does not."""
        moved = [x if ok else self.onto_rows(x) for x, ok in zip(points, self.rows.satisfied(points), strict=True)]
        return np.array([x for x in moved if x is not None]).reshape(-1, self.domain.inputs)

    def _all_over(self, points: Floats, over: Callable[[], bool]) -> None:
        """Ask about ``points``; where most turn out impossible, about the nearest ones that the rows allow, too."""
        first, rest = points[:TRIED], points[TRIED:]
        failed = self._ask_or_move(first, over, misses=TRIED)
        self._ask_or_move(rest, over, misses=MOVED if failed > TOLERATED * len(first) else 0)

    def _ask_or_move(self, points: Floats, over: Callable[[], bool], misses: int) -> int:
        """Ask about all; ``misses`` of those without a point, at most, are moved to where the rows allow one.

        How many have none.
        """
        impossible = [x for x in points if self.room is not None and not over() and self.room.bound(x) == math.inf]
        left = {x.tobytes() for x in impossible}
        possible = [x for x in points if x.tobytes() not in left]
        found = self.judge.ask_all(np.array(possible), over) if possible else []
        impossible += [verdict.x for verdict in found if verdict.point is None]
        moved = [self.projection(x) for x in impossible[:misses] if not over()]
        if any(x is not None for x in moved):
            self.judge.ask_all(np.array([x for x in moved if x is not None]), over)
        return len(impossible)

    def around_best(self) -> None:
        """The neighbourhood of the best point, and of the better ones that it may hold; then others."""
        began, before = time.perf_counter(), self.judge.drawn
        budget = budget_for(self.domain.inputs, None)
        self.search.run(budget.questions, budget.patience, self._over)
        self._told(began, before)

    def elsewhere(self) -> None:
        """Further decisions all over the box: after a round without a gain the best may lie where nobody has looked."""
        began, before = time.perf_counter(), self.judge.drawn
        points = latin_hypercube(self.domain, self.budget.everywhere, self.generator)
        self._all_over(self._onto_rows(points), self._over)
        self._told(began, before)

    def _over(self) -> bool:
        return _passed(self.deadline)


def _passed(deadline: float | None) -> bool:
    return deadline is not None and time.perf_counter() >= deadline
