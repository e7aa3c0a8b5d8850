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
        b.link = pyo.Constraint(expr=b.z - 2 * b.y == 0)

    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=(0, 1))
    m.plant = pyo.Block([1, 2], rule=plant)
    m.obj = pyo.Objective(expr=m.x + m.plant[1].y)
    return m


def game() -> Any:
    """Two players with a row that binds both and a price that answers to both."""
    m = pyo.ConcreteModel()
    m.I = pyo.Set(initialize=["a", "b"])
    m.x = pyo.Var(m.I, bounds=(0, 1))
    m.p = pyo.Var()
    m.still = pyo.Var()
    m.still.fix(1)
    m.n = pyo.Var(within=pyo.Integers)
    m.u = pyo.Var()
    m.profit = pyo.Expression(m.I, rule=lambda m, i: m.p * m.x[i] - m.x[i] ** 2)
    m.total = pyo.Constraint(expr=m.x["a"] + m.x["b"] <= 1)
    m.demand = pyo.Constraint(expr=m.p + m.x["a"] + m.x["b"] == 2)
    return m


def game_with_more() -> Any:
    """The same with two more equalities, one of them switched off."""
    m = game()
    m.none = pyo.Constraint(expr=m.x["a"] - m.x["b"] == 0)
    m.of_others = pyo.Constraint(expr=m.p - m.x["b"] == 0)
    m.of_others.deactivate()
    return m


def quasi() -> Any:
    """A variational inequality whose rows hold twins of its variables."""
    m = pyo.ConcreteModel()
    m.y = pyo.Var([1, 2], bounds=(0, None))
    m.x = pyo.Var([1, 2])
    m.z = pyo.Var([1, 2, 3])
    m.still = pyo.Var(initialize=1)
    m.still.fix()
    m.F = pyo.Expression([1, 2], rule=lambda m, i: m.y[i] - 10)
    m.g = pyo.Constraint([1, 2], rule=lambda m, i: m.y[i] + m.x[3 - i] <= 10)
    m.cost = pyo.Expression(expr=m.x[1] ** 2)
    return m


def top_down() -> Any:
    """One optimiser with a pair beside it."""
    m = pyo.ConcreteModel()
    m.x = pyo.Var()
    m.y = pyo.Var()
    m.lam = pyo.Var(bounds=(0, None))
    m.obj = pyo.Objective(expr=(m.x - m.y) ** 2)
    m.g = pyo.Constraint(expr=m.y - m.x >= 1)
    m.H = pyo.Constraint(expr=m.y + m.lam == 2)
    return m


def top_down_without_objective() -> Any:
    """The same, and nothing to optimise."""
    m = top_down()
    m.obj.deactivate()
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


def choices() -> Any:
    """A leader with binaries, a follower, rows over a set, and an objective variable of the leader's."""
    m = pyo.ConcreteModel()
    m.S = pyo.Set(initialize=["a", "b"])
    m.R = pyo.Set(initialize=["c", "d"])
    m.x = pyo.Var(bounds=(0, 10))
    m.y = pyo.Var(bounds=(0, 10))
    m.n = pyo.Var(domain=pyo.NonNegativeIntegers)
    m.u = pyo.Var(domain=pyo.Binary)
    m.v = pyo.Var(m.S, domain=pyo.Binary)
    m.z = pyo.Var()
    m.defz = pyo.Constraint(expr=m.z == m.x + m.y)
    m.cost = pyo.Expression(expr=m.y)
    m.answer = pyo.Constraint(expr=m.y >= 1)
    m.same = pyo.Constraint(expr=m.x == 3)
    m.low = pyo.Constraint(expr=m.x >= 4)
    m.high = pyo.Constraint(expr=m.x <= 2)
    m.open = pyo.Constraint(expr=m.x <= float("inf"))
    m.over = pyo.Constraint(m.R, rule=lambda m, r: m.x <= 5)
    m.F = pyo.Constraint(expr=m.y == 2)
    m.obj = pyo.Objective(expr=m.z)
    return m


def curved() -> Any:
    """An ordinary model with a quadratic and a kinked row."""
    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=(0, 10))
    m.n = pyo.Var(domain=pyo.Binary)
    m.disc = pyo.Constraint(expr=m.x**2 <= 4)
    m.kink = pyo.Constraint(expr=abs(m.x) <= 3)
    m.use = pyo.Constraint(expr=m.x + m.n >= 1)
    m.obj = pyo.Objective(expr=m.x)
    return m


def no_objective() -> Any:
    """Rows alone."""
    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=(0, 10))
    m.row = pyo.Constraint(expr=m.x >= 4)
    return m


def uncertain() -> Any:
    """A newsvendor with a random demand; `price` is data."""
    m = pyo.ConcreteModel()
    m.demand = pyo.Param(initialize=60, mutable=True)
    m.price = pyo.Param(initialize=60)
    m.order = pyo.Var(bounds=(0, 200))
    m.sold, m.left = pyo.Var(bounds=(0, None)), pyo.Var(bounds=(0, None))
    m.profit = pyo.Var()
    m.sales = pyo.Constraint(expr=m.sold <= m.demand)
    m.stock = pyo.Constraint(expr=m.sold + m.left == m.order)
    m.gain = pyo.Constraint(expr=m.profit == m.price * m.sold - 30 * m.order - 10 * m.left)
    m.best = pyo.Objective(expr=m.profit, sense=pyo.maximize)
    return m
