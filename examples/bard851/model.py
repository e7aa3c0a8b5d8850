"""A quadratic leader over a quadratic follower, written as a GAMS modeller would: Bard (1998), example 8.5.1."""

import pyomo.environ as pyo

model = m = pyo.ConcreteModel("bard851")

m.x = pyo.Var(domain=pyo.NonNegativeReals)
m.y1 = pyo.Var(domain=pyo.NonNegativeReals)
m.y2 = pyo.Var(domain=pyo.NonNegativeReals)
m.objout = pyo.Var(doc="what the leader minimises")
m.objin = pyo.Var(doc="what the follower minimises")

m.defout = pyo.Constraint(expr=m.objout - ((m.x - 1) ** 2 + 2 * m.y1**2 - 2 * m.x) == 0)
m.defin = pyo.Constraint(expr=m.objin - ((2 * m.y1 - 4) ** 2 + (2 * m.y2 - 1) ** 2 + m.x * m.y1) == 0)
m.e1 = pyo.Constraint(expr=4 * m.x + 5 * m.y1 + 4 * m.y2 <= 12)
m.e2 = pyo.Constraint(expr=-4 * m.x - 5 * m.y1 + 4 * m.y2 <= -4)
m.e3 = pyo.Constraint(expr=4 * m.x - 4 * m.y1 + 5 * m.y2 <= 4)
m.e4 = pyo.Constraint(expr=-4 * m.x + 4 * m.y1 + 5 * m.y2 <= 4)

m.leader = pyo.Objective(expr=m.objout, sense=pyo.minimize)
