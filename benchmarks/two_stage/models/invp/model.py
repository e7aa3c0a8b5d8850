"""What to invest before the capacities are known (Schultz, Stougie and van der Vlerk 1998, example 7.3)."""

import json
from pathlib import Path

import pyomo.environ as pyo

data = json.loads((Path(__file__).parent / "data.json").read_text())
T, W, GAIN = data["technology"], [[2, 3, 4, 5], [6, 1, 3, 2]], [16, 19, 23, 28]

model = m = pyo.ConcreteModel("invp")
m.R, m.J = pyo.RangeSet(2), pyo.RangeSet(4)
m.xi = pyo.Param(m.R, initialize=10, mutable=True, doc="capacity")

m.x = pyo.Var(m.R, bounds=(0, 5), doc="invested")
m.y = pyo.Var(m.J, domain=pyo.Binary if data["binary"] else pyo.NonNegativeIntegers, doc="done")

m.capacity = pyo.Constraint(
    m.R,
    rule=lambda m, r: (
        pyo.quicksum(W[r - 1][j - 1] * m.y[j] for j in m.J) + pyo.quicksum(T[r - 1][k - 1] * m.x[k] for k in m.R) <= m.xi[r]
    ),
)
m.cost = pyo.Objective(expr=-1.5 * m.x[1] - 4 * m.x[2] - pyo.quicksum(GAIN[j - 1] * m.y[j] for j in m.J))
