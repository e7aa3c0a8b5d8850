"""The pessimistic position: what the leader can be sure of at a decision, whichever best answer the follower gives.

With the linking columns x_L decided and phi the follower's optimum there, the set of best answers is
``Y = {y: the follower's rows, f(y) <= phi}``. As the leader's objective and rows are linear, and its other columns x_R do not
touch the follower, the worst case comes apart into problems of one agent each:

    min over x_R of max over y in Y of  c'x + d'y  =  max over Y of d'y  +  min over x_R of c'x
    a'x + g'y <= s  for all y in Y               <=>  a'x <= s - max over Y of g'y

``f(y) <= phi`` has the tolerance of the optimistic position: none where the objective is whole, else 1e-8 relative to
max(1, |phi|). The relaxation's bound holds for this position too, for its optimum is no better than the optimistic one: the
search is that of the optimistic position, but a decision gives what is computed here.

Reference: Wiesemann, Tsoukalas, Kleniati and Rustem 2013, SIAM J. Optim. 23:353.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import scipy.sparse as sp

from bilevel_lang.errors import SolverFailedError
from bilevel_lang.reformulation.value_function.integer.arrays import BilevelProgram
from bilevel_lang.reformulation.value_function.integer.extended import Extended
from bilevel_lang.reformulation.value_function.integer.follower import Follower, Response, in_time
from bilevel_lang.solvers.hot_milp import HotMilp
from bilevel_lang.solvers.matrix import Ints
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.solver import SolverOptions, Termination

SECURE = 1e-7
"""What a row of the leader with columns of the follower may be violated by in the worst case, relative to max(1, |side|)."""

UNBOUNDED = (Termination.UNBOUNDED, Termination.INFEASIBLE_OR_UNBOUNDED)
"""What a solver says where the worst case has no limit; that there is a best answer is known before."""


def ties_matter(source: BilevelProgram) -> bool:
    """Whether best answers of the follower can differ for the leader: in its rows, or in its objective.

    They do not where the leader's objective holds the follower's columns only as a multiple of the follower's objective.
    """
    relaxation, own = source.relaxation, np.flatnonzero(source.follower)
    if (relaxation.matrix[np.flatnonzero(~source.follower_rows)][:, own] != 0).nnz:
        return True
    wanted, mine = relaxation.cost[own], source.follower_cost[own]
    used = np.flatnonzero(mine)
    factor = float(wanted[used[0]] / mine[used[0]]) if used.size else 0.0
    return bool((np.abs(wanted - factor * mine) > 1e-12 * np.abs(wanted)).any())


class PessimisticFollower(Follower):
    """A :class:`Follower` whose :meth:`favourable` is the leader's best point against the worst of the best answers.

    None where no choice of the leader satisfies its rows for every best answer, and where the worst case has no limit.
    """

    pessimistic = True

    def __init__(self, extended: Extended, options: SolverOptions, deadline: float | None = None) -> None:
        super().__init__(extended, options, deadline)
        source = extended.source
        relaxation, own = source.relaxation, self.own
        self._wanted: Floats = relaxation.sense * relaxation.cost
        part = relaxation.matrix[:, own]
        touched = np.asarray((part != 0).sum(axis=1)).ravel() > 0
        rows: Ints = np.flatnonzero(~source.follower_rows | ~touched)
        self._rows = rows
        self._theirs = sp.csr_matrix(part[rows])
        self._held: Ints = np.flatnonzero(np.diff(self._theirs.indptr) > 0)
        alone = np.where(source.follower, 0.0, 1.0)
        mine = sp.csr_matrix(relaxation.matrix[rows].multiply(alone))
        mine.eliminate_zeros()
        self._least = np.where(source.follower, 0.0, relaxation.lower)
        self._most = np.where(source.follower, 0.0, relaxation.upper)
        self._choice = HotMilp(
            replace(
                relaxation,
                lower=self._least,
                upper=self._most,
                cost=self._wanted * alone,
                sense=1,
                constant=0.0,
                matrix=mine,
                row_lower=relaxation.row_lower[rows],
                row_upper=relaxation.row_upper[rows],
            ),
            options,
            deadline,
        )
        program = self._program(np.zeros(len(own)))
        with_value = sp.vstack([program.matrix, sp.csr_matrix(extended.value_cost[own])], format="csr")
        low, up = np.append(program.row_lower, -np.inf), np.append(program.row_upper, np.inf)
        self._ties = HotMilp(replace(program, matrix=with_value, row_lower=low, row_upper=up), options, deadline)

    @property
    def solves(self) -> int:
        """How many problems were solved, of all kinds."""
        return super().solves + self._choice.solves + self._ties.solves

    def is_solution(self, z: Floats) -> bool:
        """Whether the leader gets no more from ``z``, where the follower's answer is a best one, than it can be sure of."""
        sure = self.favourable(z)
        if sure is None:
            return False
        n = self.extended.n
        here, there = float(self._wanted @ z[:n]), float(self._wanted @ sure[:n])
        return here >= there - 1e-9 * max(1.0, abs(there))

    def _solve_favourable(self, z: Floats, at_most: float) -> Floats | None:
        """See the class; ``at_most`` is not looked at, for a decision is asked about once."""
        best = self.response(z)
        worst = self._worst_answer(z, best, -self._wanted[self.own])
        sides = None if worst is None else self._secured(z, best)
        if worst is None or sides is None:
            return None
        lower, upper, links = self._least.copy(), self._most.copy(), self.extended.links
        lower[links] = upper[links] = np.rint(z[links])
        self._choice.set_bounds(lower, upper)
        self._choice.set_sides(*sides)
        answer = self._choice.solve()
        if answer.termination is Termination.LIMIT and answer.x is not None:
            self.late = self.extended.with_answer(answer.x, worst)
        answer = in_time(answer)
        if answer.termination is Termination.INFEASIBLE:
            return None
        if answer.x is None:
            said = f"the leader's problem is {answer.termination.value} for a fixed decision"
            raise SolverFailedError(said, help="give the leader's columns bounds")
        return self.extended.with_answer(answer.x, worst)

    def _secured(self, z: Floats, best: Response) -> tuple[Floats, Floats] | None:
        """The sides that the leader's rows have for its own columns; None where no columns of its own could satisfy them."""
        relaxation = self.extended.source.relaxation
        lower, upper = relaxation.row_lower[self._rows].copy(), relaxation.row_upper[self._rows].copy()
        for i in self._held.tolist():
            g = self._theirs[i].toarray().ravel()
            for sides, sign in ((upper, 1.0), (lower, -1.0)):
                if np.isfinite(sides[i]):
                    y = self._worst_answer(z, best, -sign * g)
                    if y is None:
                        return None
                    sides[i] += sign * SECURE * max(1.0, abs(sides[i])) - float(g @ y[self.own])
        return None if (lower > upper).any() else (lower, upper)

    def _worst_answer(self, z: Floats, best: Response, cost: Floats) -> Floats | None:
        """The best answer (n,) of least ``cost`` (own columns,); None where there is no least one."""
        if not cost.any():
            return best.y
        low, up = self._sides_at(z)
        self._ties.set_sides(np.append(low, -np.inf), np.append(up, self.best_value_side(best.value)))
        self._ties.set_cost(cost)
        answer = in_time(self._ties.solve())
        if answer.termination in UNBOUNDED:
            return None
        off = np.inf if answer.x is None else float(self.extended.value_cost[self.own] @ answer.x) - best.value
        if answer.x is None or off > max(self.extended.value_tolerance(best.value), 1e-6 * max(1.0, abs(best.value))):
            said = "the worst of the follower's best answers could not be found"
            raise SolverFailedError(said, help="rescale the model: its numbers are at the edge of the solvers' tolerances")
        return self._spread(answer.x)
