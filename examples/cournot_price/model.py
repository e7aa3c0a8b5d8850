"""Three firms that know how the price answers to what they sell; the price is a variable with a row of its own."""

import pyomo.environ as pyo

model = m = pyo.ConcreteModel("cournot_price")

m.I = pyo.RangeSet(3, doc="firms")
m.x = pyo.Var(m.I, bounds=(0, 1), doc="sales of each firm")
m.p = pyo.Var(doc="price")

m.profit = pyo.Expression(m.I, rule=lambda m, i: m.p * m.x[i])
m.demand = pyo.Constraint(expr=m.p + sum(m.x[i] for i in m.I) == 1)
