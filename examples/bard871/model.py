"""A quartic follower, flat around its unconstrained optimum: Bard (1998), example 8.7.1."""

import pyomo.environ as pyo

model = m = pyo.ConcreteModel("bard871")

m.x = pyo.Var(domain=pyo.NonNegativeReals, initialize=10)
m.y = pyo.Var(domain=pyo.NonNegativeReals, initialize=5)

m.leader = pyo.Objective(expr=16 * m.x**2 + 9 * m.y**2, sense=pyo.minimize)
m.e1 = pyo.Constraint(expr=-4 * m.x + m.y <= 0, doc="the leader's row")

m.follower = pyo.Expression(expr=(m.x + m.y - 20) ** 4)
m.e2 = pyo.Constraint(expr=4 * m.x + m.y <= 50, doc="the follower's row")
