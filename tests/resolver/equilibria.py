"""Small problems in which agents share something, for the tests of the resolver and of the rewrite."""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo


def game() -> Any:
    """Two players who share a row; the second has a price that both move."""
    m = pyo.ConcreteModel()
    m.x = pyo.Var([1, 2], bounds=(0, 10))
    m.p = pyo.Var()
    m.u = pyo.Var()
    m.cost = pyo.Expression([1, 2], rule=lambda m, i: (m.x[i] - i) ** 2)
    m.gain = pyo.Expression([1, 2], rule=lambda m, i: -m.cost[i])
    m.profit = pyo.Expression([1, 2], rule=lambda m, i: m.p * m.x[i])
    m.total = pyo.Constraint(expr=m.x[1] + m.x[2] <= 2)
    m.demand = pyo.Constraint(expr=m.p + m.x[1] + m.x[2] == 1)
    return m


def without(model: Any, *names: str) -> Any:
    """``model`` with these rows switched off."""
    for name in names:
        model.component(name).deactivate()
    return model


def quasi() -> Any:
    """A QVI whose solution is y = (10, 5), x its twin (the page of the GAMS documentation)."""
    m = pyo.ConcreteModel()
    m.y = pyo.Var([1, 2], bounds=(0, 11))
    m.x = pyo.Var([1, 2])
    a = {(1, 1): 2, (1, 2): 8 / 3, (2, 1): 5 / 4, (2, 2): 2}
    m.F = pyo.Expression([1, 2], rule=lambda m, i: a[i, 1] * m.y[1] + a[i, 2] * m.y[2] - (100 / 3, 22.5)[i - 1])
    m.g = pyo.Constraint([1, 2], rule=lambda m, i: m.y[i] + m.x[3 - i] <= (15, 20)[i - 1])
    return m


def embedded() -> Any:
    """Ferris et al. (2009), section 4.3: lam = 2, y = 0, x = -1."""
    m = pyo.ConcreteModel()
    m.x = pyo.Var()
    m.y = pyo.Var()
    m.lam = pyo.Var(bounds=(0, None))
    m.obj = pyo.Objective(expr=(m.x - m.y) ** 2)
    m.g = pyo.Constraint(expr=m.y - m.x >= 1)
    m.H = pyo.Constraint(expr=m.y + m.lam == 2)
    return m
