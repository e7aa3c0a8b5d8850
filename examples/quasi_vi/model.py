"""A quasi-variational inequality with one solution: the example of the GAMS page on QVIs."""

import pyomo.environ as pyo

model = m = pyo.ConcreteModel("quasi_vi")

m.I = pyo.RangeSet(2)
m.A = pyo.Param(m.I, m.I, initialize={(1, 1): 2, (1, 2): 8 / 3, (2, 1): 5 / 4, (2, 2): 2})
m.b = pyo.Param(m.I, initialize={1: 100 / 3, 2: 22.5})

m.y = pyo.Var(m.I, bounds=(0, 11), doc="what is looked for")
m.x = pyo.Var(m.I, doc="the twin of y in the rows")

m.F = pyo.Expression(m.I, rule=lambda m, i: sum(m.A[i, j] * m.y[j] for j in m.I) - m.b[i])

m.g1 = pyo.Constraint(expr=m.y[1] + m.x[2] <= 15)
m.g2 = pyo.Constraint(expr=m.y[2] + m.x[1] <= 20)
