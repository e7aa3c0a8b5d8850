"""How many trays to bake before the demand is known: the model of one day."""

import pyomo.environ as pyo

GOODS = ("bread", "rolls", "cake")
COST = {"bread": 12, "rolls": 8, "cake": 22}  # per tray
PRICE = {"bread": 30, "rolls": 24, "cake": 48}
OVEN, MOST = 16, 10  # trays in all, and of each
CANTEEN, VAN, ROOM = 9, 25, 6  # what the canteen pays for a tray in the evening; what the van costs, and how many trays it takes

model = m = pyo.ConcreteModel("bakery")
m.G = pyo.Set(initialize=GOODS)

m.d = pyo.Param(m.G, initialize=5, mutable=True, doc="demand in trays")

m.baked = pyo.Var(m.G, domain=pyo.NonNegativeIntegers, bounds=(0, MOST), doc="trays, in the night")
m.sold = pyo.Var(m.G, domain=pyo.NonNegativeIntegers, bounds=(0, MOST), doc="whole trays, over the day")
m.sent = pyo.Var(domain=pyo.NonNegativeIntegers, bounds=(0, ROOM), doc="trays to the canteen, in the evening")
m.van = pyo.Var(domain=pyo.Binary)

m.oven = pyo.Constraint(expr=sum(m.baked[g] for g in m.G) <= OVEN)
m.demand = pyo.Constraint(m.G, rule=lambda m, g: m.sold[g] <= m.d[g])
m.stock = pyo.Constraint(m.G, rule=lambda m, g: m.sold[g] <= m.baked[g])
m.left = pyo.Constraint(expr=m.sent <= sum(m.baked[g] - m.sold[g] for g in m.G))
m.trip = pyo.Constraint(expr=m.sent <= ROOM * m.van)
m.profit = pyo.Objective(
    expr=sum(PRICE[g] * m.sold[g] - COST[g] * m.baked[g] for g in m.G) + CANTEEN * m.sent - VAN * m.van, sense=pyo.maximize
)
