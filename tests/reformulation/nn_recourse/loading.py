"""Random two-stage programs with integer recourse made of knapsacks: vans are hired, and loaded when the weights are known."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pyomo.environ as pyo

from bilevel_lang.reformulation.stochastic.arrays import TwoStageArrays
from bilevel_lang.solvers.program import Floats
from tests.reformulation.stochastic.test_extensive import arrays_of_text

VANS, PARCELS, SCENARIOS = 2, 4, 3


def loading(seed: int, sense: int = 1, exactly: bool = False) -> TwoStageArrays:
    """Two vans to hire, a continuous extra of the first one's room; parcels go in one van, or at a price by post.

    ``sense`` -1: the same as a maximisation. ``exactly``: each parcel goes exactly once, an equality.
    """
    draw = np.random.default_rng(seed)
    m: Any = pyo.ConcreteModel()
    m.J = pyo.RangeSet(PARCELS)
    m.w = pyo.Param(m.J, initialize=3, mutable=True)
    m.x = pyo.Var(range(VANS), domain=pyo.Binary)
    m.more = pyo.Var(bounds=(0, 3))
    m.y = pyo.Var(range(VANS), m.J, domain=pyo.Binary)
    m.post = pyo.Var(m.J, bounds=(0, 1))
    room = draw.integers(7, 12, VANS).tolist()
    cost = draw.integers(1, 6, (VANS, PARCELS)).tolist()
    m.room = pyo.Constraint(
        range(VANS),
        rule=lambda m, i: pyo.quicksum(m.w[j] * m.y[i, j] for j in m.J) <= room[i] * m.x[i] + (m.more if i == 0 else 0),
    )
    m.hired = pyo.Constraint(range(VANS), m.J, rule=lambda m, i, j: m.y[i, j] <= m.x[i])

    def once(m: Any, j: int) -> Any:
        gone = m.post[j] + pyo.quicksum(m.y[i, j] for i in range(VANS))
        return gone == 1 if exactly else gone >= 1

    m.once = pyo.Constraint(m.J, rule=once)
    hire = pyo.quicksum(float(p) * m.x[i] for i, p in enumerate(draw.integers(6, 12, VANS))) + 1.5 * m.more
    late = pyo.quicksum(cost[i][j - 1] * m.y[i, j] for i in range(VANS) for j in m.J) + 9 * pyo.quicksum(m.post.values())
    m.cost = pyo.Objective(expr=sense * (hire + late), sense=pyo.minimize if sense == 1 else pyo.maximize)
    weights = draw.integers(2, 8, (SCENARIOS, PARCELS)).tolist()
    lines = [f"  {1 / SCENARIOS!r} " + " ".join(map(str, own)) for own in weights]
    names = " ".join(f"w[{j}]" for j in m.J)
    return arrays_of_text(m, f"jrandvar {names}\n" + "\n".join(lines) + "\nstage 2 w y post room hired once\n")


def choices() -> Floats:
    """(k, 3): all hirings with some extras."""
    return np.array([[*x, u] for x in itertools.product((0.0, 1.0), repeat=VANS) for u in (0.0, 1.4, 3.0)])
