"""A sparse LP follower of any size: n rows, n variables, four nonzeros a row and a leader's variable in each."""

from __future__ import annotations

import random
from typing import Any

import pyomo.environ as pyo

ANNOTATION = "bilevel x\nmin f y c"
LEADERS = 5
NONZEROS = 4


def build(n: int, seed: int = 0) -> Any:
    """``min sum x + d y`` over x in [0, 1]^5 and y in ``argmin { f = c y : A y + x[i % 5] >= 1, y >= 0 }``, A of 1..5."""
    draw = random.Random(seed)
    columns = [[i, *(draw.randrange(n) for _ in range(NONZEROS - 1))] for i in range(n)]
    factors = [[draw.randint(1, 5) for _ in range(NONZEROS)] for _ in range(n)]
    own = [draw.randint(1, 4) for _ in range(n)]
    leaders = [draw.randint(0, 4) for _ in range(n)]
    m = pyo.ConcreteModel()
    m.x = pyo.Var(range(LEADERS), bounds=(0, 1))
    m.y = pyo.Var(range(n), bounds=(0, None))
    m.o = pyo.Objective(expr=sum(m.x[i] for i in range(LEADERS)) + sum(leaders[j] * m.y[j] for j in range(n)))
    m.f = pyo.Expression(expr=sum(own[j] * m.y[j] for j in range(n)))

    def row(m: Any, i: int) -> Any:
        return sum(a * m.y[j] for a, j in zip(factors[i], columns[i], strict=True)) + m.x[i % LEADERS] >= 1

    m.c = pyo.Constraint(range(n), rule=row)
    return m
