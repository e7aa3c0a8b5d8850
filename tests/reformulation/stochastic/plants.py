"""A program in which most decisions leave a scenario without an answer."""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo


def plants(count: int, sense: int = 1) -> tuple[Any, str]:
    """Plants to be built for a demand, and up to three lots of random size beside them: random sides and coefficients.

    Of ``count`` plants one may be left out, the last one, which is the dearest: two lots take its place in one of the two
    scenarios, at a cost of 2 in expectation.
    """
    m = pyo.ConcreteModel()
    m.I = pyo.RangeSet(count)
    m.demand, m.lot, m.output = (pyo.Param(initialize=1, mutable=True) for _ in range(3))
    m.x = pyo.Var(m.I, domain=pyo.Binary)
    m.y = pyo.Var(bounds=(0, 3), domain=pyo.NonNegativeIntegers)
    m.serve = pyo.Constraint(expr=m.output * pyo.quicksum(m.x.values()) + m.lot * m.y >= m.demand)
    cost = pyo.quicksum((10 + i) * m.x[i] for i in m.I) + 2 * m.y
    m.cost = pyo.Objective(expr=sense * cost, sense=pyo.minimize if sense > 0 else pyo.maximize)
    return m, f"jrandvar demand lot output 0.5 {count} 0.5 1 0.5 {0.9 * count} 0.25 1.5\nstage 2 y serve"
