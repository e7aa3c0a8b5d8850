"""Who owns the row decides what the leader can reach."""

import pyomo.environ as pyo

model = m = pyo.ConcreteModel("jointc2")

m.x = pyo.Var(bounds=(1, 2), doc="the leader decides")
m.y = pyo.Var(bounds=(None, 100), doc="the follower decides, and minimises it")

m.leader = pyo.Objective(expr=m.x, sense=pyo.maximize)
m.upper = pyo.Constraint(expr=m.y - m.x >= -2)
m.lower = pyo.Constraint(expr=m.y + m.x >= 0)
