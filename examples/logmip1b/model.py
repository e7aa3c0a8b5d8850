"""Three jobs, three stages, no waiting between stages: Raman and Grossmann (1994); GAMS model library, logmip1b."""

import pyomo.environ as pyo

model = m = pyo.ConcreteModel("logmip1b")

m.J = pyo.Set(initialize=["A", "B", "C"])
m.x = pyo.Var(m.J, bounds=(0, 20), doc="when a job starts")
m.t = pyo.Var(bounds=(0, None), doc="when all are done")

m.done = pyo.Constraint(m.J, rule=lambda m, j: m.t >= m.x[j] + {"A": 8, "B": 5, "C": 6}[j])

m.a_before_c = pyo.Constraint(expr=m.x["A"] - m.x["C"] <= -5)
m.c_before_a = pyo.Constraint(expr=m.x["C"] - m.x["A"] <= -2)
m.b_before_c = pyo.Constraint(expr=m.x["B"] - m.x["C"] <= -1)
m.c_before_b = pyo.Constraint(expr=m.x["C"] - m.x["B"] <= -6)
m.a_before_b = pyo.Constraint(expr=m.x["A"] - m.x["B"] <= -5)
m.b_before_a = pyo.Constraint(expr=m.x["B"] - m.x["A"] <= 0)

m.makespan = pyo.Objective(expr=m.t)
