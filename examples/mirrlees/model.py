"""A nonconvex follower, for which optimality conditions do not suffice: Mirrlees (1999)."""

import pyomo.environ as pyo

model = m = pyo.ConcreteModel("mirrlees")

m.x = pyo.Var(bounds=(-3, 3), initialize=2, doc="the leader decides")
m.y = pyo.Var(bounds=(-2, 2), initialize=1, doc="the follower decides")

m.leader = pyo.Objective(expr=(m.x - 2) ** 2 + (m.y - 1) ** 2, sense=pyo.minimize)

m.follower = pyo.Expression(expr=-m.x * pyo.exp(-((m.y + 1) ** 2)) - pyo.exp(-((m.y - 1) ** 2)))
