"""Three identical firms compete in quantities."""

import pyomo.environ as pyo

model = m = pyo.ConcreteModel("cournot3")

m.I = pyo.Set(initialize=["alpha", "beta", "gamma"])
m.x = pyo.Var(m.I, bounds=(0, 1), doc="what each firm sells")

m.price = pyo.Expression(expr=1 - sum(m.x[i] for i in m.I))
m.profit = pyo.Expression(m.I, rule=lambda m, i: m.x[i] * m.price)
