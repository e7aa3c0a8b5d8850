"""The follower at a decision of the leader: its best answer, as a rule for other decisions too, and the leader's best of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp

from bilevel_lang.errors import SolverFailedError
from bilevel_lang.reformulation.value_function.continuous.policies import Policies, Policy
from bilevel_lang.reformulation.value_function.continuous.stubborn import Stubborn
from bilevel_lang.reformulation.value_function.integer.arrays import BilevelProgram
from bilevel_lang.reformulation.value_function.integer.follower import in_time
from bilevel_lang.reformulation.value_function.integer.recession import improves_without_end
from bilevel_lang.solvers.hot_milp import HotMilp
from bilevel_lang.solvers.matrix import Ints, MatrixProgram
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.solver import SolverOptions, Termination
from bilevel_lang.solvers.warm_lp import WarmLp

BEST = 1e-8
"""What an answer may miss the optimum by, relative to max(1, |optimum|), and count as a best one."""

SINGULAR = 1e-9
"""A vertex whose rows give back its own point only up to more than this, relative, makes no rule."""


@dataclass(frozen=True, eq=False)
class Answer:
    """``value`` is the follower's optimum at the decision asked about; ``policy`` the rule that gives it there."""

    value: float
    policy: Policy


class LinkedFollower:
    """See the module's docstring. ``most`` gives the largest value of a row (n,); ``deadline`` as in :class:`HotMilp`."""

    def __init__(
        self, source: BilevelProgram, most: Callable[[Floats], float], options: SolverOptions, deadline: float | None
    ) -> None:
        self.source, self.options, self.deadline = source, options, deadline
        self._own: Ints = np.flatnonzero(source.follower)
        relaxation = source.relaxation
        mine = np.flatnonzero(source.follower_rows)
        matrix = sp.csr_matrix(relaxation.matrix[mine])
        self._B = sp.csr_matrix(matrix[:, self._own])
        self._A = sp.csr_matrix(matrix.multiply(np.where(source.follower, 0.0, 1.0)))
        self._sides = relaxation.row_lower[mine], relaxation.row_upper[mine]
        program = MatrixProgram(
            lower=relaxation.lower[self._own],
            upper=relaxation.upper[self._own],
            integer=relaxation.integer[self._own],
            cost=source.follower_cost[self._own],
            matrix=self._B,
            row_lower=self._sides[0],
            row_upper=self._sides[1],
        )
        self._program = program
        self._best = HotMilp(program, options, deadline)
        self._continuous = np.flatnonzero(~program.integer)
        relaxed = replace(program, integer=np.zeros(program.columns, dtype=bool))
        self._rest = WarmLp(relaxed, options, primal=False, deadline=deadline)
        self._favourable = HotMilp(_leaders(source), options, deadline)
        self._policies = Policies(source)
        self._stubborn = Stubborn(program, self._A, most, options, deadline)
        self.links: Ints = np.flatnonzero(source.linking())

    @property
    def solves(self) -> int:
        """How many problems were solved, of all kinds."""
        return self._best.solves + self._rest.solves + self._favourable.solves + self._stubborn.solves

    def improves_without_end(self) -> bool:
        """Whether the follower has no best answer wherever it has one at all."""
        return improves_without_end(self._program, self.options, self.deadline)

    def answer(self, z: Floats) -> Answer:
        """The best answer where the leader's columns are those of ``z`` (n,). Raises SolverFailedError, OutOfTimeError."""
        shift = self._A @ z
        low, up = self._sides[0] - shift, self._sides[1] - shift
        self._best.set_sides(low, up)
        found = in_time(self._best.solve())
        if found.x is None:
            said = f"the follower's problem is {found.termination.value} where the relaxation has a point"
            raise SolverFailedError(said, help="rescale the model: its numbers are at the edge of the solvers' tolerances")
        return Answer(found.objective, self._policy(z, found.x))

    def hard_to_violate(self, z: Floats, at_most: float) -> Policy | None:
        """A constant answer to ``z`` no worse than ``at_most`` that the fewest rows can make infeasible; None without one."""
        shift = self._A @ z
        slack = BEST * max(1.0, abs(at_most))
        found = in_time(self._stubborn.answer(self._sides[0] - shift, self._sides[1] - shift, at_most + slack))
        if found.x is None:
            return None
        n = self.source.relaxation.columns
        base = np.zeros(n)
        base[self._own] = found.x[: len(self._own)]
        return self._policies.policy(base, sp.csr_matrix((n, n)))

    def _policy(self, z: Floats, y: Floats) -> Policy:
        """The rule of the vertex of ``y`` (own columns,) with its whole columns fixed; a constant where there is no vertex."""
        n = self.source.relaxation.columns
        base = np.zeros(n)
        base[self._own] = y
        rule = self._vertex_rule(z, y) if self._continuous.size else None
        if rule is None:
            return self._policies.policy(base, sp.csr_matrix((n, n)))
        base[self._own[self._continuous]], rows = rule
        gain = sp.lil_matrix((n, n))
        gain[self._own[self._continuous]] = rows
        gain = sp.csr_matrix(gain)
        gain.eliminate_zeros()
        return self._policies.policy(base, gain)

    def _vertex_rule(self, z: Floats, y: Floats) -> tuple[Floats, Floats] | None:
        """Start (c,) and gain (c, n) of the continuous columns."""
        program, free = self._program, self._continuous
        lower, upper = program.lower.copy(), program.upper.copy()
        whole = program.integer
        lower[whole] = upper[whole] = y[whole]
        shift = self._A @ z
        self._rest.set_bounds(lower, upper)
        self._rest.set_sides(self._sides[0] - shift, self._sides[1] - shift)
        solved = self._rest.solve()
        if solved.termination is not Termination.OPTIMAL or solved.x is None:
            return None
        columns, rows = self._rest.resting()
        held = free[columns[free] != 0]
        active = np.flatnonzero(rows)
        if len(held) + len(active) != len(free):
            return None
        B = self._B.toarray()
        matrix = np.vstack([np.eye(program.columns)[held][:, free], B[active][:, free]])
        side = np.where(rows[active] < 0, self._sides[0][active], self._sides[1][active])
        constant = np.concatenate([solved.x[held], side - B[active][:, whole] @ y[whole]])
        slope = np.vstack([np.zeros((len(held), self._A.shape[1])), -self._A[active].toarray()])
        try:
            start, gain = np.linalg.solve(matrix, constant), np.linalg.solve(matrix, slope)
        except np.linalg.LinAlgError:
            return None
        there = start + gain @ z
        exact = np.abs(there - solved.x[free]).max(initial=0.0) <= SINGULAR * max(1.0, float(np.abs(solved.x[free]).max()))
        gain[np.abs(gain) <= 1e-12 * max(1.0, float(np.abs(gain).max(initial=0.0)))] = 0.0
        return (start, gain) if exact and np.isfinite(gain).all() else None

    def favourable(self, z: Floats, value: float) -> Floats | None:
        """The leader's best point (n,) with the linking columns of ``z``, the follower at most at ``value``, its optimum there.

        None where the leader's rows admit no best answer. Raises OutOfTimeError where the time is over before a point is known.
        """
        relaxation = self.source.relaxation
        lower, upper = relaxation.lower.copy(), relaxation.upper.copy()
        links = self.links
        lower[links] = upper[links] = np.where(relaxation.integer[links], np.rint(z[links]), z[links])
        self._favourable.set_bounds(lower, upper)
        at_most = value + BEST * max(1.0, abs(value))
        self._favourable.set_sides(np.append(relaxation.row_lower, -np.inf), np.append(relaxation.row_upper, at_most))
        found = self._favourable.solve()
        if found.x is None and found.termination is Termination.INFEASIBLE:
            return None
        return found.x if found.x is not None else in_time(found).x


def _leaders(source: BilevelProgram) -> MatrixProgram:
    """The relaxation as a minimisation, with the follower's objective as its last row."""
    relaxation = source.relaxation
    return replace(
        relaxation,
        cost=relaxation.sense * relaxation.cost,
        sense=1,
        constant=0.0,
        matrix=sp.vstack([relaxation.matrix, sp.csr_matrix(source.follower_cost)], format="csr"),
        row_lower=np.append(relaxation.row_lower, -np.inf),
        row_upper=np.append(relaxation.row_upper, np.inf),
    )
