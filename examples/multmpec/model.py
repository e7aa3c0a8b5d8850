"""Two followers, both variational inequalities; one has two functions."""

import pyomo.environ as pyo

model = m = pyo.ConcreteModel("multmpec")

m.z = pyo.Var(bounds=(1, None), initialize=1, doc="the leader decides")
m.u = pyo.Var(domain=pyo.NonNegativeReals, initialize=1, doc="first follower")
m.v = pyo.Var(domain=pyo.NonNegativeReals, initialize=1, doc="first follower")
m.w = pyo.Var(doc="second follower")

m.leader = pyo.Objective(expr=m.z, sense=pyo.minimize)
m.h = pyo.Constraint(expr=pyo.exp(m.z) + m.w == 2)

m.f1 = pyo.Expression(expr=m.v + m.w + m.z - 1)
m.f2 = pyo.Expression(expr=m.u - pyo.log(m.v))
m.f3 = pyo.Expression(expr=m.w + m.z + 3)
