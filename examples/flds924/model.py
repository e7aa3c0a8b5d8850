"""A follower with an equality row: Floudas et al. (1999), 9.2.4."""

import pyomo.environ as pyo

model = m = pyo.ConcreteModel("flds924")

m.x = pyo.Var(domain=pyo.NonNegativeReals)
m.y1 = pyo.Var()
m.y2 = pyo.Var()
m.z_in = pyo.Var(doc="what the follower minimises")

m.leader = pyo.Objective(expr=0.5 * ((m.y1 - 2) ** 2 + (m.y2 - 2) ** 2), sense=pyo.minimize)

m.c0 = pyo.Constraint(expr=m.z_in - (0.5 * m.y1**2 + m.y2) == 0)
m.c1 = pyo.Constraint(expr=m.y1 + m.y2 - m.x == 0)
m.c2 = pyo.Constraint(expr=m.y1 >= 0)
m.c3 = pyo.Constraint(expr=m.y2 >= 0)
