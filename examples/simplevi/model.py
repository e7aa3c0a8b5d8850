"""A variational inequality over a polyhedron."""

import pyomo.environ as pyo

model = m = pyo.ConcreteModel("simplevi")

m.I = pyo.RangeSet(3)
m.K = pyo.RangeSet(2)
m.x = pyo.Var(m.I, domain=pyo.NonNegativeReals)
m.u = pyo.Var(m.K, domain=pyo.NonNegativeReals, doc="the multipliers of g")

m.F = pyo.Expression(m.I, rule=lambda m, i: 2 * m.x[i])

m.least = pyo.Param(m.K, initialize={1: 6, 2: 9})
m.g = pyo.Constraint(m.K, rule=lambda m, k: m.x[k] + m.x[k + 1] >= m.least[k])
