"""A carrier that does not mind which road it takes, and a town that does."""

import pyomo.environ as pyo

model = m = pyo.ConcreteModel("carrier")

m.x = pyo.Var(bounds=(0, 1), doc="market stalls that the town permits: the leader decides")
m.y = pyo.Var(["town", "bypass"], bounds=(0, 2), doc="lorries on each road: the carrier decides")

m.town = pyo.Objective(expr=-m.x + 3 * m.y["town"] - m.y["bypass"], doc="fees, noise and toll")

m.cost = pyo.Expression(expr=m.y["town"] + m.y["bypass"])
m.demand = pyo.Constraint(expr=m.y["town"] + m.y["bypass"] - m.x >= 1)
