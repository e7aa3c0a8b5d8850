"""A variational inequality in the place of a follower."""

import pyomo.environ as pyo

model = m = pyo.ConcreteModel("bpvi")

m.z = pyo.Var(bounds=(1, None), initialize=1, doc="the leader decides")
m.w = pyo.Var(doc="determined by the variational inequality")

m.leader = pyo.Objective(expr=m.z, sense=pyo.minimize)
m.h = pyo.Constraint(expr=pyo.exp(m.z) + m.w == 2, doc="the leader's row")

m.F = pyo.Expression(expr=m.w + m.z + 3, doc="the function of the variational inequality")
