"""Five firms with convex costs compete in quantities: Murphy, Sherali and Soyster (1982)."""

import pyomo.environ as pyo

model = m = pyo.ConcreteModel("oligopoly5")

m.I = pyo.RangeSet(5)
m.unit_cost = pyo.Param(m.I, initialize={1: 10, 2: 8, 3: 6, 4: 4, 5: 2})
m.beta = pyo.Param(m.I, initialize={1: 1.2, 2: 1.1, 3: 1.0, 4: 0.9, 5: 0.8})
SCALE = 5.0
ELASTICITY = 1.1

m.q = pyo.Var(m.I, bounds=(0.001, None), initialize=10, doc="what each firm sells")

m.price = pyo.Expression(expr=(5000 / sum(m.q[i] for i in m.I)) ** (1 / ELASTICITY))


@m.Expression(m.I)
def cost(m, i):
    b = m.beta[i]
    return m.unit_cost[i] * m.q[i] + b / (1 + b) * SCALE ** (-1 / b) * m.q[i] ** ((1 + b) / b)


@m.Expression(m.I)
def profit(m, i):
    return m.q[i] * m.price - m.cost[i]
