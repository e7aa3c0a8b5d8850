"""How much capacity to build if demand may go unserved at a price."""

import pyomo.environ as pyo

HOURS = {"low": 40, "mean": 70, "peak": 100}  # MW
CAPITAL, FUEL, LOST_LOAD = 50, 10, 45  # EUR per MW, EUR per MWh, EUR per MWh not served

model = m = pyo.ConcreteModel("soft_demand")

m.H = pyo.Set(initialize=list(HOURS))
m.capacity = pyo.Var(bounds=(0, 200), doc="the planner builds")
m.q = pyo.Var(m.H, bounds=(0, None), doc="the operator produces")

m.balance = pyo.Constraint(m.H, rule=lambda m, h: m.q[h] >= HOURS[h])
m.limit = pyo.Constraint(m.H, rule=lambda m, h: m.q[h] - m.capacity <= 0)

m.operation = pyo.Expression(expr=sum(FUEL * m.q[h] for h in m.H))
unserved = sum(HOURS[h] - m.q[h] for h in m.H)
m.total = pyo.Objective(expr=CAPITAL * m.capacity + m.operation + LOST_LOAD * unserved)
