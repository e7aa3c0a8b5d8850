"""Are given numbers multipliers of an agent at a point? Decided by the least residual over all the other multipliers.

Signs as in :mod:`bilevel_lang.problem`: the reported multiplier is d(optimal value)/d(right-hand side) of the agent.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.sparse as sp
from pyomo.common.collections import ComponentMap
from scipy.optimize import linprog

from bilevel_lang.oracle.agent_model import number_at, value_of
from bilevel_lang.oracle.gradient import Gradient
from bilevel_lang.oracle.magnitude import magnitude
from bilevel_lang.oracle.natural_map import force_size
from bilevel_lang.oracle.traits import is_pinned
from bilevel_lang.problem import Agent, DualMap

ACTIVE = 1e-5
"""A row or bound closer than this to its side (relative to max(1, |side|)) counts as active."""

Entries = dict[int, float]
Cone = tuple[float | None, float | None]


def multiplier_residual(agent: Agent, maps: Sequence[DualMap], values: ComponentMap) -> float:
    """How far the variables of ``maps`` are from being multipliers of their rows; 0 where some choice of the others fits.

    The measure is the largest component of the Lagrangian's gradient, by the size of the terms of the agent's own gradient, so
    that it stays the same when the objective is multiplied by a positive number. inf where something is not defined.
    """
    return LagrangianGradient(agent, values).residual(maps)


def reduced_costs(agent: Agent, multipliers: ComponentMap, values: ComponentMap) -> list[tuple[Any, float]]:
    """Each variable of ``agent`` with d(optimal value)/d(its active bound): what the rows leave of the gradient.

    ``multipliers`` maps row components to reported multipliers (absent: 0). Within the bounds the figure is 0 up to tolerances.
    """
    system = LagrangianGradient(agent, values)
    rest, _ = system.gradient()
    for row in agent.rows:
        multiplier = agent.sign * multipliers.get(row.component, 0.0)
        for place, number in system.entries(row.body).items() if multiplier else ():
            rest[place] -= multiplier * number
    return [(variable, agent.sign * float(number)) for variable, number in zip(system.owned, rest, strict=True)]


class LagrangianGradient:
    """The gradient of the Lagrangian of one agent's ``min`` problem at a point, column by column."""

    def __init__(self, agent: Agent, values: ComponentMap) -> None:
        self.agent = agent
        self.values = values
        self.owned = [v for v in agent.variables if not is_pinned(v)]
        self.index = {id(v): i for i, v in enumerate(self.owned)}
        self.gradients = Gradient(self.owned)

    def residual(self, maps: Sequence[DualMap]) -> float:
        """See :func:`multiplier_residual`."""
        rest, size = self.gradient()
        given = {id(m.row): m for m in maps}
        columns: list[Entries] = []
        cones: list[Cone] = []
        wrong = 0.0
        for row in self.agent.rows:
            normal = self.entries(row.body)
            cone = active_cone(row.lower, row.upper, number_at(row.body, self.values))
            if id(row) not in given:
                columns.append(normal)
                cones.append(cone)
                continue
            dual = given[id(row)]
            multiplier = dual.factor * self.agent.sign * value_of(dual.variable, self.values)
            steepest = max((abs(n) for n in normal.values()), default=0.0) or 1.0
            size = max(size, abs(multiplier) * steepest)
            wrong = max(wrong, _outside(multiplier, cone) * steepest)
            for place, number in normal.items():
                rest[place] -= multiplier * number
        for column, cone in self.bounds():
            columns.append(column)
            cones.append(cone)
        if size == 0:
            return 0.0
        return max(wrong, least_residual(rest / size, columns, cones, size) * size) / size

    def bounds(self) -> list[tuple[Entries, Cone]]:
        """Column and cone of the multiplier of each owned variable's bounds."""
        return [
            ({place: 1.0}, active_cone(variable.lb, variable.ub, value_of(variable, self.values)))
            for place, variable in enumerate(self.owned)
        ]

    def gradient(self) -> tuple[Any, float]:
        """The gradient of the objective (or F), and the size of the terms in it."""
        agent, total = self.agent, np.zeros(len(self.owned))
        if agent.objective is not None:
            for place, number in self.entries(agent.objective.expression).items():
                total[place] += agent.sign * number
            return total, magnitude(agent.objective.expression, self.owned, self.values).slope(self.values)
        size = 0.0
        for function in agent.functions:
            if function.expression is not None and id(function.variable) in self.index:
                total[self.index[id(function.variable)]] += number_at(function.expression, self.values)
                size = max(size, force_size(function, self.values))
        return total, size

    def entries(self, expression: Any) -> Entries:
        """The gradient of ``expression`` at the point, zeros left out."""
        found: Entries = {}
        for variable, derivative in self.gradients.derivatives(expression):
            place = self.index[id(variable)]
            found[place] = found.get(place, 0.0) + number_at(derivative, self.values)
        return found


def active_cone(lower: float | None, upper: float | None, at: float) -> Cone:
    """Where a multiplier of a ``min`` agent may lie: free on an equality, one sign on an active side, 0 on an inactive row."""
    below = lower is not None and at - lower <= ACTIVE * max(1.0, abs(lower))
    above = upper is not None and upper - at <= ACTIVE * max(1.0, abs(upper))
    return (None if above else 0.0), (None if below else 0.0)


def _outside(multiplier: float, cone: Cone) -> float:
    if not math.isfinite(multiplier):
        return math.inf
    low, up = cone
    return max(0.0, low - multiplier if low is not None else 0.0, multiplier - up if up is not None else 0.0)


def least_residual(rest: Any, columns: list[Entries], cones: list[Cone], size: float) -> float:
    """min over multipliers u in their cones of |rest - sum u_k column_k| (largest component): an LP with t as last column."""
    kept = [(c, cone) for c, cone in zip(columns, cones, strict=True) if cone != (0.0, 0.0) and c]
    numbers = [n for c, _ in kept for n in c.values()]
    if not (np.all(np.isfinite(rest)) and np.all(np.isfinite(numbers)) and math.isfinite(size)):
        return math.inf
    if not len(rest):
        return 0.0
    if not kept:
        return float(np.max(np.abs(rest)))
    # Multipliers in units of ``size``, as ``rest`` is: the cones are cones, so that their bounds 0 and None stay as they are.
    places = [(row, k) for k, (c, _) in enumerate(kept) for row in c]
    matrix = sp.csr_matrix((numbers, tuple(zip(*places, strict=True))), shape=(len(rest), len(kept)))
    ones = sp.csr_matrix(np.ones((len(rest), 1)))
    system = sp.bmat([[-matrix, -ones], [matrix, -ones]], format="csr")
    cost = np.zeros(len(kept) + 1)
    cost[-1] = 1.0
    bounds = [*(cone for _, cone in kept), (0.0, None)]
    result = linprog(cost, A_ub=system, b_ub=np.concatenate([-rest, rest]), bounds=bounds, method="highs")
    return float(result.fun) if result.status == 0 else math.inf
