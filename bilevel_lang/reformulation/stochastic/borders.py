"""Feasibility cuts: rows of the first stage that a decision breaks which leaves a scenario without an answer.

    v + g'(x' - x) <= 0,    v: by how much the rows of the relaxed scenario have to be violated at x, g: a subgradient of it

v is convex in x, so that the row holds wherever the scenario has an answer. Van Slyke and Wets 1969, SIAM J. Appl. Math. 17:638;
Birge and Louveaux 2011, section 5.1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bilevel_lang.reformulation.stochastic.arrays import TwoStageArrays
from bilevel_lang.reformulation.stochastic.elastic import elastic
from bilevel_lang.reformulation.stochastic.second_stage import SecondStage
from bilevel_lang.solvers.matrix import Flags, Ints
from bilevel_lang.solvers.program import Floats

VIOLATED = 1e-6
"""What counts as a violation, of the second stage's rows and, relative to max(1, |constant|), of a border."""

MOST = 5
"""Scenarios without an answer that one decision is cut off by: it takes one, others may cut off more decisions."""


@dataclass(frozen=True, eq=False)
class Borders:
    """k rows ``slopes`` (k, n1) x + ``constants`` (k,) <= 0."""

    slopes: Floats
    constants: Floats

    def beyond(self, points: Floats) -> Flags:
        """(p,): which of ``points`` (p, n1) break one of them."""
        room = VIOLATED * np.maximum(1.0, np.abs(self.constants))
        return np.asarray((points @ self.slopes.T + self.constants > room).any(axis=1))


def borders_at(arrays: TwoStageArrays, x: Floats, stuck: Ints, deadline: float | None) -> Borders:
    """Those that ``x`` (n1,) breaks, in scenarios ``stuck`` (c,) that it leaves without an answer; none where time is over.

    ``deadline`` is a reading of ``time.perf_counter``.
    """
    some = stuck[np.unique(np.linspace(0, len(stuck) - 1, MOST).astype(np.int64))]
    part = elastic(arrays.restricted(some, np.ones(len(some))))
    found = SecondStage(part, relaxed=True, deadline=deadline).costs(x[None, :])
    if found is None or found.slopes is None:
        return Borders(np.zeros((0, len(x))), np.zeros(0))
    violated = (found.bounds[0] > VIOLATED) & np.isfinite(found.slopes[0]).all(axis=1)
    slopes, bounds = found.slopes[0][violated], found.bounds[0][violated]
    return Borders(slopes, bounds - slopes @ x)
