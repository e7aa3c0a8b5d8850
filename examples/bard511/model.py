"""A linear leader over a linear follower: Bard (1998), example 5.1.1."""

import pyomo.environ as pyo

model = m = pyo.ConcreteModel("bard511")

m.x = pyo.Var(domain=pyo.NonNegativeReals, doc="the leader decides")
m.y = pyo.Var(domain=pyo.NonNegativeReals, doc="the follower decides")

m.leader = pyo.Objective(expr=m.x - 4 * m.y, sense=pyo.minimize)

m.follower = pyo.Expression(expr=m.y)
m.e1 = pyo.Constraint(expr=-m.x - m.y <= -3)
m.e2 = pyo.Constraint(expr=-2 * m.x + m.y <= 0)
m.e3 = pyo.Constraint(expr=2 * m.x + m.y <= 12)
m.e4 = pyo.Constraint(expr=3 * m.x - 2 * m.y <= 4)
