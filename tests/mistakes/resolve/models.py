"""The tiny models that the broken annotations beside this file are for."""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo


def classic() -> Any:
    """A leader and a follower in the GAMS style: objective variables, each with the row that defines it."""
    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=(0, 8))
    m.y1 = pyo.Var(bounds=(0, None))
    m.y2 = pyo.Var(bounds=(0, None))
    m.objout = pyo.Var()
    m.objin = pyo.Var()
    m.price = pyo.Var(bounds=(0, None))
    m.defout = pyo.Constraint(expr=m.objout == -2 * m.x + m.y1)
    m.defin = pyo.Constraint(expr=m.objin == 2 * m.y1 - m.y2)
    m.e1 = pyo.Constraint(expr=m.y1 + m.y2 - m.x >= 1)
    m.e2 = pyo.Constraint(expr=-m.x + 2 * m.y1 <= 4)
    m.budget = pyo.Param(initialize=10)
    m.obj = pyo.Objective(expr=m.objout)
    return m


def two_objectives() -> Any:
    """Both objectives as Pyomo Objectives, and both active."""
    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=(0, 8))
    m.y = pyo.Var(bounds=(0, 5))
    m.link = pyo.Constraint(expr=m.x + m.y >= 2)
    m.leader = pyo.Objective(expr=m.x - m.y)
    m.follower = pyo.Objective(expr=m.y, sense=pyo.maximize)
    return m


def one_objective() -> Any:
    """Only the follower's objective is active."""
    m = two_objectives()
    m.leader.deactivate()
    return m


def regions() -> Any:
    """Followers over a set: each region has output by plant, a cost and a demand row with its price."""
    m = pyo.ConcreteModel()
    m.R = pyo.Set(initialize=["north", "south"])
    m.N = pyo.RangeSet(3)
    m.none = pyo.Set(initialize=[])
    m.near = pyo.Set(m.R, initialize={"north": ["south"], "south": ["north"]})
    m.tax = pyo.Var(bounds=(0, 1))
    m.q = pyo.Var(m.R, m.N, bounds=(0, None))
    m.p = pyo.Var(m.R, bounds=(0, None))
    m.cost = pyo.Expression(m.R, rule=lambda m, r: sum((i + m.tax) * m.q[r, i] for i in m.N))
    m.demand = pyo.Constraint(m.R, rule=lambda m, r: sum(m.q[r, i] for i in m.N) >= 4)
    m.cap = pyo.Constraint(m.R, m.N, rule=lambda m, r, i: m.q[r, i] <= 2 + i)
    m.import_limit = pyo.Constraint(expr=m.q["north", 1] + m.q["south", 1] <= 3)
    m.total = m.cost["north"] + m.cost["south"]
    m.plants = ["a", "b"]
    m.obj = pyo.Objective(expr=sum(m.cost[r] for r in m.R) - m.tax)
    return m


def regions_without_leader() -> Any:
    """The same followers, and no objective but theirs."""
    m = regions()
    m.obj.deactivate()
    m.tax.fix(0.5)
    return m


def market() -> Any:
    """A variational inequality and an optimiser without a leader."""
    m = pyo.ConcreteModel()
    m.x = pyo.Var([1, 2, 3], bounds=(0, None))
    m.u = pyo.Var([1, 2], bounds=(0, None))
    m.w = pyo.Var(bounds=(0, 9))
    m.n = pyo.Var(within=pyo.NonNegativeIntegers)
    m.F = pyo.Expression([1, 2, 3], rule=lambda m, i: 2 * m.x[i] - m.w)
    m.zero = pyo.Constraint([1, 2, 3], rule=lambda m, i: 2 * m.x[i] - m.w == 0)
    m.g = pyo.Constraint([1, 2], rule=lambda m, i: m.x[i] + m.x[i + 1] >= 3 * i)
    m.between = pyo.Constraint(expr=(0, m.w + m.x[1], 5))
    m.off = pyo.Constraint(expr=m.w >= 0)
    m.off.deactivate()
    m.profit = pyo.Expression(expr=m.w * (4 - m.w))
    for row in (m.zero, m.between):
        row.deactivate()
    return m


def blocks() -> Any:
    """One block for each plant."""

    def plant(b: Any, _: int) -> None:
        b.y = pyo.Var(bounds=(0, 5))
        b.z = pyo.Var()
        b.cost = pyo.Expression(expr=b.y**2)
        b.enough = pyo.Constraint(expr=b.y >= 1)

    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=(0, 1))
    m.plant = pyo.Block([1, 2], rule=plant)
    m.obj = pyo.Objective(expr=m.x + m.plant[1].y)
    return m


def labels() -> Any:
    """Labels that are easily mixed up: 1 and '1', names that differ only in case, a fixed variable."""
    m = pyo.ConcreteModel()
    m.v = pyo.Var([1, "1", 2])
    m.t = pyo.Var(["10", "20"])
    m.c = pyo.Var(["Low", "low", "High"])
    m.Rate = pyo.Var()
    m.rate = pyo.Var()
    m.still = pyo.Var(initialize=1)
    m.still.fix()
    m.f = pyo.Expression(expr=m.v[1] ** 2 + m.still)
    m.obj = pyo.Objective(expr=m.v[2] + m.t["10"])
    return m
