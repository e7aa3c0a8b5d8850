"""Small hierarchical problems with answers in closed form, shared by the tests of rewrites and encodings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pyomo.environ as pyo
from pyomo.mpec import Complementarity, complements


@dataclass(frozen=True)
class KnownProblem:
    """``build`` gives a fresh model; ``objective`` is the leader's optimum (None: no leader), ``values`` what is unique in it."""

    name: str
    build: Callable[[], Any]
    annotation: str
    objective: float | None
    values: dict[str, float]
    big_m: float
    """Proven by hand: some optimal multipliers, and all slacks, stay below it."""
    source: str


def plain(**bounds: Any) -> Any:
    """Leader x in [0, 10] that wants x = 3 and a small y; a follower that minimises y in [0, 10]."""
    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=bounds.get("x", (0, 10)))
    m.y = pyo.Var(bounds=bounds.get("y", (0, 10)))
    m.leader = pyo.Objective(expr=(m.x - 3) ** 2 + m.y)
    m.f = pyo.Objective(expr=m.y)
    m.f.deactivate()
    return m


def follow() -> Any:
    """``plain`` with the row y >= x: min (x - 3)² + x, so x = y = 5/2, objective 11/4."""
    m = plain()
    m.c = pyo.Constraint(expr=m.y >= m.x)
    return m


def linear() -> Any:
    """min x - 4 y; min y s.t. x + y >= 3, 2x - y >= 0, 2x + y <= 12, 3x - 2y <= 4 (Bard 1998, example 5.1.1): -12 at (4, 4)."""
    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=(0, 12))
    m.y = pyo.Var(bounds=(0, 12))
    m.leader = pyo.Objective(expr=m.x - 4 * m.y)
    m.f = pyo.Objective(expr=m.y)
    m.f.deactivate()
    m.e1 = pyo.Constraint(expr=m.x + m.y >= 3)
    m.e2 = pyo.Constraint(expr=2 * m.x - m.y >= 0)
    m.e3 = pyo.Constraint(expr=2 * m.x + m.y <= 12)
    m.e4 = pyo.Constraint(expr=3 * m.x - 2 * m.y <= 4)
    return m


def price() -> Any:
    """A regulator caps supply and earns the price: max p q, where buyers max 8 q - q²/2 s.t. q <= cap. p = 8 - q: 16 at q = 4."""
    m = pyo.ConcreteModel()
    m.cap = pyo.Var(bounds=(0, 10))
    m.q = pyo.Var(bounds=(0, None))
    m.p = pyo.Var(bounds=(0, 20))
    m.leader = pyo.Objective(expr=m.p * m.q, sense=pyo.maximize)
    m.welfare = pyo.Objective(expr=8 * m.q - m.q**2 / 2, sense=pyo.maximize)
    m.welfare.deactivate()
    m.limit = pyo.Constraint(expr=m.q - m.cap <= 0)
    return m


def cournot() -> Any:
    """Three firms, price 10 - total, unit costs 1, 2, 3: q_i = 10 - sum - i, so the sum is 6 and q = (3, 2, 1)."""
    m = pyo.ConcreteModel()
    m.q = pyo.Var([1, 2, 3], bounds=(0, None))
    m.profit = pyo.Expression([1, 2, 3], rule=lambda m, i: (10 - sum(m.q[j] for j in m.q)) * m.q[i] - i * m.q[i])
    return m


def mixed() -> Any:
    """min, max and vi side by side: a = x + b/2, b = 2 - a/2, z = max(0, a - b): x = 0, a = 4/5, b = 8/5, z = 0; then x = 0."""
    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=(0, 4))
    m.a, m.b, m.z = pyo.Var(bounds=(0, 9)), pyo.Var(bounds=(0, 9)), pyo.Var(bounds=(0, 9))
    m.fa = pyo.Expression(expr=(m.a - m.x - 0.5 * m.b) ** 2)
    m.fb = pyo.Expression(expr=-((m.b - 2 + 0.5 * m.a) ** 2))
    m.F = pyo.Expression(expr=m.z - m.a + m.b)
    m.leader = pyo.Objective(expr=m.z + m.x)
    return m


def shop() -> Any:
    """GAMS style, a range, two followers and an equality: leader x, followers y (range) and w (equality)."""
    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=(0, 6))
    m.y = pyo.Var()
    m.w = pyo.Var(bounds=(-5, 5))
    m.cost = pyo.Var()
    m.leader = pyo.Objective(expr=m.x**2 - 4 * m.y + m.w)
    # Follower 1: cost = y, y between x - 1 and x + 2, so y = x - 1. Follower 2: w = x / 2 whatever it wants.
    m.defcost = pyo.Constraint(expr=m.cost - m.y == 0)
    m.band = pyo.Constraint(expr=pyo.inequality(-1, m.y - m.x, 2))
    m.g = pyo.Expression(expr=m.w**2)
    m.half = pyo.Constraint(expr=2 * m.w - m.x == 0)
    return m


def pairs() -> Any:
    """An MPEC of the user's own: min (x - 1)² + (y - 2)², 0 <= x _|_ y >= 0: 1 at (0, 2)."""
    m = pyo.ConcreteModel()
    m.x, m.y = pyo.Var(bounds=(-9, 9)), pyo.Var(bounds=(-9, 9))
    m.leader = pyo.Objective(expr=(m.x - 1) ** 2 + (m.y - 2) ** 2)
    m.compl = Complementarity(expr=complements(m.x >= 0, m.y >= 0))
    return m


KNOWN = (
    KnownProblem("follow", follow, "bilevel x\nmin f y c", 2.75, {"x": 2.5, "y": 2.5}, 40, "by hand"),
    KnownProblem("linear", linear, "bilevel x\nmin f y e1 e2 e3 e4", -12.0, {"x": 4, "y": 4}, 40, "Bard 1998, example 5.1.1"),
    KnownProblem(
        "price", price, "bilevel cap\nmax welfare q limit\ndualvar p limit", 16.0, {"q": 4, "p": 4, "cap": 4}, 40, "by hand"
    ),
    KnownProblem(
        "cournot",
        cournot,
        "equilibrium\nmax profit(1) q(1)\nmax profit(2) q(2)\nmax profit(3) q(3)",
        None,
        {"q[1]": 3, "q[2]": 2, "q[3]": 1},
        40,
        "by hand",
    ),
    KnownProblem(
        "mixed", mixed, "bilevel x\nmin fa a\nmax fb b\nvi F z", 0.0, {"x": 0, "a": 0.8, "b": 1.6, "z": 0}, 40, "by hand"
    ),
    # min x² - 4 (x - 1) + x / 2: x = 7/4, objective 4 - 49/16.
    KnownProblem(
        "shop",
        shop,
        "bilevel x\nmin cost y defcost band\nmin g w half",
        0.9375,
        {"x": 1.75, "y": 0.75, "w": 0.875, "cost": 0.75},
        40,
        "by hand",
    ),
    KnownProblem("pairs", pairs, "", 1.0, {"x": 0, "y": 2}, 40, "by hand"),
)
