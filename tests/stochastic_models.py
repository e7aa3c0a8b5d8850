"""Stochastic programs with answers that are known from elsewhere."""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo

# A newsvendor buys at 30 and sells at 60; what is left costs 10 to store, what is missing costs 5. Critical ratio: 35 / 75.
THREE = "randvar d discrete 0.4 90 0.3 60 0.3 30\n"
LATE = "stage 2 d s l i demand stock\n"


def newsvendor() -> Any:
    m = pyo.ConcreteModel("newsvendor")
    m.d = pyo.Param(initialize=60, mutable=True)
    m.x = pyo.Var(bounds=(0, 200))
    m.s, m.l, m.i = pyo.Var(bounds=(0, None)), pyo.Var(bounds=(0, None)), pyo.Var(bounds=(0, None))
    m.demand = pyo.Constraint(expr=m.s + m.l == m.d)
    m.stock = pyo.Constraint(expr=m.s + m.i == m.x)
    m.profit = pyo.Objective(expr=60 * m.s - 30 * m.x - 10 * m.i - 5 * m.l, sense=pyo.maximize)
    return m


def newsvendor_with_profit() -> Any:
    """The same with the profit as a variable, for measures of risk; ``ev`` and ``c`` are there to stand for them."""
    m = newsvendor()
    m.del_component(m.profit)
    m.p, m.ev, m.c = pyo.Var(), pyo.Var(), pyo.Var()
    m.gain = pyo.Constraint(expr=m.p == 60 * m.s - 30 * m.x - 10 * m.i - 5 * m.l)
    m.best = pyo.Objective(expr=m.p, sense=pyo.maximize)
    return m


RISKY = THREE + "stage 2 d s l i demand stock p gain\n"


def profits(x: float, demands: tuple[float, ...] = (90, 60, 30)) -> list[float]:
    """The newsvendor's profit in each scenario, by hand."""
    return [60 * min(x, d) - 30 * x - 10 * max(x - d, 0) - 5 * max(d - x, 0) for d in demands]


# Birge and Louveaux, "Introduction to Stochastic Programming", section 1.1: optimum -108,390, EVPI 7,016, VSS 1,150.
FARMER = """jrandvar y(wheat) y(corn) y(beets)
    0.3333333333333333 3 3.6 24
    0.3333333333333333 2.5 3 20
    0.3333333333333333 2 2.4 16
stage 2 y buy sell quota over feed sugar
"""


def farmer() -> Any:
    m = pyo.ConcreteModel("farmer")
    m.C, m.F = pyo.Set(initialize=["wheat", "corn", "beets"]), pyo.Set(initialize=["wheat", "corn"])
    m.y = pyo.Param(m.C, initialize={"wheat": 2.5, "corn": 3, "beets": 20}, mutable=True)
    m.x = pyo.Var(m.C, bounds=(0, None))
    m.buy, m.sell = pyo.Var(m.F, bounds=(0, None)), pyo.Var(m.F, bounds=(0, None))
    m.quota, m.over = pyo.Var(bounds=(0, 6000)), pyo.Var(bounds=(0, None))
    need = {"wheat": 200, "corn": 240}
    m.land = pyo.Constraint(expr=pyo.quicksum(m.x[c] for c in m.C) <= 500)
    m.feed = pyo.Constraint(m.F, rule=lambda m, c: m.y[c] * m.x[c] + m.buy[c] - m.sell[c] >= need[c])
    m.sugar = pyo.Constraint(expr=m.quota + m.over <= m.y["beets"] * m.x["beets"])
    planting = 150 * m.x["wheat"] + 230 * m.x["corn"] + 260 * m.x["beets"]
    trading = 238 * m.buy["wheat"] - 170 * m.sell["wheat"] + 210 * m.buy["corn"] - 150 * m.sell["corn"]
    m.cost = pyo.Objective(expr=planting + trading - 36 * m.quota - 10 * m.over)
    return m


# Louveaux and Smeers 1988: capacities of four plants for three modes of demand. With all three demands random: LandS of SIPLIB.
PLANTS = "randvar d(1) discrete 0.3 3 0.4 5 0.3 7\nstage 2 y limit serve\n"
ALL_DEMANDS = "randvar d(2) discrete 0.3 2 0.4 3 0.3 4\nrandvar d(3) discrete 0.3 1 0.4 2 0.3 3\n"


def plants() -> Any:
    m = pyo.ConcreteModel("plants")
    m.I, m.K = pyo.RangeSet(4), pyo.RangeSet(3)
    m.d = pyo.Param(m.K, initialize={1: 5, 2: 3, 3: 2}, mutable=True)
    m.x, m.y = pyo.Var(m.I, bounds=(0, None)), pyo.Var(m.I, m.K, bounds=(0, None))
    capital, fuel, hours = (10, 7, 16, 6), (4, 4.5, 3.2, 5.5), (10, 6, 1)
    m.least = pyo.Constraint(expr=pyo.quicksum(m.x[i] for i in m.I) >= 12)
    m.budget = pyo.Constraint(expr=pyo.quicksum(capital[i - 1] * m.x[i] for i in m.I) <= 120)
    m.limit = pyo.Constraint(m.I, rule=lambda m, i: pyo.quicksum(m.y[i, k] for k in m.K) <= m.x[i])
    m.serve = pyo.Constraint(m.K, rule=lambda m, k: pyo.quicksum(m.y[i, k] for i in m.I) >= m.d[k])
    total = pyo.quicksum(capital[i - 1] * m.x[i] for i in m.I)
    m.cost = pyo.Objective(expr=total + pyo.quicksum(fuel[i - 1] * hours[k - 1] * m.y[i, k] for i in m.I for k in m.K))
    return m
