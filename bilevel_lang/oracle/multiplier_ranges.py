"""The least and the largest value that the multiplier of one row can have at a point.

The multipliers of an agent at an optimal answer form a polyhedron (the signs of their cones, and a gradient of the Lagrangian
that is zero); two LPs find the extremes of one of them. Where the normals of the active rows are linearly independent it is one
point.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import scipy.sparse as sp
from pyomo.common.collections import ComponentMap
from scipy.optimize import linprog

from bilevel_lang.oracle.agent_model import number_at
from bilevel_lang.oracle.multipliers import Cone, Entries, LagrangianGradient, active_cone, least_residual
from bilevel_lang.problem import DualMap

LOOSE = 1e-9
"""What the gradient of the Lagrangian may be off, relative to the size of its terms; twice its least residual if that is more."""

NO_MULTIPLIERS = 1e-4
"""A least residual above this says that the point has no multipliers."""


def multiplier_range(dual: DualMap, values: ComponentMap) -> tuple[float, float] | None:
    """Least and largest value of the ``dualvar`` variable of ``dual`` at ``values``, in its own sign; +-inf without a limit.

    None where the point has no multipliers at all, or something is not defined there.
    """
    agent = dual.agent
    system = LagrangianGradient(agent, values)
    rest, size = system.gradient()
    columns: list[Entries] = []
    cones: list[Cone] = []
    target: int | None = None
    for row in agent.rows:
        if row is dual.row:
            target = len(columns)
        columns.append(system.entries(row.body))
        cones.append(active_cone(row.lower, row.upper, number_at(row.body, values)))
    for column, cone in system.bounds():
        columns.append(column)
        cones.append(cone)
    size = size or 1.0
    least = least_residual(rest / size, columns, cones, size)
    if target is None or not least <= NO_MULTIPLIERS:
        return None
    ends = _ends(rest / size, columns, cones, target, max(LOOSE, 2 * least))
    if ends is None:
        return None
    factor = dual.factor * agent.sign * size
    lower, upper = sorted(factor * end for end in ends)
    return lower, upper


def _ends(rest: Any, columns: list[Entries], cones: list[Cone], target: int, loose: float) -> tuple[float, float] | None:
    """Least and largest u[target] with ``|rest - sum u_k column_k| <= loose`` and every u_k in its cone."""
    places = [(place, k, number) for k, column in enumerate(columns) for place, number in column.items()]
    data = [number for _, _, number in places]
    shape = (len(rest), len(columns))
    matrix = sp.csr_matrix((data, ([p for p, _, _ in places], [k for _, k, _ in places])), shape=shape)
    system = sp.vstack([matrix, -matrix], format="csr")
    sides = np.concatenate([rest + loose, loose - rest])
    ends = []
    for sign in (1.0, -1.0):
        cost = np.zeros(len(columns))
        cost[target] = sign
        # Without presolve, HiGHS tells unbounded from infeasible.
        found = linprog(cost, A_ub=system, b_ub=sides, bounds=cones, method="highs", options={"presolve": False})
        if found.status == 0:
            ends.append(sign * float(found.fun))
        elif found.status == 3:
            ends.append(-sign * math.inf)
        else:
            return None
    return ends[0], ends[1]
