"""Which depots to open before the demand is known: the model of one scenario. Service comes in whole lots."""

import pyomo.environ as pyo

LOT, ROOM, LOST = 2.5, 6, 8  # units in a lot, units that a depot can send, cost of a unit that is not served
OPEN = {1: 9, 2: 7, 3: 12}
SERVE = {(1, 1): 1, (1, 2): 3, (2, 1): 2, (2, 2): 1, (3, 1): 1, (3, 2): 1}  # a lot from a depot to a customer

model = m = pyo.ConcreteModel("lots")

m.I, m.J = pyo.RangeSet(3), pyo.RangeSet(2)
m.d = pyo.Param(m.J, initialize=5, mutable=True, doc="demand")

m.x = pyo.Var(m.I, domain=pyo.Binary, doc="opened, before the demand is known")
m.y = pyo.Var(m.I, m.J, domain=pyo.NonNegativeIntegers, bounds=(0, 2), doc="lots sent")
m.lost = pyo.Var(m.J, bounds=(0, None))

m.need = pyo.Constraint(m.J, rule=lambda m, j: LOT * pyo.quicksum(m.y[i, j] for i in m.I) + m.lost[j] >= m.d[j])
m.room = pyo.Constraint(m.I, rule=lambda m, i: LOT * pyo.quicksum(m.y[i, j] for j in m.J) <= ROOM * m.x[i])
m.cost = pyo.Objective(
    expr=pyo.quicksum(OPEN[i] * m.x[i] for i in m.I)
    + pyo.quicksum(SERVE[i, j] * m.y[i, j] for i in m.I for j in m.J)
    + LOST * pyo.quicksum(m.lost.values())
)
