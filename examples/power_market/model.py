"""A strategic power producer offers into a market that an operator clears."""

import pyomo.environ as pyo

model = m = pyo.ConcreteModel("power_market")

TICK = 5  # euro per MWh: prices are offered in steps
BLOCK = 10  # MW: quantities are offered in blocks
OWN_COST = 24  # euro per MWh

m.T = pyo.Set(initialize=["night", "day", "peak"], doc="hours")
m.G = pyo.Set(initialize=["nuclear", "coal", "gas", "oil"], doc="rival units")
m.demand = pyo.Param(m.T, initialize={"night": 95, "day": 155, "peak": 195})
m.capacity = pyo.Param(m.G, initialize={"nuclear": 62, "coal": 47, "gas": 38, "oil": 60})
m.rival_cost = pyo.Param(m.G, initialize={"nuclear": 9, "coal": 33, "gas": 58, "oil": 112})

# the producer: one offer for all hours
m.ticks = pyo.Var(domain=pyo.Integers, bounds=(0, 24), doc="offered price in ticks")
m.blocks = pyo.Var(domain=pyo.Integers, bounds=(0, 12), doc="offered quantity in blocks")
m.price = pyo.Var(m.T, bounds=(0, 200), doc="the market price: the multiplier of balance")

# the market
m.sold = pyo.Var(m.T, bounds=(0, 120), doc="what the operator takes from the producer")
m.rival = pyo.Var(m.T, m.G, bounds=lambda m, t, g: (0, m.capacity[g]), doc="what it takes from the others")

m.profit = pyo.Objective(expr=sum((m.price[t] - OWN_COST) * m.sold[t] for t in m.T), sense=pyo.maximize)

m.bill = pyo.Expression(
    expr=sum(TICK * m.ticks * m.sold[t] + sum(m.rival_cost[g] * m.rival[t, g] for g in m.G) for t in m.T),
    doc="what the operator pays by the offers",
)


@m.Constraint(m.T)
def balance(m, t):
    return m.sold[t] + sum(m.rival[t, g] for g in m.G) == m.demand[t]


@m.Constraint(m.T)
def offer(m, t):
    return m.sold[t] - BLOCK * m.blocks <= 0
