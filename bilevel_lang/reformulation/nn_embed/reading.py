"""What nn-embed takes of a problem: arrays, and functions of the leader that are not linear and can only be evaluated."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyomo.environ as pyo
from pyomo.common.collections import ComponentMap
from pyomo.core.expr.visitor import identify_variables

from bilevel_lang.oracle.agent_model import number_at
from bilevel_lang.oracle.magnitude import row_violation
from bilevel_lang.problem import BilevelProblem
from bilevel_lang.reformulation.nn_embed.domain import seen_inputs
from bilevel_lang.reformulation.rewrite import Refusal
from bilevel_lang.reformulation.value_function.integer.reading import ReadProblem, read_linear
from bilevel_lang.solvers.matrix import Ints
from bilevel_lang.solvers.program import Floats


@dataclass(frozen=True, eq=False)
class CurvedLeader:
    """The leader's ``objective`` (an expression; ``sense`` +1 min, -1 max) and those ``rows`` that are not linear."""

    variables: tuple[Any, ...]
    objective: Any
    sense: int
    rows: tuple[Any, ...]

    def evaluate(self, z: Floats) -> tuple[float, float]:
        """(objective as a minimisation, largest violation of the rows relative to max(1, |side|)) at columns ``z``."""
        values = ComponentMap(zip(self.variables, z.tolist(), strict=True))
        off = max((row_violation(r.body, r.lb, r.ub, values) for r in self.rows), default=0.0)
        return self.sense * number_at(self.objective, values), off


@dataclass(frozen=True, eq=False)
class SampledProblem:
    """``read`` holds all that is linear, ``curved`` (None: nothing) the rest; ``inputs`` are the columns that are drawn."""

    read: ReadProblem
    curved: CurvedLeader | None
    inputs: Ints


def read_sampled(problem: BilevelProblem) -> SampledProblem | Refusal:
    """The problem as it can be sampled, or why it cannot. Raises ModelFileError where it cannot be evaluated."""
    found = read_linear(problem)
    if not isinstance(found, Refusal):
        return SampledProblem(found, None, seen_inputs(found.arrays))
    objective = problem.leader.objective
    curved_rows = tuple(r for r in problem.leader.rows if not _linear(r.body))
    if objective is None or (_linear(objective.expr) and not curved_rows):
        return found
    straight = tuple(r for r in problem.leader.rows if _linear(r.body))
    linear = read_linear(replace(problem, leader=replace(problem.leader, objective=None, rows=straight)))
    if isinstance(linear, Refusal):
        return linear
    known = {id(v) for v in linear.variables}
    for expression in (objective.expr, *(r.body for r in curved_rows)):
        for variable in identify_variables(expression, include_fixed=False):
            if id(variable) not in known:
                return Refusal(
                    f"`{variable.name}` stands in functions of the leader alone that are not linear", "use another method"
                )
    sense = -1 if objective.sense == pyo.maximize else 1
    curved = CurvedLeader(linear.variables, objective.expr, sense, curved_rows)
    inputs: Ints = np.flatnonzero(~linear.arrays.follower)
    return SampledProblem(linear, curved, inputs)


def _linear(expression: Any) -> bool:
    return bool(expression.polynomial_degree() in (0, 1))
