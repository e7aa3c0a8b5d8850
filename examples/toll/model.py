"""Tolls on two roads of a small network, and travellers who take the cheapest way."""

import pyomo.environ as pyo

model = m = pyo.ConcreteModel("toll")

m.N = pyo.Set(initialize=["A", "B", "C", "D", "E"], doc="towns")
m.R = pyo.Set(initialize=["AB", "AC", "AD", "AE", "BC", "BD", "BE", "CD", "CE", "DE"], doc="one-way roads")
m.time = pyo.Param(
    m.R,
    initialize={"AB": 5, "AC": 5, "AD": 9, "AE": 14, "BC": 2, "BD": 1, "BE": 6, "CD": 5, "CE": 1, "DE": 1},
    doc="cost of travelling, without toll",
)
m.P = pyo.Set(within=m.R, initialize=["BD", "CE"], doc="roads with a toll")
m.O = pyo.Set(initialize=["AD", "AE", "BE"], doc="groups of travellers, named by origin and destination")
m.trips = pyo.Param(m.O, initialize={"AD": 2, "AE": 4, "BE": 3}, doc="how many they are")

m.toll = pyo.Var(m.P, bounds=(0, 20), doc="the road operator decides")
m.flow = pyo.Var(m.O, m.R, domain=pyo.NonNegativeReals, doc="the travellers decide")

m.revenue = pyo.Objective(expr=sum(m.toll[r] * m.flow[o, r] for o in m.O for r in m.P), sense=pyo.maximize)


@m.Expression(m.O)
def travel(m, o):
    return sum((m.time[r] + (m.toll[r] if r in m.P else 0)) * m.flow[o, r] for r in m.R)


@m.Constraint(m.O, m.N)
def balance(m, o, n):
    """What arrives at a town and does not end there goes on. (The origin's row would follow from the others.)"""
    if n == o[0]:
        return pyo.Constraint.Skip
    arriving = sum(m.flow[o, r] for r in m.R if r[1] == n)
    leaving = sum(m.flow[o, r] for r in m.R if r[0] == n)
    return arriving - leaving == (m.trips[o] if n == o[1] else 0)
