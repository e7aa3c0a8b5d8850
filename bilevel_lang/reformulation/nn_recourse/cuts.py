"""Cuts of the expected cost of a linear second stage, and the master program that they stand in.

    min c'x + sum_g theta_g   subject to   A x in [b_l, b_u],  theta_g >= slope'x + offset  for every cut of group g,
                                           slope'x + offset <= 0  for every cut of decisions that leave a scenario without answer

A group is a share of the scenarios with their probabilities. Birge and Louveaux 2011, sections 5.1 and 5.3 (single and multicut).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import scipy.sparse as sp

from bilevel_lang.reformulation.stochastic.arrays import TwoStageArrays
from bilevel_lang.reformulation.stochastic.master import CutRows, Estimates, master_program
from bilevel_lang.reformulation.stochastic.proven_costs import proven_costs, usable
from bilevel_lang.solvers.highs import Highs
from bilevel_lang.solvers.matrix import MatrixProgram
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.solver import SolverOptions

MOST_GROUPS = 100
"""More groups take fewer rounds, and each of them longer."""

NOTHING = Estimates(np.zeros(0), np.zeros(0), np.zeros(0))
"""No estimates at all."""


@dataclass
class Cuts:
    """What is known so far of the expected cost of ``arrays``; costs of the first stage are those of the minimisation."""

    arrays: TwoStageArrays
    slopes: list[Floats] = field(default_factory=list)
    offsets: list[float] = field(default_factory=list)
    groups: list[int] = field(default_factory=list)
    borders: list[tuple[Floats, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.count = min(self.arrays.scenarios, MOST_GROUPS)
        self.group_of = np.arange(self.arrays.scenarios) % self.count
        self.cost: Floats = self.arrays.sense * (self.arrays.first.cost + self.arrays.mean("first_cost"))

    @property
    def constant(self) -> float:
        """Of the first stage's costs."""
        return self.arrays.sense * self.arrays.first.constant

    def first_cost(self, x: Floats) -> float:
        """What the first stage costs at ``x`` (n1,), with its expected costs of the second."""
        return self.constant + float(self.cost @ x)

    def add(self, x: Floats, values: Floats, slopes: Floats) -> None:
        """Cuts at ``x`` from ``values`` (S,) and ``slopes`` (S, n1)."""
        weights = self.arrays.probabilities
        for group in range(self.count):
            mine = np.flatnonzero(self.group_of == group)
            slope = weights[mine] @ slopes[mine]
            self.slopes.append(slope)
            self.offsets.append(float(weights[mine] @ values[mine] - slope @ x))
            self.groups.append(group)

    def forbid(self, x: Floats, violation: float, slope: Floats) -> None:
        """No decision at which ``violation + slope'(. - x) > 0``."""
        self.borders.append((slope, violation - float(slope @ x)))

    def expected(self, points: Floats) -> Floats:
        """The largest of each group's cuts at ``points`` (k, n1), summed over the groups (k,): never above the expected cost.

        0 as long as there is no cut.
        """
        total = np.zeros(len(points))
        if not self.slopes:
            return total
        slopes, offsets, groups = np.array(self.slopes), np.array(self.offsets), np.array(self.groups)
        for group in range(self.count):
            mine = groups == group
            total += (points @ slopes[mine].T + offsets[mine]).max(axis=1)
        return total

    def proven(self, program: MatrixProgram, duals: Floats) -> float:
        """What ``duals`` of the rows of ``program``, the master without integers, prove of its cost; -inf for nothing.

        Those of a group's cuts are scaled to 1 in sum, since theta has no bounds.
        """
        first, count = self.arrays.first, len(self.slopes)
        shares, groups = np.maximum(duals[first.rows : first.rows + count], 0.0), np.array(self.groups)
        totals = np.bincount(groups, shares, self.count)
        if (totals <= 0).any():
            return -np.inf
        shares = shares / totals[groups]
        rows = np.delete(np.arange(program.rows), np.arange(first.rows, first.rows + count))
        sides = program.row_lower[rows][None], program.row_upper[rows][None]
        cost = self.cost + shares @ np.array(self.slopes)
        matrix = sp.csr_matrix(program.matrix[rows][:, : len(cost)])
        kept = usable(duals[rows][None], sides)
        least = proven_costs(cost[None], matrix, kept, sides, (first.lower[None], first.upper[None]))
        return self.constant + float(shares @ np.array(self.offsets)) + float(least[0])

    def middle(self) -> Floats | None:
        """A first stage (n1,) between corners, integers relaxed; None where there is none, or no end of them."""
        first, none = self.arrays.first, np.zeros(len(self.cost), dtype=bool)
        corners = []
        for cost in (self.cost, -self.cost, np.ones(len(self.cost)), -np.ones(len(self.cost))):
            run = Highs().run_matrix(master_program(first, cost, none, NOTHING, CutRows()), SolverOptions())
            if run.x is None:
                return None
            corners.append(run.x)
        return np.asarray(np.mean(corners, axis=0))

    def program(self, whole: bool) -> MatrixProgram:
        """The master over [x | theta]; ``whole``: with the first stage's integers. Without cuts, theta is 0."""
        first, borders = self.arrays.first, self.borders
        free = np.full(self.count, -np.inf if self.slopes else 0.0)
        thetas = Estimates(free, -free, np.ones(self.count))
        further = []
        if borders:
            offsets = np.array([offset for _, offset in borders])
            further.append((np.array([slope for slope, _ in borders]), np.full(len(borders), -np.inf), -offsets))
        cuts = CutRows(self.slopes, self.offsets, self.groups)
        return replace(master_program(first, self.cost, first.integer & whole, thetas, cuts, further), constant=self.constant)
