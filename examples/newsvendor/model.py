"""How many papers to buy before the demand is known: the model of one scenario."""

import pyomo.environ as pyo

COST, PRICE, STORAGE, LOST = 30, 60, 10, 5  # per paper; a lost sale costs 5 beside the profit that it would have brought

model = m = pyo.ConcreteModel("newsvendor")

m.d = pyo.Param(initialize=60, mutable=True, doc="demand")
m.r = pyo.Param(initialize=PRICE, mutable=True, doc="price")

m.x = pyo.Var(bounds=(0, 200), doc="bought, before the demand is known")
m.sold = pyo.Var(bounds=(0, None))
m.lost = pyo.Var(bounds=(0, None))
m.left = pyo.Var(bounds=(0, None))

m.demand = pyo.Constraint(expr=m.sold + m.lost == m.d)
m.stock = pyo.Constraint(expr=m.sold + m.left == m.x)
m.profit = pyo.Objective(expr=m.r * m.sold - COST * m.x - STORAGE * m.left - LOST * m.lost, sense=pyo.maximize)
