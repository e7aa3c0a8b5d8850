"""The embedded complementarity system of Ferris et al. (2009), section 4.3, as one optimisation problem with a pair beside it."""

import pyomo.environ as pyo

model = m = pyo.ConcreteModel("top_down")

m.x = pyo.Var(doc="the optimiser decides")
m.y = pyo.Var(doc="determined by H")
m.lam = pyo.Var(domain=pyo.NonNegativeReals, doc="the multiplier of g")

m.obj = pyo.Objective(expr=(m.x - m.y) ** 2)
m.g = pyo.Constraint(expr=m.y - m.x >= 1)
m.H = pyo.Constraint(expr=m.y + m.lam == 2)
