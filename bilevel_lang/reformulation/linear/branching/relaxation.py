"""The block with the objective, as the LP of a node: pairs that are decided have one side at 0."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bilevel_lang.reformulation.linear.branching.blocks import Blocks
from bilevel_lang.reformulation.linear.branching.clauses import FIRST, SECOND
from bilevel_lang.solvers.matrix import Ints
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.solver import SolverOptions, Termination
from bilevel_lang.solvers.warm_lp import WarmLp


@dataclass(frozen=True, slots=True)
class NodePoint:
    """The LP optimum of a node: ``columns`` of the main block, and the ``first`` side of every pair there."""

    bound: float
    columns: Floats
    first: Floats


class Relaxation:
    """The block ``blocks.main``: the high-point relaxation of a bilevel LP."""

    def __init__(self, blocks: Blocks, options: SolverOptions, deadline: float | None) -> None:
        self._blocks = blocks
        self._program = blocks.main.program
        self._inner = np.flatnonzero(blocks.inner)
        self.lp = WarmLp(self._program, options, primal=False, deadline=deadline)

    def solve(self, state: Ints) -> NodePoint | Termination:
        """The optimum where pairs are decided as in ``state`` (pairs,); why there is none."""
        upper = self._program.upper.copy()
        upper[self._blocks.first[state == FIRST]] = 0.0
        inner = self._inner[state[self._inner] == SECOND]
        upper[self._blocks.second[inner]] = 0.0
        if (self._program.lower > upper).any():
            return Termination.INFEASIBLE
        self.lp.set_bounds(self._program.lower, upper)
        answer = self.lp.solve()
        if answer.x is None:
            return answer.termination
        return NodePoint(answer.objective, answer.x, answer.x[self._blocks.first])

    def inner_products(self, point: NodePoint) -> Floats:
        """(pairs,) the smaller side of every inner pair, 0 for the others."""
        smaller = np.zeros(len(self._blocks.first))
        second = point.columns[self._blocks.second[self._inner]]
        smaller[self._inner] = np.minimum(point.first[self._inner], second)
        return smaller
