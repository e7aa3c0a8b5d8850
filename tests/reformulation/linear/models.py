"""Small linear bilevel problems for the tests of the arrays route."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyomo.environ as pyo

import bilevel_lang as bl
from bilevel_lang.reformulation.linear.mpec import LinearMpec
from bilevel_lang.reformulation.linear.reading import read_mpec


def bard511() -> tuple[Any, str]:
    """Bard 1998, 5.1.1: -12 at x = y = 4."""
    m = pyo.ConcreteModel()
    m.x, m.y = pyo.Var(bounds=(0, None)), pyo.Var(bounds=(0, None))
    m.lead = pyo.Objective(expr=m.x - 4 * m.y)
    m.inner = pyo.Expression(expr=m.y)
    m.e = pyo.Constraint([1, 2, 3, 4], rule=lambda m, i: _BARD[i](m))
    return m, "bilevel x\nmin inner y e"


_BARD = {
    1: lambda m: -m.x - m.y <= -3,
    2: lambda m: -2 * m.x + m.y <= 0,
    3: lambda m: 2 * m.x + m.y <= 12,
    4: lambda m: 3 * m.x - 2 * m.y <= 4,
}


def random_follower(seed: int, quadratic: bool = False) -> tuple[Any, str]:
    """A follower with rows of every kind, bounds of every kind, of either sense; x in [0, 3], feasible at x = 1, y = 1."""
    r = np.random.default_rng((7, seed))
    n, rows = 3, 4
    m = pyo.ConcreteModel()
    m.x = pyo.Var([0, 1], bounds=(0, 3))
    m.y = pyo.Var(range(n))
    for i, (low, up) in enumerate(r.permutation(np.array([(0, 5), (-4, 6), (-7, 0 + 5)]))):
        m.y[i].setlb(int(low))
        m.y[i].setub(int(up))
    a, b = r.integers(-3, 4, (rows, n)), r.integers(-2, 3, (rows, 2))
    m.c = pyo.ConstraintList()
    for k in range(rows):
        body = sum(int(a[k, i]) * m.y[i] for i in range(n)) + sum(int(b[k, i]) * m.x[i] for i in range(2)) + 2.0
        here = float(a[k].sum() + b[k].sum()) + 2.0
        kind = ("upper", "lower", "range", "equal")[k]
        if kind == "equal" and not a[k].any():
            kind = "range"
        m.c.add(
            {
                "upper": lambda body=body, here=here: body <= here + 1,
                "lower": lambda body=body, here=here: body >= here - 2,
                "range": lambda body=body, here=here: (here - 1, body, here + 3),
                "equal": lambda body=body, here=here: body == here,
            }[kind]()
        )
    sense = str(r.choice(["min", "max"]))
    cost = r.integers(-4, 5, n)
    own = sum(int(cost[i]) * m.y[i] for i in range(n)) + m.x[0] * m.y[0]
    curved = sum((i + 1) * m.y[i] ** 2 for i in range(n)) + m.y[0] * m.y[1] if quadratic else 0
    m.inner = pyo.Expression(expr=own + (curved if sense == "min" else -curved))
    lead = r.integers(-3, 4, n + 2)
    m.lead = pyo.Objective(expr=sum(int(lead[i]) * m.y[i] for i in range(n)) + int(lead[3]) * m.x[0] + int(lead[4]) * m.x[1])
    return m, f"bilevel x\n{sense} inner y c"


def mpec_of(made: tuple[Any, str]) -> LinearMpec:
    """The arrays of a problem that has them."""
    model, text = made
    found = read_mpec(bl.resolve(model, text))
    assert isinstance(found, LinearMpec), found
    return found
