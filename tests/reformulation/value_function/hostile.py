"""Random problems with what followers do to a method, and their optimum by brute force.

Two whole columns of the leader's in boxes of up to 25 points, followers with free integers that rows alone bound, equalities,
numbers from 1 to a million in one row, zero objectives, maximisation, decisions without an answer, and a second follower.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyomo.environ as pyo


@dataclass(frozen=True)
class Hostile:
    """``best`` is the leader's optimum in its own sense, None where there is no solution; ``narrow``: boxes of 5 points."""

    model: Any
    annotation: str
    best: float | None
    narrow: bool


def hostile(seed: int) -> Hostile:
    """The model and its answer. The first follower's y is whole and free; the second, of every third problem, has w in [0, 3]."""
    random = np.random.default_rng(seed)
    width = int(random.choice([2, 6, 12]))
    scale = float(random.choice([1.0, 1e3, 1e6]))
    second, sense, own_sense = seed % 3 == 0, int(random.choice([1, -1])), int(random.choice([1, -1]))
    c, d = random.integers(-9, 10, 3), random.integers(-2, 3, 2)
    a, equality = random.integers(-3, 4, (2, 2)), bool(random.random() < 0.3)
    side, least = int(random.integers(-5, 6)), int(random.integers(1, 9))
    step, cap = int(random.choice([1, 2, 3])), width * int(random.choice([2, 2, 2, 0, -6]))

    m = pyo.ConcreteModel()
    m.x = pyo.Var(range(2), bounds=(-width, width), domain=pyo.Integers)
    m.y = pyo.Var(domain=pyo.Integers)
    m.s = pyo.Var(domain=pyo.Integers)
    m.w = pyo.Var(bounds=(0, 3), domain=pyo.Integers if seed % 2 else pyo.Reals)
    goal = sum(int(c[j]) * m.x[j] for j in range(2)) + int(c[2]) * m.y
    m.goal = pyo.Objective(expr=goal + (m.w if second else 0), sense=pyo.minimize if sense > 0 else pyo.maximize)
    m.f = pyo.Expression(expr=int(d[0]) * m.y + int(d[1]) * m.s)
    # step * y lies between two lines in x, a million times over; s is what is left of it.
    low = sum(int(a[0, j]) * m.x[j] for j in range(2)) + side
    m.low = pyo.Constraint(expr=scale * step * m.y >= scale * low)
    m.up = pyo.Constraint(expr=scale * step * m.y <= scale * (low + least + sum(int(a[1, j]) * m.x[j] for j in range(2))))
    m.rest = pyo.Constraint(expr=m.s == m.y - m.x[0] if equality else pyo.inequality(-2, m.s - m.y + m.x[0], 2))
    m.mine = pyo.Constraint(expr=m.y + m.x[1] <= cap)
    annotation = f"bilevel x\n{'min' if own_sense > 0 else 'max'} f y s low up rest\n"
    if second:
        m.g = pyo.Expression(expr=m.w * (1 if seed % 4 else 0))
        m.need = pyo.Constraint(expr=2 * m.w >= m.x[0])
        annotation += "min g w need\n"
    else:
        m.w.fix(0)
    worth = _Worth(c, d, a, side, least, step, equality, width, cap, sense, own_sense, second, bool(seed % 2), bool(seed % 4))
    return Hostile(m, annotation, worth.best(), width == 2)


@dataclass(frozen=True)
class _Worth:
    c: Any
    d: Any
    a: Any
    side: int
    least: int
    step: int
    equality: bool
    width: int
    cap: int
    sense: int
    own_sense: int
    second: bool
    whole: bool
    costly: bool

    def best(self) -> float | None:
        axis = range(-self.width, self.width + 1)
        found = [value for x in itertools.product(axis, repeat=2) for value in self._at(np.array(x))]
        return None if not found else self.sense * min(found)

    def _at(self, x: Any) -> list[float]:
        """The leader's values (of a minimisation) at one decision."""
        low = int(self.a[0] @ x) + self.side
        first, last = -(-low // self.step), (low + self.least + int(self.a[1] @ x)) // self.step
        moves = (0,) if self.equality else (-2, -1, 0, 1, 2)
        answers = [
            (y, self.own_sense * (int(self.d[0]) * y + int(self.d[1]) * (y - x[0] + k)))
            for y in range(first, last + 1)
            for k in moves
        ]
        if not answers:
            return []
        least = min(value for _, value in answers)
        ys = [y for y, value in answers if value == least and y + x[1] <= self.cap]
        ws = self._second(x) if self.second else [0.0]
        return [self.sense * (float(self.c[:2] @ x) + float(self.c[2]) * y + w) for y in ys for w in ws]

    def _second(self, x: Any) -> list[float]:
        """The ends of what the second follower may answer."""
        least = max(0.0, x[0] / 2)
        least = float(np.ceil(least)) if self.whole else least
        if least > 3:
            return []
        return [least] if self.costly else [least, 3.0]
