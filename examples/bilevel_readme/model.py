"""The introductory example of BilevelJuMP, with x for the leader and y for the follower."""

import pyomo.environ as pyo

model = m = pyo.ConcreteModel("bilevel_readme")

m.x = pyo.Var(bounds=(0, 8), doc="the leader decides")
m.y = pyo.Var(doc="the follower decides; a free variable")

m.leader = pyo.Objective(expr=m.x + 3 * m.y, sense=pyo.minimize)
m.cap = pyo.Constraint(expr=m.y <= 5, doc="the leader's row on the follower's variable")

m.follower = pyo.Objective(expr=m.y, sense=pyo.maximize)
m.follower.deactivate()
m.r1 = pyo.Constraint(expr=m.x + m.y <= 8)
m.r2 = pyo.Constraint(expr=m.x + 4 * m.y >= 8)
m.r3 = pyo.Constraint(expr=m.x + 2 * m.y <= 13)
m.r4 = pyo.Constraint(expr=7 * m.x - 2 * m.y >= 0)
