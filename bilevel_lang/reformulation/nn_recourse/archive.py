"""Every decision whose true expected cost is known: each scenario was solved."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from bilevel_lang.reformulation.nn_recourse.cuts import Cuts
from bilevel_lang.reformulation.nn_recourse.decisions import Decisions
from bilevel_lang.reformulation.stochastic.second_stage import SecondStage
from bilevel_lang.solvers.program import Floats
from bilevel_lang.surrogate.training.labels import Labels

TOGETHER = 20
"""Decisions that are asked about at once."""


@dataclass(frozen=True, eq=False)
class Known:
    """``x`` (n1,) with what it costs in expectation, as a minimisation: ``total`` with the first stage, ``least`` proven of it,
    ``second`` alone; +inf where a scenario has no answer."""

    x: Floats
    total: float
    least: float
    second: float


class Archive:
    """Asks ``stage`` what it does not know."""

    def __init__(self, decisions: Decisions, cuts: Cuts, stage: SecondStage) -> None:
        self.decisions, self.cuts, self.stage = decisions, cuts, stage
        self.known: dict[bytes, Known | None] = {}
        self.seconds = 0.0
        self.late = False

    @property
    def best(self) -> Known | None:
        """The decision of least total cost, None without any."""
        return min(self.answered(), key=lambda k: k.total, default=None)

    def ask(self, points: Floats) -> None:
        """About ``points`` (k, inputs); ``late`` is set where there was no time for all."""
        began = time.perf_counter()
        fresh: dict[bytes, Floats | None] = {}
        for point in points:
            key = self._key(point)
            if key not in self.known and key not in fresh:
                fresh[key] = self.decisions.completed(point)
        self.known.update({key: None for key, x in fresh.items() if x is None})
        todo = [(key, x) for key, x in fresh.items() if x is not None]
        for start in range(0, len(todo), TOGETHER):
            if not self._ask_some(todo[start : start + TOGETHER]):
                self.late = True
                break
        self.seconds += time.perf_counter() - began

    def value(self, point: Floats) -> Known | None:
        """What is known of ``point`` (inputs,), asked if need be; None where no first stage has it, or time is over."""
        self.ask(point[None, :])
        return self.known.get(self._key(point))

    def answered(self) -> list[Known]:
        """The decisions that leave every scenario an answer, in the order in which they were asked about."""
        return [k for k in self.known.values() if k is not None and np.isfinite(k.total)]

    def labels(self) -> Labels:
        """Expected costs of the second stage at all that are :meth:`answered`, good ones with more weight."""
        fine = self.answered()
        seen, inside = self.decisions.seen, self.decisions.inputs
        total = np.array([k.total for k in fine])
        spread = max(float(np.median(total) - total.min()), 1e-9)
        weights = 1.0 / (0.1 + (total - total.min()) / spread)
        points = np.array([k.x[seen] for k in fine])
        return Labels(points, np.array([[k.second] for k in fine]), inside.lower, inside.upper, weights=weights)

    def _ask_some(self, todo: list[tuple[bytes, Floats]]) -> bool:
        points = np.array([x for _, x in todo])
        found = self.stage.costs(points)
        if found is None:
            return False
        weights = self.stage.arrays.probabilities
        for (key, x), values, bounds in zip(todo, found.values, found.bounds, strict=True):
            second, first = float(weights @ values), self.cuts.first_cost(x)
            self.known[key] = Known(x, first + second, first + float(weights @ bounds), second)
        return True

    def _key(self, point: Floats) -> bytes:
        whole = self.decisions.inputs.integer
        return bytes((np.where(whole, np.rint(point), np.round(point, 9)) + 0.0).tobytes())
