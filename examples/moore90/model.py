"""Integer variables at both levels: Moore and Bard (1990)."""

import pyomo.environ as pyo

model = m = pyo.ConcreteModel("moore90")

m.x = pyo.Var(domain=pyo.NonNegativeIntegers, doc="the leader decides")
m.y = pyo.Var(domain=pyo.NonNegativeIntegers, doc="the follower decides")

m.leader = pyo.Objective(expr=-m.x - 10 * m.y, sense=pyo.minimize)

m.follower = pyo.Expression(expr=m.y)
m.e1 = pyo.Constraint(expr=-25 * m.x + 20 * m.y <= 30)
m.e2 = pyo.Constraint(expr=m.x + 2 * m.y <= 10)
m.e3 = pyo.Constraint(expr=2 * m.x - m.y <= 15)
m.e4 = pyo.Constraint(expr=-2 * m.x - 10 * m.y <= -15)
