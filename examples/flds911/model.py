"""The follower maximises one of its own variables: Clark and Westerberg (1990); Floudas et al. (1999), 9.1.1."""

import pyomo.environ as pyo

model = m = pyo.ConcreteModel("flds911")

m.x = pyo.Var(domain=pyo.NonNegativeReals)
m.y1 = pyo.Var()
m.y2 = pyo.Var()

m.leader = pyo.Objective(expr=-m.x - 3 * m.y1 + 2 * m.y2, sense=pyo.minimize)

m.c1 = pyo.Constraint(expr=-2 * m.x + m.y1 + 4 * m.y2 <= 16)
m.c2 = pyo.Constraint(expr=8 * m.x + 3 * m.y1 - 2 * m.y2 <= 48)
m.c3 = pyo.Constraint(expr=-2 * m.x + m.y1 - 3 * m.y2 <= -12)
m.c4 = pyo.Constraint(expr=-m.y1 <= 0)
m.c5 = pyo.Constraint(expr=m.y1 <= 4)
