"""Every decision whose true expected cost is known: each scenario was solved."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from bilevel_lang.reformulation.nn_recourse.cuts import Cuts
from bilevel_lang.reformulation.nn_recourse.decisions import Decisions
from bilevel_lang.reformulation.nn_recourse.race import PROBED, Runner
from bilevel_lang.reformulation.stochastic.expectation import expected, mixed
from bilevel_lang.reformulation.stochastic.second_stage import SecondStage
from bilevel_lang.solvers.program import Floats
from bilevel_lang.surrogate.training.labels import Labels

TOGETHER = {"milp": 1, "lp": 20, "arrays": 100, "listed": 1000}
"""Decisions that are asked about at once, by the way of the second stage: a deadline in between loses them."""

LABELS = 2000
"""Labels that a network is trained on: more take longer and made none better. Half are the best, the others spread over all."""

SCREENED = 25
"""Decisions whose relaxed cost is found at once."""


@dataclass(frozen=True, eq=False)
class Known:
    """``x`` (n1,) with what it costs in expectation, as a minimisation: ``total`` with the first stage, ``least`` proven of it,
    ``second`` alone; +inf where a scenario has no answer."""

    x: Floats
    total: float
    least: float
    second: float


@dataclass(frozen=True, eq=False)
class Evaluation:
    """One decision scenario by scenario: ``values`` (S,) that ``y`` (S, n2) attain, and proven ``bounds`` (S,)."""

    values: Floats
    bounds: Floats
    y: Floats


class Archive:
    """Asks ``stage`` what it does not know; ``relaxed`` is the same without integers, which proves most decisions no better."""

    def __init__(self, decisions: Decisions, cuts: Cuts, stage: SecondStage, relaxed: SecondStage | None = None) -> None:
        self.decisions, self.cuts, self.stage, self.relaxed = decisions, cuts, stage, relaxed
        self.known: dict[bytes, Known | None] = {}
        self.worse: dict[bytes, float] = {}
        self.evaluations: dict[bytes, Evaluation] = {}
        self.estimated: list[Known] = []
        self._best: Known | None = None
        self.seconds = 0.0
        self.late = False

    @property
    def best(self) -> Known | None:
        """The decision of least total cost, None without any."""
        return self._best

    def ask(self, points: Floats) -> None:
        """About ``points`` (k, inputs); ``late`` is set where there was no time for all."""
        began = time.perf_counter()
        todo, together = self._fresh(points, self.known), TOGETHER[self.stage.way]
        for start in range(0, len(todo), together):
            if not self._ask_some(todo[start : start + together]):
                self.late = True
                break
        self.seconds += time.perf_counter() - began

    def search(self, points: Floats) -> None:
        """Whether one of ``points`` (k, inputs) is better than the best: what is proven not to be is not solved to its end.

        Cuts first, then the relaxed second stage, then scenario by scenario until the bounds reach the best total. What was left
        is in ``worse``, with what is proven of its total.
        """
        if self.stage.way != "milp" or self.relaxed is None or not self.cuts.slopes:
            self.ask(points)
            return
        began = time.perf_counter()
        todo = self._fresh(points, {**self.known, **self.worse})
        runners: list[Runner] = []
        if todo:
            lower = self.cuts.expected(np.array([x for _, x in todo])) + [self.cuts.first_cost(x) for _, x in todo]
            order = np.argsort(lower, kind="stable")
            for start in range(0, len(order), SCREENED):
                chosen = order[start : start + SCREENED]
                fresh = self._screened([todo[k] for k in chosen], lower[chosen])
                self._race_likely(fresh)
                runners += fresh
        for runner in sorted(runners, key=lambda r: r.least):
            self._advance(runner, lambda r: False)
        self.seconds += time.perf_counter() - began

    def sharpen(self, stage: SecondStage) -> None:
        """Solve again by a ``stage`` without a gap what is not proven to be worse than the best: the best one is then proven."""
        if self.stage.way != "milp":
            return
        for key, known in sorted(((k, v) for k, v in self.known.items() if v is not None), key=lambda pair: pair[1].least):
            if known.least >= self._limit() and known is not self._best:
                break
            found = stage.costs(known.x[None, :])
            if found is None:
                self.late = True
                return
            weights, first = stage.arrays.probabilities, self.cuts.first_cost(known.x)
            second, least = float(expected(found.values[0], weights)), first + float(expected(found.bounds[0], weights))
            self.known[key] = Known(known.x, first + second, least, second)
            self._best = min(self.answered(), key=lambda k: k.total)

    def value(self, point: Floats) -> Known | None:
        """What is known of ``point`` (inputs,), asked if need be; None where no first stage has it, or time is over."""
        self.ask(point[None, :])
        return self.known.get(self.key(point))

    def enter(self, key: bytes, x: Floats, values: Floats, bounds: Floats, y: Floats) -> None:
        """What others have found of ``x`` (n1,), as :class:`Evaluation` has it; it takes the place of what was known."""
        weights, first = self.stage.arrays.probabilities, self.cuts.first_cost(x)
        second = float(expected(values, weights))
        self.evaluations[key] = Evaluation(values, bounds, y)
        self.known[key] = known = Known(x, first + second, first + float(expected(bounds, weights)), second)
        same = self._best is not None and self.key(self._best.x[self.decisions.seen]) == key
        if np.isfinite(known.total) and (same or known.total < self._limit()):
            self._best = known

    def evaluation(self, known: Known) -> Evaluation | None:
        """Scenario by scenario, where others have :meth:`enter`-ed it."""
        return self.evaluations.get(self.key(known.x[self.decisions.seen]))

    def answered(self) -> list[Known]:
        """The decisions that leave every scenario an answer, in the order in which they were asked about."""
        return [k for k in self.known.values() if k is not None and np.isfinite(k.total)]

    def chosen(self) -> list[Known]:
        """The decisions of :meth:`labels`: what was solved in every scenario, and what others have ``estimated``."""
        seen = self.decisions.seen
        fine = self.answered() + [k for k in self.estimated if self.key(k.x[seen]) not in self.known]
        if len(fine) <= LABELS:
            return fine
        ranked = sorted(range(len(fine)), key=lambda k: fine[k].total)
        step = 2 * (len(fine) - LABELS // 2) / LABELS
        rest = ranked[LABELS // 2 :]
        kept = {*ranked[: LABELS // 2], *(rest[int(k * step)] for k in range(LABELS // 2))}
        return [known for k, known in enumerate(fine) if k in kept]

    def labels(self) -> Labels:
        """Expected costs of the second stage at those that are :meth:`answered` (:data:`LABELS`), good ones with more weight."""
        fine = self.chosen()
        seen, inside = self.decisions.seen, self.decisions.inputs
        total = np.array([k.total for k in fine])
        spread = max(float(np.median(total) - total.min()), 1e-9)
        weights = 1.0 / (0.1 + (total - total.min()) / spread)
        points = np.array([k.x[seen] for k in fine])
        return Labels(points, np.array([[k.second] for k in fine]), inside.lower, inside.upper, weights=weights)

    def _fresh(self, points: Floats, known: Mapping[bytes, object]) -> list[tuple[bytes, Floats]]:
        """What is not ``known`` of ``points``, with the cheapest first stage that each belongs to."""
        fresh: dict[bytes, Floats | None] = {}
        for point in points:
            key = self.key(point)
            if key not in known and key not in fresh:
                fresh[key] = self.decisions.completed(point)
        self.known.update({key: None for key, x in fresh.items() if x is None})
        return [(key, x) for key, x in fresh.items() if x is not None]

    def _screened(self, todo: list[tuple[bytes, Floats]], lower: Floats) -> list[Runner]:
        """Those that neither cuts nor the relaxed second stage prove worse."""
        assert self.relaxed is not None
        limit = self._limit()
        self.worse.update({key: float(low) for (key, _), low in zip(todo, lower, strict=True) if low >= limit})
        todo = [pair for pair, low in zip(todo, lower, strict=True) if low < limit]
        found = self.relaxed.costs(np.array([x for _, x in todo])) if todo and not self.late else None
        if found is None:
            self.late = self.late or bool(todo)
            return []
        weights = self.stage.arrays.probabilities
        order = mixed(weights, 0)
        runners = [Runner(k, x, self.cuts.first_cost(x), v, weights, order) for (k, x), v in zip(todo, found.values, strict=True)]
        self.worse.update({r.key: r.least for r in runners if r.least >= limit})
        return [r for r in runners if r.least < limit]

    def _race_likely(self, runners: list[Runner]) -> None:
        """Solve scenarios until every decision is known, proven no better than the best, or unlikely to be."""
        for runner in sorted(runners, key=lambda r: r.least):
            self._advance(runner, lambda r: r.done >= PROBED)
        for runner in sorted(runners, key=lambda r: r.estimate()[0]):
            self._advance(runner, lambda r: r.hopeless(self._limit()))

    def _advance(self, runner: Runner, enough: Callable[[Runner], bool]) -> None:
        if runner.key in self.known or runner.key in self.worse:
            return
        while not self.late:
            if runner.finished:
                total = runner.first + runner.second
                self._keep(runner.key, Known(runner.x, total, runner.least, runner.second))
                return
            if runner.least >= self._limit():
                self.worse[runner.key] = runner.least
                return
            if enough(runner):
                return
            self.late = not runner.step(self.stage.one)

    def _keep(self, key: bytes, known: Known) -> None:
        self.known[key] = known
        if np.isfinite(known.total) and known.total < self._limit():
            self._best = known

    def _limit(self) -> float:
        best = self.best
        return np.inf if best is None else best.total

    def _ask_some(self, todo: list[tuple[bytes, Floats]]) -> bool:
        points = np.array([x for _, x in todo])
        found = self.stage.costs(points)
        if found is None:
            return False
        weights = self.stage.arrays.probabilities
        for (key, x), values, bounds in zip(todo, found.values, found.bounds, strict=True):
            second, first = float(expected(values, weights)), self.cuts.first_cost(x)
            self._keep(key, Known(x, first + second, first + float(expected(bounds, weights)), second))
        return True

    def key(self, point: Floats) -> bytes:
        """By which ``point`` (inputs,) is known."""
        whole = self.decisions.inputs.integer
        return bytes((np.where(whole, np.rint(point), np.round(point, 9)) + 0.0).tobytes())
