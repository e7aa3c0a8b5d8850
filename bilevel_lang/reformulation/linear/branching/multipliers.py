"""The block without objective asked: are there multipliers that fit these active sides? If not, which sides must change?

For pairs (s_k, m_k) with s_k in the other block, the question at a point is whether ``W m = w`` (the block's rows and bounds) has
a solution with m_k = 0 wherever s_k > 0. One LP answers it: minimise the sum of m_k over those k. Its value 0: yes. Otherwise its
row duals pi give, with g = W'pi, the certificate ``g'm > max g'm`` of every m that is 0 on K = {k : g_k > 0}: at each solution
of the whole problem one m_k, k in K, is positive, so s_k = 0 there. That clause does not depend on the node. (In terms of an LP
follower: pi is a direction in which its objective falls, and K are the sides that can stop it.)

Only costs change between the questions, so the primal simplex goes on from where it stands.
Reference: Hu, Mitchell, Pang, Bennett and Kunapuli 2008, SIAM J. Optim. 19:445.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bilevel_lang.reformulation.linear.branching.blocks import Blocks
from bilevel_lang.reformulation.linear.branching.clauses import FIRST, SECOND
from bilevel_lang.solvers.matrix import Flags, Ints
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.solver import SolverOptions, Termination
from bilevel_lang.solvers.warm_lp import WarmLp

HEAVY = 100.0
"""Cost of a multiplier that the node has fixed at 0, where others cost 1: certificates then use what the node has decided."""

FITS = 1e-9
"""A sum of misplaced multipliers up to this, relative to max(1, largest level), is 0: the tolerance of the LPs."""

NOISE = 2e-9
"""Entries of g up to this, relative to max(1, largest entry), are rounding: reduced costs are exact to 1e-9."""


@dataclass(frozen=True, slots=True)
class Fit:
    """``columns`` of the block if multipliers fit; else None and ``clauses`` (none: rounding left no certificate).

    ``misplaced`` (pairs,): the multipliers of the least misfit, to branch on.
    """

    columns: Floats | None
    clauses: tuple[Ints, ...]
    misplaced: Floats


class Multipliers:
    """The block ``blocks.rest``. ``termination`` after construction: OPTIMAL if it has a point at all."""

    def __init__(self, blocks: Blocks, options: SolverOptions, deadline: float | None) -> None:
        self._block = blocks.rest
        self._pairs = np.flatnonzero(~blocks.inner)
        self._column = blocks.second[self._pairs]
        self._count = len(blocks.first)
        self._transposed = blocks.rest.program.matrix.T.tocsr()
        levels = np.concatenate([blocks.rest.program.row_lower, blocks.rest.program.row_upper])
        self._scale = max(1.0, np.abs(levels[np.isfinite(levels)]).max(initial=0.0))
        self.lp = WarmLp(blocks.rest.program, options, primal=True, deadline=deadline)
        self.termination = self.lp.solve_first().termination if len(self._block.columns) else Termination.OPTIMAL

    def fit(self, first: Floats, state: Ints, zero: float) -> Fit | Termination:
        """Multipliers for the point with first sides ``first`` (pairs,), up to ``zero`` being 0, at a node in ``state``."""
        cost = np.where((first > zero) & (state != FIRST), np.where(state == SECOND, HEAVY, 1.0), 0.0)
        return self._asked(cost, zero_is=FITS * self._scale)

    def response(self, first: Floats) -> Floats | Termination:
        """The multipliers (pairs,; 0 for inner ones) that suit the point best: least sum of products with ``first``.

        For an LP follower they are those of its best response to the leader's decision.
        """
        answer = self._asked(np.maximum(first, 0.0), zero_is=np.inf)
        return answer if isinstance(answer, Termination) else answer.misplaced

    def columns(self) -> Floats:
        """The block's columns at the last solve."""
        return self._last

    def _asked(self, cost: Floats, zero_is: float) -> Fit | Termination:
        if not len(self._block.columns):
            self._last = np.zeros(0)
            return Fit(self._last, (), np.zeros(self._count))
        whole = np.zeros(len(self._block.columns))
        whole[self._column] = cost[self._pairs]
        self.lp.set_cost(whole)
        answer = self.lp.solve()
        if answer.x is None or answer.row_duals is None:
            return answer.termination
        self._last = answer.x
        sizes = np.zeros(self._count)
        sizes[self._pairs] = answer.x[self._column]
        if answer.objective <= zero_is:
            return Fit(answer.x, (), sizes)
        return Fit(None, self._clauses(answer.row_duals), sizes * (cost > 0))

    def _clauses(self, duals: Floats) -> tuple[Ints, ...]:
        """One clause for every connected part of the block whose certificate stands."""
        gain = self._transposed @ duals
        gain[np.abs(gain) <= NOISE * max(1.0, np.abs(gain).max())] = 0.0
        helps = self._column[gain[self._column] > 0]
        parts = np.unique(self._block.part_of_column[helps])
        stands = self._certified(duals, gain, helps)
        members = self._pairs[gain[self._column] > 0]
        return tuple(members[self._block.part_of_column[helps] == part] for part in parts if stands[part])

    def _certified(self, duals: Floats, gain: Floats, helps: Ints) -> Flags:
        """Of every part, whether no columns within bounds, ``helps`` at 0, meet its rows: their combination by ``duals``."""
        program, block = self._block.program, self._block
        used, active = duals != 0, gain != 0
        active[helps] = False
        level = np.where(duals > 0, program.row_lower, program.row_upper)[used] * duals[used]
        reach = np.where(gain > 0, program.upper, program.lower)[active] * gain[active]
        wanted = np.bincount(block.part_of_row[used], level, block.parts)
        reached = np.bincount(block.part_of_column[active], reach, block.parts)
        with np.errstate(invalid="ignore"):
            stands: Flags = wanted - reached > FITS * max(1.0, np.abs(duals).max())
        return stands
