"""Small models with answers known by hand, for the tests of this folder: (model, annotation, leader's optimal value)."""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo


def tax() -> tuple[Any, str, float]:
    """README's: the firm answers tax t with 8 - t, at most 6; output <= 5 needs t = 3."""
    m = pyo.ConcreteModel()
    m.tax = pyo.Var(bounds=(0, 10))
    m.output = pyo.Var(bounds=(0, None))
    m.limit = pyo.Constraint(expr=m.output <= 5)
    m.capacity = pyo.Constraint(expr=m.output <= 6)
    m.burden = pyo.Objective(expr=m.tax)
    m.profit = pyo.Objective(expr=(8 - m.tax) * m.output - m.output**2 / 2, sense=pyo.maximize)
    m.profit.deactivate()
    return m, "bilevel tax\nmax profit output capacity", 3.0


def bard() -> tuple[Any, str, float]:
    """Bard 1998, example 5.1.1 (BASBLib b_1984_01): LP over LP, 28/9."""
    m = pyo.ConcreteModel()
    m.x, m.y = pyo.Var(bounds=(0, 10)), pyo.Var(bounds=(0, 10))
    m.upper = pyo.Objective(expr=m.x + m.y)
    m.lower = pyo.Expression(expr=-5 * m.x - m.y)
    m.l1 = pyo.Constraint(expr=-m.x - 0.5 * m.y <= -2)
    m.l2 = pyo.Constraint(expr=-0.25 * m.x + m.y <= 2)
    m.l3 = pyo.Constraint(expr=m.x + 0.5 * m.y <= 8)
    m.l4 = pyo.Constraint(expr=m.x - 2 * m.y <= 2)
    return m, "bilevel x\nmin lower y l1 l2 l3 l4", 28 / 9


def readme() -> tuple[Any, str, float]:
    """The example of BilevelJuMP's README (MIT), with a free follower variable: 92/15 = 6.1333."""
    m = pyo.ConcreteModel()
    m.x, m.y = pyo.Var(), pyo.Var()
    m.upper = pyo.Objective(expr=3 * m.x + m.y)
    m.u1 = pyo.Constraint(expr=m.x <= 5)
    m.u2 = pyo.Constraint(expr=m.y <= 8)
    m.u3 = pyo.Constraint(expr=m.y >= 0)
    m.lower = pyo.Expression(expr=-m.x)
    m.l1 = pyo.Constraint(expr=m.x + m.y <= 8)
    m.l2 = pyo.Constraint(expr=4 * m.x + m.y >= 8)
    m.l3 = pyo.Constraint(expr=2 * m.x + m.y <= 13)
    m.l4 = pyo.Constraint(expr=2 * m.x - 7 * m.y <= 0)
    return m, "bilevel y\nmin lower x l1 l2 l3 l4", 92 / 15


def vi() -> tuple[Any, str, float]:
    """x solves the VI of x - 2p over [0, 2], so x = 2p in between; min (2p - 1)^2 + p^2 is 1/5 at p = 2/5."""
    m = pyo.ConcreteModel()
    m.p, m.x = pyo.Var(bounds=(-5, 5)), pyo.Var(bounds=(0, 2))
    m.F = pyo.Expression(expr=m.x - 2 * m.p)
    m.upper = pyo.Objective(expr=(m.x - 1) ** 2 + m.p**2)
    return m, "bilevel p\nvi F x", 0.2


def two_followers() -> tuple[Any, str, float]:
    """A range row and free variables: y = x within [1, 6], z = max(4, y); min (x - 8)^2 + z is 6 at x = 8.

    There y is at its upper side, and d (6 - 8)^2 / d 6 = -4.
    """
    m = pyo.ConcreteModel()
    m.x, m.y, m.z = pyo.Var(bounds=(0, 10)), pyo.Var(), pyo.Var()
    m.upper = pyo.Objective(expr=(m.x - 8) ** 2 + m.z)
    m.f = pyo.Expression(expr=(m.y - m.x) ** 2)
    m.between = pyo.Constraint(expr=(1, m.y, 6))
    m.g = pyo.Expression(expr=(m.z - m.y) ** 2)
    m.least = pyo.Constraint(expr=m.z >= 4)
    return m, "bilevel x\nmin f y between\nmin g z least", 6.0


def nonconvex() -> tuple[Any, str]:
    """Mirrlees' example in small: the follower's stationary points are not all its optima (min y^4/4 - y^2/2 + x y / 10).

    The leader wants the local minimum at y > 0, which for x > 0 is not the global one.
    """
    m = pyo.ConcreteModel()
    m.x, m.y = pyo.Var(bounds=(0.5, 1)), pyo.Var(bounds=(-3, 3))
    m.upper = pyo.Objective(expr=(m.y - 1) ** 2 + m.x)
    m.f = pyo.Expression(expr=m.y**4 / 4 - m.y**2 / 2 + m.x * m.y / 10)
    return m, "bilevel x\nmin f y"


ALL = (tax, bard, readme, vi, two_followers)
