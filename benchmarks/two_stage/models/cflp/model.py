"""Which facilities to open before the demands are known; each customer is served by one of them, or not at all, at a price."""

import json
from pathlib import Path

import pyomo.environ as pyo

data = json.loads((Path(__file__).parent / "data.json").read_text())
SHARE = pyo.Binary if data["whole"] else pyo.UnitInterval  # of a customer's demand that one facility serves

model = m = pyo.ConcreteModel("cflp")
m.I, m.J = pyo.RangeSet(len(data["fixed"])), pyo.RangeSet(len(data["transport"][0]))
m.d = pyo.Param(m.J, initialize=20, mutable=True, doc="demand")

m.x = pyo.Var(m.I, domain=pyo.Binary, doc="opened")
m.y = pyo.Var(m.I, m.J, domain=SHARE, doc="serves")
m.z = pyo.Var(m.J, domain=SHARE, doc="not served")

m.served = pyo.Constraint(m.J, rule=lambda m, j: m.z[j] + pyo.quicksum(m.y[i, j] for i in m.I) >= 1)
m.room = pyo.Constraint(m.I, rule=lambda m, i: pyo.quicksum(m.d[j] * m.y[i, j] for j in m.J) <= data["capacity"][i - 1] * m.x[i])
m.open = pyo.Constraint(m.I, m.J, rule=lambda m, i, j: m.y[i, j] <= m.x[i])
m.cost = pyo.Objective(
    expr=pyo.quicksum(data["fixed"][i - 1] * m.x[i] for i in m.I)
    + pyo.quicksum(data["transport"][i - 1][j - 1] * m.y[i, j] for i in m.I for j in m.J)
    + data["penalty"] * pyo.quicksum(m.z.values())
)
