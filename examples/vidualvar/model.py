"""A nonlinear optimiser whose multiplier enters a variational inequality."""

import pyomo.environ as pyo

model = m = pyo.ConcreteModel("vidualvar")

m.v = pyo.Var(domain=pyo.NonNegativeReals, initialize=1)
m.w = pyo.Var(domain=pyo.NonNegativeReals, initialize=1)
m.y = pyo.Var()
m.u = pyo.Var(domain=pyo.NonNegativeReals, doc="the multiplier of g")
m.z = pyo.Var(doc="what the optimiser minimises")

m.defz = pyo.Constraint(expr=m.z - m.v - m.w == 0)
m.g = pyo.Constraint(expr=pyo.sqrt(m.v + 1) + 2 * m.w >= 2)

m.Fy = pyo.Expression(expr=m.y - 4 * m.u + 1)
