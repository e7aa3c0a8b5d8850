"""Cuts of the expected cost of a linear second stage, and the master program that they stand in.

    min c'x + sum_g theta_g   subject to   A x in [b_l, b_u],  theta_g >= slope'x + offset  for every cut of group g,
                                           slope'x + offset <= 0  for every cut of decisions that leave a scenario without answer

A group is a share of the scenarios with their probabilities. Birge and Louveaux 2011, sections 5.1 and 5.3 (single and multicut).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from bilevel_lang.reformulation.stochastic.arrays import TwoStageArrays
from bilevel_lang.reformulation.stochastic.master import CutRows, Estimates, master_program
from bilevel_lang.solvers.matrix import MatrixProgram
from bilevel_lang.solvers.program import Floats

MOST_GROUPS = 100
"""More groups take fewer rounds, and each of them longer."""


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
