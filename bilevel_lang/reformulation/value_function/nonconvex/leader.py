"""The leader's objective as the search needs it: as a minimisation, with the size of its terms; all 0 where there is none."""

from __future__ import annotations

import pyomo.environ as pyo
from pyomo.common.collections import ComponentMap
from pyomo.core.expr.visitor import identify_variables

from bilevel_lang.oracle.agent_model import number_at
from bilevel_lang.oracle.magnitude import magnitude
from bilevel_lang.problem import BilevelProblem

SMALLEST_SIZE = 1e-6
"""Of the leader's objective, where nothing is known of it, or all its terms vanish."""


class LeaderGoal:
    """``sense`` is 1 for a minimisation, -1 for a maximisation."""

    def __init__(self, problem: BilevelProblem) -> None:
        self._objective = problem.leader.objective
        self.sense = -1.0 if self._objective is not None and self._objective.sense == pyo.maximize else 1.0

    def __bool__(self) -> bool:
        return self._objective is not None

    def value(self, point: ComponentMap) -> float:
        """At the modeller's variables, times the sense."""
        return 0.0 if self._objective is None else self.sense * number_at(self._objective.expr, point)

    def size(self, point: ComponentMap) -> float:
        """Of the terms, at least :data:`SMALLEST_SIZE`."""
        if self._objective is None:
            return 1.0
        variables = identify_variables(self._objective.expr, include_fixed=False)
        return max(SMALLEST_SIZE, magnitude(self._objective.expr, variables, point).total)
