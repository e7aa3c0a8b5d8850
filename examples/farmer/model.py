"""What to plant before the weather is known (Birge and Louveaux, section 1.1): the model of one year."""

import pyomo.environ as pyo

PLANTING = {"wheat": 150, "corn": 230, "beets": 260}  # EUR per acre
YIELD = {"wheat": 2.5, "corn": 3, "beets": 20}  # tons per acre in an average year
NEED = {"wheat": 200, "corn": 240}  # tons for the cattle
BUYING, SELLING = {"wheat": 238, "corn": 210}, {"wheat": 170, "corn": 150}  # EUR per ton
QUOTA, BEST, REST = 6000, 36, 10  # tons of beets at the good price, EUR per ton within the quota and beyond it

model = m = pyo.ConcreteModel("farmer")

m.CROPS = pyo.Set(initialize=list(PLANTING))
m.FEED = pyo.Set(initialize=list(NEED))
m.tons = pyo.Param(m.CROPS, initialize=YIELD, mutable=True)

m.acres = pyo.Var(m.CROPS, bounds=(0, None))
m.buy = pyo.Var(m.FEED, bounds=(0, None))
m.sell = pyo.Var(m.FEED, bounds=(0, None))
m.quota = pyo.Var(bounds=(0, QUOTA))
m.beyond = pyo.Var(bounds=(0, None))

m.land = pyo.Constraint(expr=sum(m.acres[c] for c in m.CROPS) <= 500)
m.cattle = pyo.Constraint(m.FEED, rule=lambda m, c: m.tons[c] * m.acres[c] + m.buy[c] - m.sell[c] >= NEED[c])
m.beets = pyo.Constraint(expr=m.quota + m.beyond <= m.tons["beets"] * m.acres["beets"])

planting = sum(PLANTING[c] * m.acres[c] for c in m.CROPS)
trading = sum(BUYING[c] * m.buy[c] - SELLING[c] * m.sell[c] for c in m.FEED)
m.cost = pyo.Objective(expr=planting + trading - BEST * m.quota - REST * m.beyond)
