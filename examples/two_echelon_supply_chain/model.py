"""A manufacturer sells to distributors by wholesale prices and the capacity that it offers. All data are drawn, seed 2025."""

import numpy as np
from pyomo.environ import *

PLANTS, WAREHOUSES, CUSTOMERS, PRODUCTS = range(3), range(3), range(8), range(2)
TRUCK = 10  # units in a full truck

draw = np.random.default_rng(2025)
demand = draw.integers(4, 12, size=(8, 2))  # units: 4 to 11, each as likely
places = {kind: draw.uniform(0, 10, size=(count, 2)) for kind, count in (("plant", 3), ("warehouse", 3), ("customer", 8))}
making = draw.uniform(8, 12, size=(3, 2))  # cost of a unit at each plant
opening = draw.integers(60, 120, size=3)  # cost of a warehouse
outside = (34.0, 38.0)  # what the other supplier asks for a unit, delivered to a warehouse
haulage = (2.0, 2.6)  # cost of a truck and unit of distance: the second product is cooled


def distance(one, i, other, j):
    return float(np.hypot(*(places[one][i] - places[other][j])))


model = m = ConcreteModel()
m.I, m.W, m.C, m.P = Set(initialize=PLANTS), Set(initialize=WAREHOUSES), Set(initialize=CUSTOMERS), Set(initialize=PRODUCTS)

# The manufacturer: a price for each product, and how much each plant offers.
m.price = Var(m.P, bounds=(12, 45))
m.offer = Var(m.I, bounds=(0, 70))

# The distributors: warehouses to open, trucks to order, what is bought elsewhere, and deliveries.
m.open = Var(m.W, domain=Binary)
m.trucks = Var(m.I, m.W, m.P, domain=NonNegativeIntegers, bounds=(0, 7))
m.elsewhere = Var(m.W, m.P, bounds=(0, 120))
m.deliver = Var(m.W, m.C, m.P, bounds=(0, 12))

m.sales = Expression(expr=sum(m.price[p] * TRUCK * m.trucks[i, w, p] for i in m.I for w in m.W for p in m.P))
m.profit = Objective(
    expr=m.sales
    - sum(making[i, p] * TRUCK * m.trucks[i, w, p] for i in m.I for w in m.W for p in m.P)
    - sum(1.5 * m.offer[i] for i in m.I),
    sense=maximize,
)
m.cost = Objective(
    expr=m.sales
    + sum(outside[p] * m.elsewhere[w, p] for w in m.W for p in m.P)
    + sum(float(opening[w]) * m.open[w] for w in m.W)
    + sum((5 + haulage[p] * distance("plant", i, "warehouse", w)) * m.trucks[i, w, p] for i in m.I for w in m.W for p in m.P)
    + sum(0.8 * distance("warehouse", w, "customer", c) * m.deliver[w, c, p] for w in m.W for c in m.C for p in m.P)
)
m.cost.deactivate()

# The manufacturer's rows, then the distributors'.
m.budget = Constraint(expr=sum(m.offer[i] for i in m.I) <= 170)
m.steps = Constraint(expr=m.price[1] >= m.price[0])
m.capacity = Constraint(m.I, rule=lambda m, i: TRUCK * sum(m.trucks[i, w, p] for w in m.W for p in m.P) <= m.offer[i])
m.balance = Constraint(
    m.W,
    m.P,
    rule=lambda m, w, p: TRUCK * sum(m.trucks[i, w, p] for i in m.I) + m.elsewhere[w, p] >= sum(m.deliver[w, c, p] for c in m.C),
)
m.served = Constraint(m.C, m.P, rule=lambda m, c, p: sum(m.deliver[w, c, p] for w in m.W) == int(demand[c, p]))
m.where = Constraint(m.W, m.C, m.P, rule=lambda m, w, c, p: m.deliver[w, c, p] <= int(demand[c, p]) * m.open[w])
