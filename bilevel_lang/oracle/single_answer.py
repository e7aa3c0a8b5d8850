"""Whether an agent whose problem is an LP has one optimal answer, told by its multipliers without looking for another one.

The rows and bounds with a multiplier are tight in all optimal answers (:mod:`bilevel_lang.oracle.optimal_face`). Where they are
as many as the variables, and independent, there is one answer (:mod:`bilevel_lang.oracle.one_point`).
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from pyomo.common.collections import ComponentMap, ComponentSet

from bilevel_lang.oracle.linear_agent import LinearAgent, linear_agent
from bilevel_lang.oracle.one_point import is_regular
from bilevel_lang.oracle.optimal_face import INDIFFERENT, sizes
from bilevel_lang.oracle.response import objective_factor
from bilevel_lang.oracle.traits import AgentClass, Traits
from bilevel_lang.problem import Agent
from bilevel_lang.solvers.highs import Highs
from bilevel_lang.solvers.matrix import MatrixRun
from bilevel_lang.solvers.solver import SolverOptions, Termination


def is_single_answer(agent: Agent, values: ComponentMap, options: SolverOptions, traits: Traits) -> bool:
    """Whether the answer of ``agent`` in ``values``, an optimal one, is proven to be the only one; False where nothing is known.

    For a problem that is an LP of plain sums and has multipliers at the others' ``values``; ``options`` are those of its solve.
    Raises ValueError where a variable of somebody else has no value.
    """
    if traits.agent_class is not AgentClass.LP:
        return False
    assert agent.objective is not None
    factor = objective_factor(agent, values)
    found = linear_agent(agent, values, factor=factor)
    if found is None or not found.variables:
        return False
    run = Highs().run_matrix(found.program, options)
    if run.termination is not Termination.OPTIMAL or run.row_duals is None or run.column_duals is None:
        return False
    least = INDIFFERENT * sizes(agent.objective.expression, ComponentSet(found.variables), values)[1]
    return _is_determined(found, run, factor * least)


def _is_determined(found: LinearAgent, run: MatrixRun, least: float) -> bool:
    """Whether equations and what has a multiplier above ``least`` leave one point."""
    assert run.row_duals is not None and run.column_duals is not None
    program = found.program
    steepest = abs(program.matrix).max(axis=1).toarray().ravel()
    held = (program.row_lower == program.row_upper) | (np.abs(run.row_duals) * steepest > least)
    free = np.abs(run.column_duals) <= least
    if not free.any():
        return True
    if held.sum() != free.sum():
        return False
    return is_regular(sp.csr_matrix(program.matrix[held][:, free]))
