"""An optimiser and a variational inequality that share two variables."""

import pyomo.environ as pyo

model = m = pyo.ConcreteModel("simpequil2")

m.x = pyo.Var(domain=pyo.NonNegativeReals)
m.y = pyo.Var()

m.optcons = pyo.Constraint(expr=m.x + m.y <= 1)
m.vicons = pyo.Expression(expr=-3 * m.x + m.y - 0.5)
