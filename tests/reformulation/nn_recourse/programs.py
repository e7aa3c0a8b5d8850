"""Two-stage programs for the tests here, with ways to their answers that share nothing with what is tested."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyomo.environ as pyo

from bilevel_lang.solvers.program import Floats

DEMANDS = ((4.0, 7.0), (6.0, 2.0), (9.0, 5.0))
"""Of two customers in three scenarios of equal probability."""

OPEN, SERVE, LOST = (9.0, 7.0, 12.0), ((1.0, 3.0), (2.0, 1.0), (1.0, 1.0)), 8.0
ANNOTATION = "jrandvar d[1] d[2]\n" + "".join(f"  {1 / 3!r} {a} {b}\n" for a, b in DEMANDS) + "stage 2 d y lost need room\n"


def facilities(whole: bool, binary: bool = True) -> Any:
    """Three facilities of capacity 6, to be opened (or built in part) before the demand is known; ``whole``: unsplit service."""
    m = pyo.ConcreteModel()
    m.I, m.J = pyo.RangeSet(3), pyo.RangeSet(2)
    m.d = pyo.Param(m.J, initialize=5.0, mutable=True)
    m.x = pyo.Var(m.I, domain=pyo.Binary if binary else pyo.Reals, bounds=(0, 1))
    m.y = pyo.Var(m.I, m.J, domain=pyo.NonNegativeIntegers if whole else pyo.NonNegativeReals, bounds=(0, 2))
    m.lost = pyo.Var(m.J, bounds=(0, None))
    # Service comes in lots of 2.5, so that whole lots and parts of lots differ.
    m.need = pyo.Constraint(m.J, rule=lambda m, j: 2.5 * pyo.quicksum(m.y[i, j] for i in m.I) + m.lost[j] >= m.d[j])
    m.room = pyo.Constraint(m.I, rule=lambda m, i: 2.5 * pyo.quicksum(m.y[i, j] for j in m.J) <= 6 * m.x[i])
    cost = pyo.quicksum(OPEN[i - 1] * m.x[i] for i in m.I)
    late = pyo.quicksum(SERVE[i - 1][j - 1] * m.y[i, j] for i in m.I for j in m.J) + LOST * pyo.quicksum(m.lost.values())
    m.cost = pyo.Objective(expr=cost + late)
    return m


def corners() -> Floats:
    """All eight decisions."""
    return np.array([[a, b, c] for a in (0.0, 1.0) for b in (0.0, 1.0) for c in (0.0, 1.0)])
