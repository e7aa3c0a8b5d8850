"""Two followers under one leader: Conejo et al. (2006), example 7.1."""

import pyomo.environ as pyo

model = m = pyo.ConcreteModel("ccmg71")

m.I = pyo.RangeSet(4)
m.x = pyo.Var(m.I, doc="the leader decides")
m.u = pyo.Var(m.I, doc="the first follower decides")
m.v = pyo.Var(m.I, doc="the second follower decides")
m.h1 = pyo.Var(doc="what the first follower minimises")
m.h2 = pyo.Var(doc="what the second follower minimises")

m.leader = pyo.Objective(expr=(m.x[1] + m.x[2] - 2) ** 2 + (m.x[3] + m.x[4] - 2) ** 2, sense=pyo.minimize)
m.fix1 = pyo.Constraint(expr=m.h1 == 1.2)
m.fix2 = pyo.Constraint(expr=m.h2 == 6)
m.apart = pyo.Constraint(expr=m.x[1] - m.x[2] == 3)

m.defh1 = pyo.Constraint(expr=m.h1 - sum((m.u[i] - m.x[i]) ** 2 for i in m.I) == 0)
m.e1 = pyo.Constraint(expr=3 * m.u[1] + m.u[2] + 2 * m.u[3] + m.u[4] == 6)

m.defh2 = pyo.Constraint(expr=m.h2 - sum((m.v[i] - m.x[i]) ** 2 for i in m.I) == 0)
m.e2 = pyo.Constraint(expr=m.v[1] + m.v[2] + m.v[3] + 2 * m.v[4] == 7)
