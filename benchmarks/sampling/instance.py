"""Random LP followers: n variables in [0, 10], m rows, the leader's five variables in the right-hand sides of about a third."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyomo.environ as pyo

SIZES = ((10, 8), (50, 40), (200, 150))
INPUTS = 5


@dataclass(frozen=True)
class Numbers:
    """min cost'y s.t. matrix y + slope x <= side."""

    cost: np.ndarray
    matrix: np.ndarray
    side: np.ndarray
    slope: np.ndarray


def numbers(n: int, m: int, seed: int = 0) -> Numbers:
    """About eight entries in a row, and an answer for every x in the unit box."""
    draw = np.random.default_rng(seed)
    matrix = (draw.random((m, n)) < min(1, 8 / n)) * draw.random((m, n)) + 0.01 * np.eye(m, n)
    side = draw.random(m) * n / 4 + 1
    slope = -side[:, None] * draw.random((m, INPUTS)) * (draw.random((m, INPUTS)) < 0.3)
    return Numbers(-draw.random(n), matrix, 0.5 * side, slope)


def model_of(data: Numbers, fixed: bool = False) -> pyo.ConcreteModel:
    """As a modeller writes it. ``fixed``: the inputs are mutable parameters, and the follower is the whole model."""
    m = pyo.ConcreteModel()
    rows, columns = data.matrix.shape
    inputs = range(INPUTS)
    m.x = pyo.Param(inputs, mutable=True, initialize=0.5) if fixed else pyo.Var(inputs, bounds=(0, 1))
    m.y = pyo.Var(range(columns), bounds=(0, 10))
    body = {i: sum(float(data.matrix[i, j]) * m.y[j] for j in np.flatnonzero(data.matrix[i])) for i in range(rows)}
    moved = {i: sum(float(data.slope[i, k]) * m.x[k] for k in np.flatnonzero(data.slope[i])) for i in range(rows)}
    m.rows = pyo.Constraint(range(rows), rule=lambda m, i: body[i] <= float(data.side[i]) - moved[i])
    goal = sum(float(c) * m.y[j] for j, c in enumerate(data.cost))
    if fixed:
        m.goal = pyo.Objective(expr=goal)
    else:
        m.goal = pyo.Expression(expr=goal)
        m.leader = pyo.Objective(expr=sum(m.x[k] for k in inputs))
    return m


ANNOTATION = "bilevel x\nmin goal y rows"


def points(count: int, seed: int = 1) -> np.ndarray:
    """Decisions of the leader (count, inputs) in the unit box."""
    return np.random.default_rng(seed).random((count, INPUTS))
