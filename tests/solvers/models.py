"""Small models with answers known in closed form, shared by the solver tests."""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo

KINDS = ("le", "ge", "eq", "range_low", "range_high")


def signed_lp(sense: str, kind: str, shift: float = 0.0) -> Any:
    """An LP whose row ``c`` is active; ``shift`` moves its active side, so that duals can be checked by differences."""
    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=(0, 10))
    m.y = pyo.Var(bounds=(0.5, 10))
    pushes_up = kind in ("ge", "eq", "range_low")
    sign = (1 if sense == "min" else -1) * (1 if pushes_up else -1)
    m.o = pyo.Objective(expr=sign * (2 * m.x + 3 * m.y) + 7, sense=pyo.minimize if sense == "min" else pyo.maximize)
    body = m.x + m.y
    side = 1 + shift
    rows = {
        "le": body <= side,
        "ge": body >= side,
        "eq": body == side,
        "range_low": pyo.inequality(side, body, 5),
        "range_high": pyo.inequality(0, body, side),
    }
    m.c = pyo.Constraint(expr=rows[kind])
    return m


def knapsack() -> Any:
    """Optimum 4 at x = (0, 1, 1); the relaxation reaches 4.5."""
    m = pyo.ConcreteModel()
    m.x = pyo.Var(range(3), domain=pyo.Binary)
    m.o = pyo.Objective(expr=3 * m.x[0] + 2 * m.x[1] + 2 * m.x[2], sense=pyo.maximize)
    m.c = pyo.Constraint(expr=3 * m.x[0] + 2 * m.x[1] + 2 * m.x[2] <= 4.5)
    return m


def market_split(n: int = 50, rows: int = 5) -> Any:
    """A small MILP that no solver finishes in the time a test has: for limits and interrupts. Any binary x is feasible."""
    import numpy as np

    rng = np.random.default_rng(3)
    a = rng.integers(1, 100, (rows, n))
    m = pyo.ConcreteModel()
    m.x = pyo.Var(range(n), domain=pyo.Binary)
    m.over = pyo.Var(range(rows), bounds=(0, None))
    m.under = pyo.Var(range(rows), bounds=(0, None))
    m.o = pyo.Objective(expr=pyo.quicksum(m.over[k] + m.under[k] for k in range(rows)))
    m.c = pyo.Constraint(
        range(rows),
        rule=lambda m, k: sum(int(a[k, i]) * m.x[i] for i in range(n)) + m.over[k] - m.under[k] == int(a[k].sum() // 2),
    )
    return m


def bard_sos1() -> Any:
    """Stationarity conditions of a linear bilevel problem, with SOS1 pairs: optimum 92/15 at x = 28/15, y = 8/15."""
    m = pyo.ConcreteModel()
    m.y, m.x = pyo.Var(bounds=(0, 8)), pyo.Var(bounds=(None, 5))
    m.o = pyo.Objective(expr=3 * m.x + m.y)
    rows = [(1, 1, 8, 1), (4, 1, 8, -1), (2, 1, 13, 1), (2, -7, 0, 1), (1, 0, 5, 1)]
    m.l = pyo.Var(range(5), bounds=(0, None))
    m.s = pyo.Var(range(5), bounds=(0, None))
    m.row = pyo.Constraint(range(5), rule=lambda m, k: _slacked(m, k, rows))
    m.st = pyo.Constraint(expr=-1 + sum(sign * a * m.l[k] for k, (a, _, _, sign) in enumerate(rows)) == 0)
    m.sos = pyo.SOSConstraint(range(5), sos=1, rule=lambda m, k: [m.l[k], m.s[k]])
    return m


def _slacked(m: Any, k: int, rows: list[tuple[int, int, int, int]]) -> Any:
    a, b, side, sign = rows[k]
    return sign * (a * m.x + b * m.y) + m.s[k] == sign * side


def chain(n: int = 6) -> Any:
    """A chained Rosenbrock function with nonlinear equations."""
    m = pyo.ConcreteModel()
    m.x = pyo.Var(range(n), bounds=(-10, 10), initialize=lambda m, i: -1.2 if i % 2 == 0 else 1.0)
    m.o = pyo.Objective(expr=sum(100 * (m.x[i] ** 2 - m.x[i + 1]) ** 2 + (m.x[i] - 1) ** 2 for i in range(n - 1)))
    m.c = pyo.Constraint(
        range(n - 2),
        rule=lambda m, k: 3 * m.x[k + 1] ** 3 + 2 * m.x[k + 2] - 8 + 4 * m.x[k + 1] - m.x[k] * pyo.exp(m.x[k] - m.x[k + 1]) == 0,
    )
    return m


def state(m: Any) -> list[Any]:
    """What a run must leave as it was: values, stale and fixed marks, bounds, activity."""
    variables = [(v.name, v.value, v.stale, v.fixed, v.bounds) for v in m.component_data_objects(pyo.Var)]
    active = [(c.name, c.active) for c in m.component_data_objects((pyo.Constraint, pyo.Objective, pyo.SOSConstraint))]
    return [variables, active, [c.name for c in m.component_objects()]]
