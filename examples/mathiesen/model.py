"""A general equilibrium with one consumer, one sector and three goods: Mathiesen (1987)."""

import pyomo.environ as pyo

model = m = pyo.ConcreteModel("mathiesen")

m.G = pyo.RangeSet(3, doc="goods")
m.output = pyo.Param(m.G, initialize={1: 1, 2: -1, 3: -1}, doc="of the sector at activity 1; inputs are negative")
m.endowment = pyo.Param(m.G, initialize={1: 0, 2: 5, 3: 3})

m.x = pyo.Var(m.G, bounds=(0, None), initialize=1, doc="consumption")
m.p = pyo.Var(m.G, bounds=(0, None), initialize=1, doc="prices")
m.y = pyo.Var(bounds=(0, None), initialize=1, doc="activity of the sector")
m.p[2].fix(1)  # the numeraire

m.utility = pyo.Expression(expr=0.9 * pyo.log(m.x[1]) + 0.1 * pyo.log(m.x[2]))
m.budget = pyo.Constraint(expr=sum(m.p[g] * (m.x[g] - m.endowment[g]) for g in m.G) <= 0)

m.mkt = pyo.Expression(m.G, rule=lambda m, g: m.endowment[g] + m.output[g] * m.y - m.x[g], doc="excess supply")
m.profit = pyo.Expression(expr=-sum(m.output[g] * m.p[g] for g in m.G), doc="cost minus revenue of the sector")
