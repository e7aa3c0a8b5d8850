"""A quasi-variational inequality with many solutions: simpleqvi1 of the GAMS EMP library."""

import pyomo.environ as pyo

model = m = pyo.ConcreteModel("simpleqvi1")

m.I = pyo.RangeSet(2)
m.y = pyo.Var(m.I, bounds=(0, None))
m.x = pyo.Var(m.I, doc="the twin of y in the rows")

m.F = pyo.Expression(m.I, rule=lambda m, i: m.y[i] - 10)
m.g1 = pyo.Constraint(expr=m.y[1] + m.x[2] <= 10)
m.g2 = pyo.Constraint(expr=m.y[2] + m.x[1] <= 10)
