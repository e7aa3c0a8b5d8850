"""Convexity refuted by samples: a witness is a proof that it fails, no witness proves nothing.

Every witness is confirmed by function values alone (three points of a segment), so that a wrong derivative cannot make one up.
Points are drawn within the bounds (:data:`REACH` beyond where there is none) from a seeded generator: the same model gives the
same witness.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyomo.environ as pyo
from pyomo.common.collections import ComponentMap, ComponentSet
from pyomo.core.expr.calculus.derivatives import Modes, differentiate
from pyomo.core.expr.calculus.diff_with_pyomo import DifferentiationException
from pyomo.core.expr.visitor import identify_variables, replace_expressions

from bilevel_lang.problem import Row

POINTS = 24
"""Points at which a Hessian is looked at."""

LARGEST_HESSIAN = 12
"""Owned variables in a Hessian; of more, as many are chosen at random for each point: a principal minor refutes as well."""

LARGEST_EXPRESSION = 300
"""Variables of an expression that is sampled at all: beyond that a call would take seconds."""

NEGATIVE = 1e-7
"""An eigenvalue below ``-NEGATIVE * (the largest one)`` is worth a look at the function values."""

CLEAR = 1e-9
"""How much of the values involved a midpoint has to be off, to be no matter of rounding."""

REACH = 10.0
"""How far from 0 (or from the one bound there is, twice as far) samples go where a bound is missing."""

UNDEFINED = (ValueError, ArithmeticError, TypeError)


@dataclass(frozen=True, slots=True)
class Witness:
    """Where convexity fails: ``text`` says it in words, ``point`` has the values by name, ``eigenvalue`` that of the Hessian
    (None where the witness is a segment between two points of a set that leaves it)."""

    text: str
    point: tuple[tuple[str, float], ...]
    eigenvalue: float | None = None


def refute_convex(expression: Any, owned: ComponentSet, sign: float = 1.0) -> Witness | None:
    """A point where the Hessian of ``sign * expression`` in ``owned`` has a negative eigenvalue; None if none was found."""
    sample = _Sample.of(expression, owned)
    if sample is None:
        return None
    random = np.random.default_rng(0)
    for _ in range(POINTS):
        sample.move(random)
        found = _negative_curvature(sample, sign, random)
        if found is not None:
            return found
    return None


def refute_convex_row(row: Row, owned: ComponentSet) -> Witness | None:
    """Two points that satisfy ``row``, between which lies one that does not; None if none was found."""
    sample = _Sample.of(row.body, owned)
    if sample is None:
        return None
    random = np.random.default_rng(0)
    for _ in range(POINTS):
        sample.move(random)
        for side in [s for s in (row.lower, row.upper) if s is not None]:
            found = _leaves(sample, row, _crossings(sample, side, random))
            if found is not None:
                return found
    return None


@dataclass(frozen=True, eq=False)
class _Sample:
    """A copy of an expression over variables of its own, to be moved about."""

    expression: Any
    own: list[Any]
    others: list[Any]
    names: ComponentMap
    model: Any

    @classmethod
    def of(cls, expression: Any, owned: ComponentSet) -> _Sample | None:
        """None where there is nothing to sample, or too much."""
        originals = list(identify_variables(expression, include_fixed=False)) if hasattr(expression, "args") else []
        if not 0 < len(originals) <= LARGEST_EXPRESSION:
            return None
        model = pyo.ConcreteModel()
        model.v = pyo.VarList()
        names: ComponentMap = ComponentMap()
        twins: dict[int, Any] = {}
        own: list[Any] = []
        others: list[Any] = []
        for original in originals:
            twin = model.v.add()
            twin.setlb(original.lb)
            twin.setub(original.ub)
            names[twin] = original.name
            twins[id(original)] = twin
            (own if original in owned else others).append(twin)
        return cls(replace_expressions(expression, twins), own, others, names, model) if own else None

    def move(self, random: np.random.Generator) -> None:
        for variable in (*self.own, *self.others):
            lower, upper = box(variable)
            variable.set_value(lower + (upper - lower) * random.uniform(0.02, 0.98), skip_validation=True)

    def random_point(self, random: np.random.Generator) -> Any:
        ends = np.array([box(v) for v in self.own])
        return random.uniform(ends[:, 0], ends[:, 1])

    def at(self, point: Any) -> float:
        """The value with the owned variables at ``point``; nan where it is not defined."""
        for variable, value in zip(self.own, point, strict=True):
            variable.set_value(float(value), skip_validation=True)
        try:
            return float(pyo.value(self.expression))
        except UNDEFINED:
            return math.nan

    def here(self) -> tuple[tuple[str, float], ...]:
        return tuple((self.names[v], float(v.value)) for v in (*self.own, *self.others))


def box(variable: Any) -> tuple[float, float]:
    """The bounds of a variable, made finite."""
    lower, upper = variable.lb, variable.ub
    if lower is None:
        lower = -REACH if upper is None else upper - 2 * REACH
    if upper is None:
        upper = REACH if variable.lb is None else lower + 2 * REACH
    return float(lower), float(upper)


def _negative_curvature(sample: _Sample, sign: float, random: np.random.Generator) -> Witness | None:
    chosen = list(range(len(sample.own)))
    if len(chosen) > LARGEST_HESSIAN:
        chosen = sorted(random.choice(len(chosen), LARGEST_HESSIAN, replace=False))
    hessian = _hessian(sample, chosen)
    if hessian is None:
        return None
    values, vectors = np.linalg.eigh(sign * hessian)
    if not values[0] < -NEGATIVE * max(abs(values[-1]), 1e-12):
        return None
    direction = np.zeros(len(sample.own))
    direction[chosen] = vectors[:, 0]
    middle = np.array([v.value for v in sample.own])
    point = sample.here()
    if not _concave_along(sample, sign, middle, direction):
        return None
    return Witness(f"Hessian eigenvalue {values[0]:.3g} at {_words(point)}", point, float(values[0]))


def _hessian(sample: _Sample, chosen: list[int]) -> Any:
    """Of the chosen owned variables at the current point; None where it does not exist, or Pyomo cannot tell."""
    wanted = [sample.own[k] for k in chosen]
    try:
        gradient = differentiate(sample.expression, wrt_list=wanted, mode=Modes.reverse_symbolic)
        rows = [_numbers(entry, wanted) for entry in gradient]
    except (DifferentiationException, *UNDEFINED):
        return None
    matrix = np.array(rows, dtype=float)
    return (matrix + matrix.T) / 2 if np.all(np.isfinite(matrix)) else None


def _numbers(entry: Any, wanted: list[Any]) -> list[float]:
    if not hasattr(entry, "is_potentially_variable") or not entry.is_potentially_variable():
        return [0.0] * len(wanted)
    return [float(d) for d in differentiate(entry, wrt_list=wanted, mode=Modes.reverse_numeric)]


def _concave_along(sample: _Sample, sign: float, middle: Any, direction: Any) -> bool:
    """Whether function values alone say so: the middle of a segment within the bounds lies above the mean of its ends."""
    for step in (1e-1, 1e-2, 1e-3):
        ends = [_inside(sample, middle, side * step * direction) for side in (1, -1)]
        step_size = min(ends)
        if step_size <= 0:
            continue
        move = step * step_size * direction
        values = [sign * sample.at(p) for p in (middle + move, middle - move, middle)]
        if all(math.isfinite(v) for v in values):
            scale = CLEAR * (1e-6 + sum(abs(v) for v in values))
            if values[2] - (values[0] + values[1]) / 2 > scale:
                return True
    return False


def _inside(sample: _Sample, start: Any, move: Any) -> float:
    """The largest factor <= 1 with which ``start + factor * move`` stays within the bounds."""
    factor = 1.0
    for variable, value, change in zip(sample.own, start, move, strict=True):
        if change < 0 and variable.lb is not None:
            factor = min(factor, (variable.lb - value) / change)
        elif change > 0 and variable.ub is not None:
            factor = min(factor, (variable.ub - value) / change)
    return max(0.0, float(factor))


def _crossings(sample: _Sample, side: float, random: np.random.Generator) -> list[Any]:
    """Points where the body takes the value ``side``, by bisection between points on either side of it."""
    points = [sample.random_point(random) for _ in range(12)]
    above = [(p, v) for p, v in ((p, sample.at(p) - side) for p in points) if math.isfinite(v)]
    high, low = [p for p, v in above if v > 0], [p for p, v in above if v <= 0]
    return [_bisect(sample, side, a, b) for a in high[:4] for b in low[:4]]


def _bisect(sample: _Sample, side: float, high: Any, low: Any) -> Any:
    for _ in range(50):
        middle = (high + low) / 2
        if sample.at(middle) > side:
            high = middle
        else:
            low = middle
    return low


def _leaves(sample: _Sample, row: Row, points: list[Any]) -> Witness | None:
    """Whether the middle of two points that satisfy ``row`` violates it, by far more than they themselves do."""
    found = [(p, _violation(row, sample.at(p))) for p in points]
    for (a, off_a), (b, off_b) in _pairs(found):
        middle = (a + b) / 2
        off = _violation(row, sample.at(middle))
        scale = max(1.0, *(abs(s) for s in (row.lower, row.upper) if s is not None))
        if math.isfinite(off) and off > 1e-6 * scale and max(off_a, off_b) < 1e-3 * off:
            place = sample.here()
            return Witness(f"between two points that satisfy it lies {_words(place)}, which does not", place)
    return None


def _pairs(items: list[Any]) -> Iterator[tuple[Any, Any]]:
    return ((a, b) for k, a in enumerate(items) for b in items[:k])


def _violation(row: Row, value: float) -> float:
    """How far outside its sides; inf where it is not defined."""
    if not math.isfinite(value):
        return math.inf
    below = 0.0 if row.lower is None else row.lower - value
    return max(0.0, below, 0.0 if row.upper is None else value - row.upper)


def _words(point: tuple[tuple[str, float], ...]) -> str:
    shown = ", ".join(f"{name}={value:.3g}" for name, value in point[:4])
    return shown if len(point) <= 4 else f"{shown}, ..."
