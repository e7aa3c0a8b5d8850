"""What a network has to beat: the follower's value by its LP relaxation, which needs no sample.

The follower's integrality is left out and the problem solved by its optimality conditions; at the decision found the follower is
solved as it is. Where it is wrong, the follower rounds away what the leader counted on.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyomo.environ as pyo

import bilevel_lang
from benchmarks.nn_embed.cases import Case
from bilevel_lang.reformulation.nn_embed.judge import Judge
from bilevel_lang.reformulation.nn_embed.reading import SampledProblem, read_sampled
from bilevel_lang.solvers.solver import SolverOptions

NAME = "LP for"
"""In the column of the rounds, before the rounds whose time it is given."""


def lp_relaxation(case: Case, limit: float) -> tuple[str, float | None]:
    """The status of the relaxed problem, and the leader's true objective at its decision; None where that is no point."""
    model, info = case.model()
    problem = bilevel_lang.resolve(model, info)
    read = read_sampled(problem)
    assert isinstance(read, SampledProblem) and read.evaluated is None
    for variable in [v for agent in problem.agents for v in agent.variables if not v.is_continuous()]:
        _relax(variable)
    solution = bilevel_lang.solve(model, info, method="kkt", time_limit=limit)
    # The arrays were read before: their follower still has its integers.
    columns = [read.read.variables[j] for j in read.inputs]
    if any(v.value is None for v in columns):
        return solution.status.value, None
    judge = Judge(read.read.arrays, read.inputs, SolverOptions())
    verdict = judge.ask(np.array([v.value for v in columns]))
    objective = read.read.arrays.relaxation.sense * verdict.objective
    return solution.status.value, float(objective) if verdict.point is not None else None


def _relax(variable: Any) -> None:
    lower, upper = variable.bounds
    variable.domain = pyo.Reals
    variable.setlb(lower)
    variable.setub(upper)
