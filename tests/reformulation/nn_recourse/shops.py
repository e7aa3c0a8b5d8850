"""A shop that buys lots of two things before it knows the demand, and ways to its answer that share nothing with the engine."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyomo.environ as pyo

from bilevel_lang.solvers.program import Floats

PRICE, COST, WASTE, LOT, ROOM = (60.0, 45.0), (30.0, 15.0), 4.0, 10.0, 18
LATE = "stage 2 sold left stock demand\n"
LAWS = "randvar d[1] uniform 20 100\nrandvar d[2] uniform 20 120\n" + LATE


def shop(whole: bool = True, room: int = ROOM, price: float = 60.0) -> Any:
    """At most 12 lots of each, ``room`` of both; whole lots are bought, and with ``whole`` whole lots are sold."""
    m = pyo.ConcreteModel("shop")
    m.P = pyo.RangeSet(2)
    m.d = pyo.Param(m.P, initialize=50, mutable=True)
    m.x = pyo.Var(m.P, bounds=(0, 12), domain=pyo.Integers)
    m.sold = pyo.Var(m.P, bounds=(0, 12), domain=pyo.Integers if whole else pyo.Reals)
    m.left = pyo.Var(m.P, bounds=(0, None))
    m.room = pyo.Constraint(expr=m.x[1] + m.x[2] <= room)
    m.stock = pyo.Constraint(m.P, rule=lambda m, i: m.sold[i] + m.left[i] == m.x[i])
    m.demand = pyo.Constraint(m.P, rule=lambda m, i: LOT * m.sold[i] <= m.d[i])
    prices = (price, PRICE[1])
    gain = pyo.quicksum(prices[i - 1] * m.sold[i] - COST[i - 1] * m.x[i] - WASTE * m.left[i] for i in m.P)
    m.profit = pyo.Objective(expr=gain, sense=pyo.maximize)
    return m


def table(values: Floats, shares: Floats) -> str:
    """The annotation with these scenarios (S, 2) and probabilities (S,)."""
    lines = [f"  {p!r} {a!r} {b!r}" for p, (a, b) in zip(shares.tolist(), values.tolist(), strict=True)]
    return "jrandvar d[1] d[2]\n" + "\n".join(lines) + "\n" + LATE


def expected_profit(x: Floats, values: Floats, shares: Floats) -> float:
    """Of whole lots ``x`` (2,), by hand."""
    sold = np.minimum(x, np.floor(values / LOT + 1e-9))
    profit = (np.array(PRICE) * sold - np.array(COST) * x - WASTE * (x - sold)).sum(axis=1)
    return float(shares @ profit)


def best_profit(values: Floats, shares: Floats) -> float:
    """By trying all decisions."""
    lots = [np.array([a, b], dtype=float) for a in range(13) for b in range(13) if a + b <= ROOM]
    return max(expected_profit(x, values, shares) for x in lots)


OTHERS = (
    (np.array([[95.0, 35.0], [45.0, 65.0], [25.0, 118.0]]), np.array([0.2, 0.5, 0.3])),
    (np.array([[30.0, 30.0], [40.0, 25.0], [50.0, 45.0], [28.0, 60.0]]), np.full(4, 0.25)),
    (np.random.default_rng(8).uniform(60, 100, size=(40, 2)), np.full(40, 1 / 40)),
)
"""Sets of scenarios that are not those of a training."""
