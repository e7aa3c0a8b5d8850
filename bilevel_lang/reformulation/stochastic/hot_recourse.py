"""One scenario's second stage after the other in solver instances that are kept: they go on from what they know.

Where the matrix is the same in all scenarios one instance serves them all; LPs change its entries. A MILP that is solved by
patterns knows things that go with its entries, so each scenario has an instance of its own.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from bilevel_lang.reformulation.stochastic.arrays import Recourse, TwoStageArrays
from bilevel_lang.solvers.hot_blocks import HotBlocks, hot_milp
from bilevel_lang.solvers.hot_lp import HotLp
from bilevel_lang.solvers.hot_milp import HotMilp, MilpAnswer
from bilevel_lang.solvers.matrix import MatrixProgram
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.solver import SolverOptions
from bilevel_lang.solvers.warm_lp import LpAnswer

HELD = 1_000_000
"""Columns and rows of all programs whose instances are kept at a time: bounds the memory; the other scenarios' are made anew."""


class HotRecourse:
    """The scenarios of ``arrays`` as minimisations; ``relaxed`` forgets that columns are whole.

    ``options.extra`` may have HiGHS's ``mip_rel_gap``. ``deadline``: a reading of ``time.perf_counter``, which may be changed.
    """

    def __init__(self, arrays: TwoStageArrays, relaxed: bool, options: SolverOptions, deadline: float | None) -> None:
        self.arrays, self.options, self.deadline = arrays, options, deadline
        self.linear = relaxed or not arrays.integer.any()
        self._moving = arrays.varying.get("recourse")
        self._most = max(1, HELD // max(1, len(arrays.lower) + len(arrays.row_lower)))
        self._kept: dict[int, HotLp | HotMilp | HotBlocks] = {}

    def solve(self, number: int, part: Recourse, shift: Floats) -> LpAnswer | MilpAnswer:
        """Scenario ``number`` (from 0), which is ``part``; ``shift`` (m2,) is what the first stage puts into its rows."""
        return self._ready(number, part, shift).solve()

    def least(self, number: int, part: Recourse, shift: Floats) -> float:
        """What patterns prove of the same in little time, without an answer; -inf where the scenario is not of knapsacks."""
        hot = self._ready(number, part, shift)
        return hot.least() if isinstance(hot, HotBlocks) else -np.inf

    def _ready(self, number: int, part: Recourse, shift: Floats) -> HotLp | HotMilp | HotBlocks:
        low, up = part.row_lower - shift, part.row_upper - shift
        cost = self.arrays.sense * part.cost
        place = 0 if self.linear or self._moving is None else number
        hot = self._kept.get(place)
        if hot is None:
            hot = self._made(MatrixProgram(part.lower, part.upper, self._whole(), cost, sp.csr_matrix(part.recourse), low, up))
            # A HotMilp remembers nothing that would be worth the memory.
            if self._moving is None or (len(self._kept) < self._most and not isinstance(hot, HotMilp)):
                self._kept[place] = hot
        hot.deadline = self.deadline
        hot.set_bounds(part.lower, part.upper)
        hot.set_cost(cost)
        hot.set_sides(low, up)
        if isinstance(hot, HotLp) and self._moving is not None:
            hot.set_entries(self._moving.places, part.recourse.data[self._moving.places])
        return hot

    def _whole(self) -> np.ndarray:
        return np.zeros(len(self.arrays.lower), dtype=bool) if self.linear else self.arrays.integer

    def _made(self, program: MatrixProgram) -> HotLp | HotMilp | HotBlocks:
        make = HotLp if self.linear else hot_milp
        return make(program, self.options, deadline=self.deadline)
