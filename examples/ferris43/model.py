"""An optimiser and a complementarity condition on its multiplier: Ferris et al. (2009), section 4.3."""

import pyomo.environ as pyo

model = m = pyo.ConcreteModel("ferris43")

m.x = pyo.Var(doc="the optimiser decides")
m.y = pyo.Var(doc="determined by H")
m.lam = pyo.Var(domain=pyo.NonNegativeReals, doc="the multiplier of g")
m.obj = pyo.Var(doc="what the optimiser minimises")

m.defobj = pyo.Constraint(expr=m.obj - (m.x - m.y) ** 2 == 0)
m.g = pyo.Constraint(expr=m.y - m.x >= 1)

m.H = pyo.Expression(expr=m.y + m.lam - 2)
