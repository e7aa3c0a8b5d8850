"""Three polluters of one river: Krawczyk and Uryasev (2000), after Haurie and Krawczyk (1997)."""

import pyomo.environ as pyo

model = m = pyo.ConcreteModel("river_basin")

m.I = pyo.RangeSet(3, doc="players")
m.S = pyo.RangeSet(2, doc="stations that measure the pollution")

m.linear = pyo.Param(m.I, initialize={1: 0.10, 2: 0.12, 3: 0.15}, doc="cost of a unit")
m.curved = pyo.Param(m.I, initialize={1: 0.01, 2: 0.05, 3: 0.01}, doc="and how it rises")
m.emission = pyo.Param(m.I, initialize={1: 0.50, 2: 0.25, 3: 0.75}, doc="per unit produced")
m.reach = pyo.Param(
    m.I,
    m.S,
    initialize={(1, 1): 6.5, (1, 2): 4.583, (2, 1): 5.0, (2, 2): 6.250, (3, 1): 5.5, (3, 2): 3.750},
    doc="what arrives at a station of an emission",
)
m.limit = pyo.Param(m.S, initialize=100.0)

m.x = pyo.Var(m.I, bounds=(0, None), doc="production")
m.price = pyo.Expression(expr=3 - 0.01 * sum(m.x[i] for i in m.I))
m.profit = pyo.Expression(m.I, rule=lambda m, i: (m.price - m.linear[i] - m.curved[i] * m.x[i]) * m.x[i])

m.river = pyo.Constraint(m.S, rule=lambda m, s: sum(m.reach[i, s] * m.emission[i] * m.x[i] for i in m.I) <= m.limit[s])
