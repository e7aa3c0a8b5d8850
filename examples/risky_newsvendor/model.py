"""A newsvendor who looks at the bad cases: the mean of the lowest 40 % of the profits, or a mixture with the expected profit."""

import pyomo.environ as pyo

COST, PRICE, STORAGE, LOST = 30, 60, 10, 5

model = m = pyo.ConcreteModel("risky_newsvendor")

m.d = pyo.Param(initialize=60, mutable=True)
m.x = pyo.Var(bounds=(0, 200))
m.sold = pyo.Var(bounds=(0, None))
m.lost = pyo.Var(bounds=(0, None))
m.left = pyo.Var(bounds=(0, None))
m.profit = pyo.Var()

m.demand = pyo.Constraint(expr=m.sold + m.lost == m.d)
m.stock = pyo.Constraint(expr=m.sold + m.left == m.x)
m.gain = pyo.Constraint(expr=m.profit == PRICE * m.sold - COST * m.x - STORAGE * m.left - LOST * m.lost)

m.best = pyo.Objective(expr=m.profit, sense=pyo.maximize)
