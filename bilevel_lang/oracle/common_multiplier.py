"""Is there one multiplier for all agents of a row that they share? (``visol``: a variational equilibrium.)

Each agent's optimality alone does not tell: a point may be an equilibrium with other multipliers for other agents. Here the
stationarity of all agents that are joined by such rows is looked at together, with one unknown for each shared row.
Reference: Facchinei and Kanzow, Generalized Nash equilibrium problems, Ann. Oper. Res. 175 (2010), section 4.2.
"""

from __future__ import annotations

import numpy as np
from pyomo.common.collections import ComponentMap

from bilevel_lang.oracle.agent_model import number_at
from bilevel_lang.oracle.multipliers import Cone, Entries, LagrangianGradient, active_cone, least_residual
from bilevel_lang.problem import Agent, BilevelProblem


def common_multiplier_residual(problem: BilevelProblem, values: ComponentMap) -> float | None:
    """How far the agents are from having common multipliers of the rows of ``visol``; None without such rows.

    The least largest component, over all multipliers of the right signs, of the gradients of the agents' Lagrangians, each by the
    size of the terms of its own objective's gradient. inf where something is not defined.
    """
    agents = [a for a in problem.agents if any(problem.has_common_multiplier(row) for row in a.rows)]
    return _residual(problem, agents, values) if agents else None


def _residual(problem: BilevelProblem, agents: list[Agent], values: ComponentMap) -> float:
    rest: list[float] = []
    columns: list[Entries] = []
    cones: list[Cone] = []
    common: ComponentMap = ComponentMap()
    for agent in agents:
        system = LagrangianGradient(agent, values)
        gradient, size = system.gradient()
        # An agent without any gradient is stationary whatever the others' multipliers are, unless these push it off.
        size = size or 1.0
        start = len(rest)
        rest += list(gradient / size)
        for row in agent.rows:
            entries = {start + place: number / size for place, number in system.entries(row.body).items()}
            if problem.has_common_multiplier(row) and row.component in common:
                columns[common[row.component]].update(entries)
                continue
            if problem.has_common_multiplier(row):
                common[row.component] = len(columns)
            columns.append(entries)
            cones.append(active_cone(row.lower, row.upper, number_at(row.body, values)))
        for column, cone in system.bounds():
            columns.append({start + place: number for place, number in column.items()})
            cones.append(cone)
    return least_residual(np.array(rest), columns, cones, 1.0)
