"""An MPEC linearised at a point: the gradients of its objective, its active rows and bounds, and its pairs.

Columns are in units of their variables (max(1, |value|)). Every gradient is divided by its largest entry, that of the objective
by the size of the objective's terms, so that figures can be compared with 1. The objective counts as one to minimise.
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
from pyomo.core.expr.visitor import identify_variables

from bilevel_lang.oracle.agent_model import UNDEFINED
from bilevel_lang.oracle.magnitude import magnitude
from bilevel_lang.reformulation.complementarity.pairs import Pair

ACTIVE = 1e-5
"""A side, row or bound this near to zero (relative to max(1, |side|)) counts as active: an interior-point method that stops at a
product of 1e-9 leaves slacks and multipliers of 3e-5 where both are zero in truth."""

FEASIBLE = 1e-4
"""Largest violation of a row or a pair at a point that is worth looking at."""

Entries = dict[int, float]


class NotLinearisedError(Exception):
    """The point or the model does not allow it; the text says why."""


@dataclass(frozen=True, eq=False)
class Normal:
    """The gradient of an active row or bound, and where its multiplier may lie: ``lower <= u <= upper``."""

    entries: Entries
    lower: float
    upper: float


@dataclass(frozen=True, eq=False)
class PairNormals:
    """The gradients of the sides of one pair, None for a side that is not zero."""

    left: Entries | None
    right: Entries | None

    @property
    def biactive(self) -> bool:
        """Whether both sides are zero."""
        return self.left is not None and self.right is not None


@dataclass(frozen=True, eq=False)
class LinearisedMpec:
    """``objective`` (n,), ``normals`` of active rows and bounds, ``pairs``."""

    objective: Any
    normals: tuple[Normal, ...]
    pairs: tuple[PairNormals, ...]

    @property
    def columns(self) -> int:
        """How many variables there are."""
        return len(self.objective)


def linearise(model: Any, pairs: tuple[Pair, ...]) -> LinearisedMpec:
    """Linearise ``model``, whose variables hold the point and whose conditions were taken out of it as ``pairs``.

    Raises NotLinearisedError without an objective, for variables without a value, for a point that is not feasible to
    :data:`FEASIBLE`, and where something has no derivative.
    """
    return _Linearisation(model, pairs).build()


class _Linearisation:
    def __init__(self, model: Any, pairs: tuple[Pair, ...]) -> None:
        self.pairs = pairs
        objectives = list(model.component_data_objects(pyo.Objective, active=True))
        if len(objectives) != 1:
            raise NotLinearisedError("there is no objective")
        self.objective = objectives[0]
        self.rows = list(model.component_data_objects(pyo.Constraint, active=True))
        self.variables = list(ComponentSet(v for e in self._expressions() for v in _variables(e)))
        if any(v.value is None for v in self.variables):
            raise NotLinearisedError("not all multipliers are known")
        self.index = ComponentMap((v, k) for k, v in enumerate(self.variables))
        self.units = np.array([max(1.0, abs(float(v.value))) for v in self.variables])

    def _expressions(self) -> Iterator[Any]:
        yield self.objective.expr
        yield from (row.body for row in self.rows)
        for pair in self.pairs:
            yield pair.left
            yield pair.right

    def build(self) -> LinearisedMpec:
        try:
            pairs = tuple(self._pair(pair) for pair in self.pairs)
            normals = [normal for row in self.rows for normal in self._row(row)]
            objective = np.zeros(len(self.variables))
            for place, number in self._gradient(self.objective.expr).items():
                objective[place] = number if self.objective.sense == pyo.minimize else -number
        except UNDEFINED as error:
            raise NotLinearisedError(f"a function has no value or derivative at the point ({error})") from error
        stated = self._stated(pairs)
        normals += [normal for variable in self.variables for normal in self._bounds(variable, stated)]
        return LinearisedMpec(objective / self._size(objective), tuple(normals), pairs)

    def _size(self, gradient: Any) -> float:
        """What the objective's gradient is compared with: its terms, not itself. At the bottom of a square it is all rounding."""
        values = ComponentMap((v, float(v.value)) for v in self.variables)
        terms = magnitude(self.objective.expr, _variables(self.objective.expr), values).terms.values()
        return float(max([np.max(np.abs(gradient), initial=0.0), *terms])) or 1.0

    def _gradient(self, expression: Any) -> Entries:
        """In units of the variables; not yet divided by its largest entry."""
        variables = _variables(expression)
        if not variables:
            return {}
        numbers = differentiate(expression, wrt_list=variables, mode=Modes.reverse_numeric)
        found = {self.index[v]: float(n) * self.units[self.index[v]] for v, n in zip(variables, numbers, strict=True)}
        if not all(map(math.isfinite, found.values())):
            raise NotLinearisedError("a function has no derivative at the point")
        return {place: number for place, number in found.items() if number != 0}

    def _normal(self, expression: Any) -> Entries:
        entries = self._gradient(expression)
        largest = max((abs(n) for n in entries.values()), default=1.0)
        return {place: number / largest for place, number in entries.items()}

    def _pair(self, pair: Pair) -> PairNormals:
        left, right = float(pyo.value(pair.left)), float(pyo.value(pair.right))
        if not (min(left, right) >= -FEASIBLE and min(left, right) <= FEASIBLE):
            raise NotLinearisedError(f"`{pair.name}` is not complementary at the point")
        # The smaller side counts as zero in any case, also where scaling makes both large.
        return PairNormals(
            self._normal(pair.left) if left <= max(ACTIVE, min(left, right)) else None,
            self._normal(pair.right) if right <= max(ACTIVE, min(left, right)) else None,
        )

    def _row(self, row: Any) -> Iterator[Normal]:
        at = float(pyo.value(row.body))
        below, above = _slack(at, row.lb, -1.0), _slack(at, row.ub, 1.0)
        if min(below, above) < -FEASIBLE:
            raise NotLinearisedError(f"row `{row.name}` is violated at the point")
        yield from self._one(self._normal(row.body), below <= ACTIVE, above <= ACTIVE)

    def _bounds(self, variable: Any, stated: set[tuple[int, bool]]) -> Iterator[Normal]:
        place, at = self.index[variable], float(variable.value)
        below = _slack(at, variable.lb, -1.0) <= ACTIVE and (place, True) not in stated
        above = _slack(at, variable.ub, 1.0) <= ACTIVE and (place, False) not in stated
        yield from self._one({place: 1.0}, below, above)

    def _one(self, entries: Entries, below: bool, above: bool) -> Iterator[Normal]:
        if entries and (below or above):
            yield Normal(entries, -math.inf if above else 0.0, math.inf if below else 0.0)

    def _stated(self, pairs: tuple[PairNormals, ...]) -> set[tuple[int, bool]]:
        """Bounds that a side of a pair states already, as (column, lower).

        A multiplier of their own would hide the sign of that side's.
        """
        sides = (side for pair in pairs for side in (pair.left, pair.right) if side is not None and len(side) == 1)
        return {(place, number > 0) for side in sides for place, number in side.items()}


def _slack(at: float, side: float | None, direction: float) -> float:
    """How far inside of ``side`` the value is, relative to max(1, |side|); inf without a side."""
    if side is None or math.isinf(side):
        return math.inf
    return direction * (float(side) - at) / max(1.0, abs(float(side)))


def _variables(expression: Any) -> list[Any]:
    if not hasattr(expression, "is_potentially_variable"):
        return []
    return list(identify_variables(expression, include_fixed=False))
