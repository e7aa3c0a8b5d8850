"""Small problems of which everything is known, for the tests of this folder."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pyomo.environ as pyo

from bilevel_lang import resolve
from bilevel_lang.problem import BilevelProblem
from bilevel_lang.reformulation.nn_embed.domain import derived_domain, seen_inputs
from bilevel_lang.reformulation.options import Options
from bilevel_lang.reformulation.rewrite import Refusal
from bilevel_lang.reformulation.value_function.integer.arrays import BilevelProgram
from bilevel_lang.reformulation.value_function.integer.reading import read_linear
from bilevel_lang.solvers.matrix import Ints
from bilevel_lang.surrogate.bounds.input_set import InputSet


def continuous(upper: float | None = 10.0) -> tuple[Any, str]:
    """min x - 4 y  with  y = argmin y : y >= 3 - x, y >= x - 1, y >= 0, x + y <= 8: v(x) = max(3 - x, x - 1, 0), best -12."""
    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=(0, upper))
    m.y = pyo.Var(bounds=(0, 20))
    m.outer = pyo.Objective(expr=m.x - 4 * m.y)
    m.inner = pyo.Objective(expr=m.y)
    m.inner.deactivate()
    m.e1 = pyo.Constraint(expr=m.x + m.y >= 3)
    m.e2 = pyo.Constraint(expr=m.y >= m.x - 1)
    m.cap = pyo.Constraint(expr=m.x + m.y <= 8)
    return m, "bilevel x\nmin inner y e1 e2\n"


PROFIT, WEIGHT, CAPACITY, BUDGET = (7.0, 5.0, 6.0, 3.0), (4.0, 3.0, 4.0, 2.0), 7.0, 2


def interdiction() -> tuple[Any, str]:
    """The leader takes at most two of four items out of a knapsack."""
    m = pyo.ConcreteModel()
    m.i = pyo.RangeSet(0, 3)
    m.x = pyo.Var(m.i, domain=pyo.Binary)
    m.y = pyo.Var(m.i, domain=pyo.Binary)
    m.profit = pyo.Expression(expr=sum(PROFIT[i] * m.y[i] for i in m.i))
    m.outer = pyo.Objective(expr=m.profit)
    m.inner = pyo.Objective(expr=m.profit, sense=pyo.maximize)
    m.inner.deactivate()
    m.budget = pyo.Constraint(expr=sum(m.x[i] for i in m.i) <= BUDGET)
    m.capacity = pyo.Constraint(expr=sum(WEIGHT[i] * m.y[i] for i in m.i) <= CAPACITY)
    m.out = pyo.Constraint(m.i, rule=lambda m, i: m.x[i] + m.y[i] <= 1)
    return m, "bilevel x\nmax inner y capacity out\n"


def knapsack_value(x: np.ndarray) -> float:
    """The follower's best profit, by looking at all sixteen choices."""
    best = 0.0
    for bits in range(16):
        y = np.array([bits >> i & 1 for i in range(4)], dtype=float)
        if y @ np.array(WEIGHT) <= CAPACITY and (x + y <= 1).all():
            best = max(best, float(y @ np.array(PROFIT)))
    return best


def resolved(made: tuple[Any, str]) -> BilevelProblem:
    return resolve(*made)


def arrays(made: tuple[Any, str]) -> tuple[BilevelProgram, Ints, InputSet]:
    """The arrays, the inputs' columns, and their box."""
    read = read_linear(resolved(made))
    assert not isinstance(read, Refusal)
    inputs = seen_inputs(read.arrays)
    return read.arrays, inputs, derived_domain(read.arrays, inputs, tuple(read.variables[j].name for j in inputs))


def options(**nn: Any) -> Options:
    plain = Options(method="nn-embed")
    return replace(plain, nn=replace(plain.nn, **nn))
