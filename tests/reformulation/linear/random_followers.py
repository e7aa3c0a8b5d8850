"""Tiny random bilevel problems with LP and QP followers, for comparisons of one method with another."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyomo.environ as pyo

from bilevel_lang import parse
from bilevel_lang.reformulation.linear.mpec import LinearMpec
from bilevel_lang.reformulation.linear.reading import read_mpec
from bilevel_lang.resolver.resolution import resolve

ANNOTATION = "bilevel x\nmin f y e"


def random_bilevel(seed: int) -> Any:
    """One leader variable in [0, 3] or two, followers of 1 to 3 variables with bounds of all kinds and 1 to 4 rows.

    Even seeds: LP followers; odd ones: convex QP, every second of those with the leader in the gradient.
    """
    random = np.random.default_rng(seed)
    n, k, rows = random.integers(1, 3), random.integers(1, 4), random.integers(1, 5)
    m = pyo.ConcreteModel()
    m.x = pyo.Var(range(n), bounds=(0, 3))
    kinds = random.integers(0, 3, k)
    m.y = pyo.Var(range(k), bounds=lambda m, j: ((0, 6), (0, None), (-2, 5))[kinds[j]])
    a = random.integers(-3, 4, (rows, k)).astype(float)
    c = random.integers(-2, 3, (rows, n)).astype(float)
    inside = random.integers(0, 4, k).astype(float)
    slack = random.integers(0, 4, rows)
    b = a @ inside + c @ np.full(n, 1.0) - slack  # feasible at x = 1

    def row(m: Any, i: int) -> Any:
        body = sum(a[i, j] * m.y[j] for j in range(k)) + sum(c[i, j] * m.x[j] for j in range(n))
        return body >= b[i] if np.any(a[i]) else pyo.Constraint.Skip

    m.e = pyo.Constraint(range(rows), rule=row)
    cost = random.integers(-4, 5, k).astype(float)
    objective = sum(cost[j] * m.y[j] for j in range(k))
    if seed % 2:
        factor = random.integers(-2, 3, (k, k)).astype(float)
        hessian = factor.T @ factor
        objective += sum(0.5 * hessian[i, j] * m.y[i] * m.y[j] for i in range(k) for j in range(k))
        if seed % 4 == 3:
            objective += sum(random.integers(-2, 3) * m.y[j] * m.x[0] for j in range(k))
    m.f = pyo.Expression(expr=objective)
    price = random.integers(-5, 6, n + k).astype(float)
    m.room = pyo.Constraint(range(k), rule=lambda m, j: pyo.inequality(-20, m.y[j], 20))
    goal = sum(price[j] * m.x[j] for j in range(n)) + sum(price[n + j] * m.y[j] for j in range(k))
    m.leader = pyo.Objective(expr=goal)
    return m


def mpec_of(model: Any, annotation: str = ANNOTATION) -> LinearMpec:
    found = read_mpec(resolve(model, parse(annotation)))
    assert isinstance(found, LinearMpec), found
    return found
