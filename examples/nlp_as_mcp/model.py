"""The point of a half-plane that is nearest to (1, 2)."""

import pyomo.environ as pyo

model = m = pyo.ConcreteModel("nlp_as_mcp")

m.x = pyo.Var(bounds=(0, None))
m.y = pyo.Var(bounds=(0, None))
m.budget = pyo.Constraint(expr=m.x + m.y <= 2)
m.distance = pyo.Objective(expr=(m.x - 1) ** 2 + (m.y - 2) ** 2)
