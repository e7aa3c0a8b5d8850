"""A planner over a shipping company and a market reaction: the transportation problem as a bilevel model."""

import pyomo.environ as pyo

model = m = pyo.ConcreteModel("transbp")

m.I = pyo.Set(initialize=["seattle", "san-diego"], doc="plants")
m.J = pyo.Set(initialize=["new-york", "chicago", "topeka"], doc="markets")
m.capacity = pyo.Param(m.I, initialize={"seattle": 350, "san-diego": 600})
m.base = pyo.Param(m.J, initialize={"new-york": 325, "chicago": 300, "topeka": 275})
m.distance = pyo.Param(
    m.I,
    m.J,
    initialize={
        ("seattle", "new-york"): 2.5,
        ("seattle", "chicago"): 1.7,
        ("seattle", "topeka"): 1.8,
        ("san-diego", "new-york"): 2.5,
        ("san-diego", "chicago"): 1.8,
        ("san-diego", "topeka"): 1.4,
    },
    doc="thousands of miles",
)
FREIGHT = 90 / 1000  # thousands of dollars per case and thousand miles

m.y = pyo.Var(m.J, doc="what the planner asks for")
m.g = pyo.Var(m.J, bounds=lambda m, j: (m.base[j], None), doc="what the market then demands")
m.x = pyo.Var(m.I, m.J, domain=pyo.NonNegativeReals, doc="shipments")

m.planner = pyo.Objective(expr=sum((m.y[j] - 400) ** 2 for j in m.J), sense=pyo.minimize)

m.cost = pyo.Expression(expr=sum(FREIGHT * m.distance[i, j] * m.x[i, j] for i in m.I for j in m.J))


@m.Constraint(m.I)
def supply(m, i):
    return sum(m.x[i, j] for j in m.J) <= m.capacity[i]


@m.Constraint(m.J)
def demand(m, j):
    return sum(m.x[i, j] for i in m.I) - m.g[j] >= 0


@m.Expression(m.J)
def excess(m, j):
    return m.g[j] - m.y[j]
