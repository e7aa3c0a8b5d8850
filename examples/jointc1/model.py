"""Who owns the row decides whether there is a solution at all."""

import pyomo.environ as pyo

model = m = pyo.ConcreteModel("jointc1")

m.x = pyo.Var(bounds=(1, None), doc="the leader decides")
m.y = pyo.Var(doc="the follower decides, and minimises it")

m.leader = pyo.Objective(expr=m.x, sense=pyo.minimize)
m.upper = pyo.Constraint(expr=m.y - m.x >= 0)
m.lower = pyo.Constraint(expr=m.y + m.x >= 0)
