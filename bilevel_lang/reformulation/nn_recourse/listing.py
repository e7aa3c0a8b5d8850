"""Binary decisions that can all be listed, where sides of rows alone are random: gone through with proof, nothing is sampled.

Cuts that all scenarios share leave few decisions to be evaluated (:mod:`bilevel_lang.reformulation.stochastic.decision_bounds`);
what is known in the end goes to the archive, for whatever comes after it.
"""

from __future__ import annotations

import numpy as np

from bilevel_lang.reformulation.nn_recourse.archive import Archive
from bilevel_lang.reformulation.stochastic.arrays import TwoStageArrays
from bilevel_lang.reformulation.stochastic.decomposition import search
from bilevel_lang.reformulation.stochastic.enumeration import is_small
from bilevel_lang.reformulation.stochastic.incumbent import Found, too_short
from bilevel_lang.reformulation.stochastic.side_cuts import sides_alone
from bilevel_lang.solvers.solver import Termination

SECONDS = 300.0
"""Where there is no time limit, and more decisions than the engine goes through in any case."""


def can_be_listed(arrays: TwoStageArrays) -> bool:
    """Whether :class:`Listing` takes ``arrays``."""
    first = arrays.first
    binary = bool(first.integer.all() and (first.lower >= 0).all() and (first.upper <= 1).all())
    return binary and is_small(first, arrays.scenarios) and sides_alone(arrays)


class Listing:
    """Of the decisions of ``archive``. ``bound``: proven of all of them, as a minimisation; ``done``: nothing is left to look at.

    ``relaxed`` counts second stages that were solved without integers.
    """

    def __init__(self, arrays: TwoStageArrays, archive: Archive) -> None:
        self.arrays, self.archive = arrays, archive
        self.bound, self.interrupted, self.done, self.relaxed = -np.inf, False, False, 0

    def run(self, seconds: float | None, gap: float | None) -> str:
        """For so many ``seconds`` (None: to the end), until a relative ``gap``; what to tell of it.

        Raises RefusedError for a second stage without limit, SolverFailedError where HiGHS gives up.
        """
        found = search(self.arrays, seconds, gap)
        self.interrupted = found.termination is Termination.INTERRUPTED
        self._enter(found)
        self.archive.seconds += found.seconds
        self.archive.stage.solves += found.solves
        self.relaxed += found.relaxed
        self.done = done = found.termination in (Termination.OPTIMAL, Termination.INFEASIBLE)
        said = f"all {2**self.arrays.first.columns:,} decisions of the first stage were {'gone through' if done else 'listed'}"
        looks = f"cuts at {found.rounds:,} looks at the relaxed second stage"
        ended = "" if done else f", until the time was over{too_short(found)}"
        return f"{said}: {looks}, decisions evaluated: {found.evaluated:,}{ended}"

    def _enter(self, found: Found) -> None:
        sense = self.arrays.sense
        if found.termination is Termination.INFEASIBLE:
            self.bound = np.inf
        elif np.isfinite(found.bound):
            self.bound = sense * found.bound
        if found.x is None or found.y is None:
            return
        assert found.values is not None and found.least is not None
        first = sense * (self.arrays.everywhere("first_cost") @ found.x)
        key = self.archive.key(found.x[self.archive.decisions.seen])
        self.archive.enter(key, found.x, found.values - first, found.least - first, found.y)
