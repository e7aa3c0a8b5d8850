"""Small random hierarchical problems as plain arrays, and the same as Pyomo models with annotations.

All data are small integers, so that ties, parallel rows and degenerate vertices are frequent and enumeration is exact up to
rounding. A family is a kind of problem; the same (family, seed) gives the same instance for ever.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

FAMILIES = ("lp-lp", "qp-lp", "lp-qp", "qp-qp", "semidefinite", "nash", "dualvar", "integer", "degenerate", "partial")
"""``leader-follower``; ``semidefinite``: QP followers that may have many answers; ``nash``: two followers in equilibrium;
``dualvar``: a multiplier in the leader's objective; ``integer``: integer leaders; ``degenerate``: duplicate, redundant and
scaled rows, followers that do not care; ``partial``: followers without an answer or a limit for some of the leader's choices."""


@dataclass(frozen=True, eq=False)
class Rows:
    """``lower <= matrix z <= upper``: (r, n), (r,), (r,)."""

    matrix: Floats
    lower: Floats
    upper: Floats

    def __len__(self) -> int:
        return len(self.lower)


@dataclass(frozen=True, eq=False)
class Follower:
    """``min 1/2 y'Hy + (c + D z)'y`` over its rows and the bounds of its columns y; D has no entry in the own columns.

    ``sense`` ``max``: the annotation has the negated objective with ``max``. H is positive semidefinite.
    """

    sense: str
    columns: tuple[int, ...]
    hessian: Floats
    cross: Floats
    cost: Floats
    rows: Rows


@dataclass(frozen=True, slots=True)
class Price:
    """``z[column]`` is the reported multiplier of row ``row`` of follower ``follower`` (``dualvar``)."""

    column: int
    follower: int
    row: int


@dataclass(frozen=True, eq=False)
class Instance:
    """``sense`` 1/2 z'Qz + q'z over the leader's rows; columns z: the leader's, then each follower's, then the prices."""

    name: str
    sense: str
    lower: Floats
    upper: Floats
    integer: NDArray[np.bool_]
    quadratic: Floats
    cost: Floats
    rows: Rows
    followers: tuple[Follower, ...]
    prices: tuple[Price, ...] = ()

    def objective(self, z: Floats) -> float:
        """The leader's objective at ``z`` (n,)."""
        return float(0.5 * z @ self.quadratic @ z + self.cost @ z)

    def column_names(self) -> list[str]:
        """What the columns are called in the model."""
        owned = {j: f"y{i}[{k}]" for i, f in enumerate(self.followers) for k, j in enumerate(f.columns)}
        owned.update({price.column: f"p[{k}]" for k, price in enumerate(self.prices)})
        return [owned.get(j, f"x[{j}]") for j in range(len(self.lower))]

    def model(self) -> tuple[Any, str]:
        """The instance as a modeller would write it: Pyomo model and annotation."""
        import pyomo.environ as pyo

        m = pyo.ConcreteModel()
        leader = range(min(f.columns[0] for f in self.followers))
        m.x = pyo.Var(leader)
        z: list[Any] = list(m.x.values())
        for i, f in enumerate(self.followers):
            m.add_component(f"y{i}", pyo.Var(range(len(f.columns))))
            z += m.component(f"y{i}").values()
        m.p = pyo.Var(range(len(self.prices)))
        z += m.p.values()
        for j, variable in enumerate(z):
            variable.setlb(_side(self.lower[j]))
            variable.setub(_side(self.upper[j]))
            variable.domain = pyo.Integers if self.integer[j] else pyo.Reals
        sense = pyo.minimize if self.sense == "min" else pyo.maximize
        # Named: one variable alone, with an equality of the leader, would be an objective variable in the GAMS style.
        m.goal = pyo.Expression(expr=_linear(self.cost, z) + _square(self.quadratic, z))
        m.lead = pyo.Objective(expr=m.goal, sense=sense)
        m.r = pyo.Constraint(range(len(self.rows)), rule=lambda m, k: _row(self.rows, k, z))
        text = "bilevel x"
        for i, f in enumerate(self.followers):
            own = [z[j] for j in f.columns]
            goal = _linear(f.cost, own) + _square(f.hessian, own)
            goal += sum(float(c) * z[j] * own[k] for (k, j), c in np.ndenumerate(f.cross) if c)
            m.add_component(f"f{i}", pyo.Expression(expr=goal if f.sense == "min" else -goal))
            m.add_component(f"e{i}", pyo.Constraint(range(len(f.rows)), rule=lambda m, k, f=f: _row(f.rows, k, z)))
            text += f"\n{f.sense} f{i} y{i}" + (f" e{i}" if len(f.rows) else "")
        for k, price in enumerate(self.prices):
            text += f"\ndualvar p[{k}] e{price.follower}[{price.row}]"
        return m, text


def _side(value: float) -> float | None:
    return None if math.isinf(value) else float(value)


def _linear(cost: Floats, z: Sequence[Any]) -> Any:
    used = [float(c) * v for c, v in zip(cost, z, strict=True) if c]
    return sum(used) if used else 0 * z[0]  # an expression, not a number


def _square(matrix: Floats, z: Sequence[Any]) -> Any:
    return sum(0.5 * float(c) * z[i] * z[j] for (i, j), c in np.ndenumerate(matrix) if c)


def _row(rows: Rows, k: int, z: Sequence[Any]) -> Any:
    body = _linear(rows.matrix[k], z)
    low, up = float(rows.lower[k]), float(rows.upper[k])
    if low == up:
        return body == low
    return (_side(low), body, _side(up))
