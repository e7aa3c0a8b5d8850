"""Around the best decision: its neighbours, places where rows become tight, and a small extensive form that goes on from it."""

from __future__ import annotations

import numpy as np

from bilevel_lang.reformulation.nn_recourse.archive import Archive, Known
from bilevel_lang.reformulation.nn_recourse.polishing import can_be_polished, polished
from bilevel_lang.reformulation.options import Options
from bilevel_lang.reformulation.stochastic.arrays import TwoStageArrays
from bilevel_lang.reformulation.stochastic.extensive import extensive_form, parted
from bilevel_lang.solvers.highs import Highs
from bilevel_lang.solvers.matrix import MatrixRun
from bilevel_lang.solvers.solver import SolverOptions, Termination

QUESTIONS = 5000
"""Decisions around the best one that a refinement looks at before it trains again."""

POLISHED, APART = 40, 0.05
"""The best decisions of the samples are moved to where rows become tight: so many, by this share of the box from each other."""

WHOLE, WHOLE_SECONDS = 2_000, 20.0
"""Integers of an extensive form that is handed to the solver, from the best decision on, and for how long."""

BETTER = 1e-6
"""Relative gain below which a decision is not moved again."""


class Neighbourhood:
    """Of the best decision in ``archive``. ``bound``: what small extensive forms prove of the optimum, as a minimisation."""

    def __init__(self, arrays: TwoStageArrays, archive: Archive, options: Options) -> None:
        self.arrays, self.archive, self.options = arrays, archive, options
        self.bound = -np.inf

    def polish_all(self) -> None:
        """Move good decisions to where rows become tight, those that are apart from each other."""
        if can_be_polished(self.arrays):
            for known in self.apart():
                self.polish(known)

    def apart(self) -> list[Known]:
        """The best decisions that are not beside a better one."""
        inside, seen = self.archive.decisions.inputs, self.archive.decisions.seen
        width = np.where(inside.upper > inside.lower, inside.upper - inside.lower, 1.0)
        found: list[Known] = []
        for known in sorted(self.archive.answered(), key=lambda k: k.total):
            away = [float((np.abs(known.x - other.x)[seen] / width).max()) for other in found]
            if all(distance > APART for distance in away):
                found.append(known)
            if len(found) == POLISHED:
                break
        return found

    def polish(self, known: Known) -> None:
        """Go on from ``known`` as long as it becomes better."""
        while can_be_polished(self.arrays) and not self.archive.late:
            x = polished(self.arrays, known.x, self.archive.stage.responses(known.x))
            found = None if x is None else self.archive.value(x[self.archive.decisions.seen])
            if found is None or found.total >= known.total - BETTER * max(1.0, abs(known.total)):
                return
            known = found

    def search(self) -> None:
        """Neighbours of the best decision, and of what is better than it, until none is."""
        asked = 0
        while (best := self.archive.best) is not None and asked < QUESTIONS and not self.archive.late:
            points = self.archive.decisions.around(best.x[self.archive.decisions.seen])
            asked += len(points)
            self.archive.search(points)
            if (found := self.archive.best) is not None and found is not best:
                self.polish(found)
            if self.archive.best is best or not len(points):
                break

    def whole(self, seconds: float) -> None:
        """The extensive form from the best decision on, where it is small: a better decision, or a ``bound``.

        For ``seconds`` at most, and never longer than :data:`WHOLE_SECONDS`.
        """
        arrays, best = self.arrays, self.archive.best
        if best is None or seconds <= 0 or arrays.scenarios * int(arrays.integer.sum()) > WHOLE:
            return
        limit = min(WHOLE_SECONDS, seconds)
        start = np.concatenate([best.x, self.archive.stage.responses(best.x).ravel()])
        options = SolverOptions(time_limit=limit, gap=self.options.gap, threads=self.options.threads, extra={"start": start})
        run: MatrixRun = Highs().run_matrix(extensive_form(arrays), options)
        if run.bound is not None:
            self.bound = max(self.bound, arrays.sense * run.bound)
        if run.termination is Termination.INTERRUPTED:
            raise KeyboardInterrupt
        if run.x is not None:
            x, _ = parted(arrays, run.x)
            self.archive.value(np.where(arrays.first.integer, np.rint(x), x)[self.archive.decisions.seen])
