"""Two disjunctions with indicators of the model's own: LogMIP user's manual, example 2; GAMS model library, logmip2."""

import pyomo.environ as pyo

model = m = pyo.ConcreteModel("logmip2")

m.x1 = pyo.Var(bounds=(0, 5))
m.x2 = pyo.Var(bounds=(0, 5))
m.c = pyo.Var(bounds=(0, 7), doc="fixed cost")
m.y1 = pyo.Var(domain=pyo.Binary)
m.y2 = pyo.Var(domain=pyo.Binary)
m.y3 = pyo.Var(domain=pyo.Binary)

m.e1 = pyo.Constraint(expr=-m.x1 + m.x2 + 2 <= 0)
m.e2 = pyo.Constraint(expr=m.c == 5)
m.e3 = pyo.Constraint(expr=-m.x2 + 2 <= 0)
m.e4 = pyo.Constraint(expr=m.c == 7)
m.e5 = pyo.Constraint(expr=m.x1 - m.x2 <= 1)
m.e6 = pyo.Constraint(expr=m.x1 == 0)

# The logic of the indicators: y1 implies not y3, y2 implies not y3 (and y3 not y2).
m.logic1 = pyo.Constraint(expr=m.y1 + m.y3 <= 1)
m.logic2 = pyo.Constraint(expr=m.y2 + m.y3 <= 1)

m.obj = pyo.Objective(expr=m.c + 2 * m.x1 + m.x2)
