"""The leader's best point for a decision: its linking columns are data then, so the program is one in all other columns.

    min leader's cost   subject to   the rows of both, value <= side, cost <= at_most

The program is compiled once; a decision changes sides only. Its linear relaxation comes first: most decisions are worse than the
best point known, and that shows in a few pivots.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import scipy.sparse as sp

from bilevel_lang.reformulation.value_function.integer.extended import Extended
from bilevel_lang.solvers.hot_milp import HotMilp, MilpAnswer
from bilevel_lang.solvers.matrix import Ints, MatrixProgram
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.solver import SolverOptions, Termination
from bilevel_lang.solvers.warm_lp import LpAnswer, WarmLp

ROUNDING = 1e-9
"""How far from whole an LP's column may be; what a row of linking columns alone may be off by, relative to max(1, |side|)."""


class LeaderBest:
    """See the module's docstring. ``deadline`` as in :class:`HotMilp`."""

    def __init__(self, extended: Extended, options: SolverOptions, deadline: float | None = None) -> None:
        source, program = extended.source, extended.program
        relaxation, n = source.relaxation, extended.n
        self._extended = extended
        free = np.ones(n, dtype=bool)
        free[extended.links] = False
        self._free: Ints = np.flatnonzero(free)
        self._rows_of_links = sp.csr_matrix(relaxation.matrix[:, extended.links])
        self._row_sides = relaxation.row_lower, relaxation.row_upper
        rest = sp.csr_matrix(relaxation.matrix[:, self._free])
        held = np.diff(rest.indptr) > 0
        self._held: Ints = np.flatnonzero(held)
        self._alone: Ints = np.flatnonzero(~held)
        cost = relaxation.sense * relaxation.cost
        self._link_cost: Floats = cost[extended.links]
        value_row, cost_row = sp.csr_matrix(extended.value_cost[self._free]), sp.csr_matrix(cost[self._free])
        count = len(self._held) + 2
        compiled = MatrixProgram(
            lower=program.lower[self._free],
            upper=program.upper[self._free],
            integer=relaxation.integer[self._free],
            cost=cost[self._free],
            matrix=sp.vstack([rest[self._held], value_row, cost_row], format="csr"),
            row_lower=np.full(count, -np.inf),
            row_upper=np.full(count, np.inf),
        )
        self._whole: Ints = np.flatnonzero(compiled.integer)
        self._milp = HotMilp(compiled, options, deadline)
        continuous = replace(compiled, integer=np.zeros(len(self._free), dtype=bool))
        self._lp = WarmLp(continuous, options, primal=False, deadline=deadline)

    @property
    def solves(self) -> int:
        """How many problems were solved."""
        return self._milp.solves + self._lp.solves

    def solve(self, z: Floats, value_side: float, at_most: float) -> MilpAnswer:
        """The cheapest columns besides the linking ones of ``z``; INFEASIBLE where none cost ``at_most`` or less.

        Costs are those of a minimisation, without the constant. Raises SolverFailedError where HiGHS gives up.
        """
        sides = self._sides(z, value_side, at_most)
        if sides is None:
            return MilpAnswer(Termination.INFEASIBLE)
        relaxed = self._relaxed(sides)
        if relaxed.termination in (Termination.INFEASIBLE, Termination.LIMIT):
            return MilpAnswer(relaxed.termination)
        if relaxed.x is not None:
            rounded = relaxed.x.copy()
            rounded[self._whole] = np.rint(rounded[self._whole])
            if (np.abs(rounded - relaxed.x) <= ROUNDING).all():
                return MilpAnswer(Termination.OPTIMAL, rounded, relaxed.objective, relaxed.objective)
        self._milp.set_sides(*sides)
        return self._milp.solve()

    def is_promising(self, z: Floats, at_most: float) -> bool:
        """Whether the linear relaxation leaves a chance of costs up to ``at_most``, whatever the follower answers to ``z``."""
        sides = self._sides(z, np.inf, at_most)
        return sides is not None and self._relaxed(sides).termination is not Termination.INFEASIBLE

    def _sides(self, z: Floats, value_side: float, at_most: float) -> tuple[Floats, Floats] | None:
        """The sides of the rows for the linking columns of ``z``; None where these alone break a row."""
        x = np.rint(z[self._extended.links])
        shift = self._rows_of_links @ x
        low, up = self._row_sides[0] - shift, self._row_sides[1] - shift
        alone, held = self._alone, self._held
        slack = ROUNDING * np.maximum(1.0, np.abs(shift[alone]))
        if (low[alone] > slack).any() or (up[alone] < -slack).any():
            return None
        cost_side = at_most - float(self._link_cost @ x)
        return np.append(low[held], [-np.inf, -np.inf]), np.append(up[held], [value_side, cost_side])

    def _relaxed(self, sides: tuple[Floats, Floats]) -> LpAnswer:
        self._lp.set_sides(*sides)
        return self._lp.solve()

    def point(self, z: Floats, found: Floats) -> Floats:
        """The columns of ``Extended.program`` at the linking columns of ``z`` and those that :meth:`solve` has ``found``."""
        extended = self._extended
        full = np.zeros(extended.n)
        full[extended.links] = np.rint(z[extended.links])
        full[self._free] = found
        return extended.complete(full)
