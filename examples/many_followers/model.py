"""A utility sets one price for fifty households that have a boiler of their own."""

import pyomo.environ as pyo

model = m = pyo.ConcreteModel("many_followers")

m.S = pyo.RangeSet(50, doc="households")
m.K = pyo.Set(initialize=["network", "boiler"], doc="where heat comes from")

m.need = pyo.Param(m.S, initialize=lambda m, s: 4 + (7 * s % 11) / 2)
m.fuel = pyo.Param(m.S, initialize=lambda m, s: 1 + (3 * s % 7) / 2, doc="cost of the boiler's first unit")
m.slope = pyo.Param(m.S, initialize=lambda m, s: 0.5 + (5 * s % 4) / 4, doc="how fast that cost grows")
m.quota = pyo.Param(m.S, initialize=lambda m, s: 1 + (2 * s % 5) / 2, doc="what the boiler should deliver")

m.price = pyo.Var(bounds=(0, 10), doc="the utility decides")
m.y = pyo.Var(m.S, m.K, domain=pyo.NonNegativeReals, doc="the households decide")

m.deviation = pyo.Objective(expr=sum((m.y[s, "boiler"] - m.quota[s]) ** 2 for s in m.S), sense=pyo.minimize)


@m.Expression(m.S)
def cost(m, s):
    own = m.y[s, "boiler"]
    return m.price * m.y[s, "network"] + m.fuel[s] * own + m.slope[s] / 2 * own**2


@m.Constraint(m.S)
def balance(m, s):
    return m.y[s, "network"] + m.y[s, "boiler"] == m.need[s]
