"""A single-level program as the numbers solvers want: columns, bounds, rows, and what counts as a bound."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyomo.common.collections import ComponentMap
from pyomo.core.base import value

from bilevel_lang.errors import ModelFileError, RefusedError

Floats = NDArray[np.float64]


Index = tuple[int, int]


INFINITY = 1e20
"""A bound or side of this size or more means: none. HiGHS and SCIP draw the line at the same place."""


CONSTANT_TOLERANCE = 1e-7
"""How far a row without variables may be off, relative to max(1, |side|), before the model counts as infeasible.

Such rows come from variables fixed to what another solver found, which is exact to that solver's tolerance only.
"""


CROSSED_TOLERANCE = 1e-9
"""How far, relative, a lower bound may lie above the upper one and still mean a single value (rounding of a computed bound)."""


@dataclass(frozen=True, slots=True)
class Form:
    """``constant + linear + quadratic + nonlinear``: a function of the columns.

    ``linear`` maps a column to its coefficient; ``quadratic`` a pair (i <= j) to the coefficient of x_i x_j;
    ``nonlinear`` is a Pyomo expression in the model's own variables, or None.
    """

    constant: float
    linear: dict[int, float]
    quadratic: dict[Index, float]
    nonlinear: Any

    @property
    def is_linear(self) -> bool:
        """Whether nothing but constant and linear terms are there."""
        return not self.quadratic and self.nonlinear is None


@dataclass(frozen=True, slots=True)
class Row:
    """``lower <= form <= upper``; the form's constant is 0 (it has been moved into the sides). No side: +-inf."""

    constraint: Any
    lower: float
    upper: float
    form: Form


@dataclass(frozen=True, slots=True)
class Sos1:
    """At most one of the columns is not zero; ``weights`` give their order."""

    constraint: Any
    columns: tuple[int, ...]
    weights: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Program:
    """``min or max cost`` over the columns subject to rows, bounds, integrality, SOS1.

    ``variables[j]`` is the Pyomo variable of column j: unfixed, and in an active component. ``sense`` is +1 for min, -1 for max.
    ``contradiction`` says why the model has no point at all where that shows without solving, else None.
    """

    variables: tuple[Any, ...]
    lower: Floats
    upper: Floats
    integer: NDArray[np.bool_]
    objective: Any
    sense: int
    cost: Form
    rows: tuple[Row, ...]
    sos1: tuple[Sos1, ...]
    contradiction: str | None

    def values(self, x: Sequence[float] | Floats) -> ComponentMap:
        """The map from variables to the values ``x``, in column order."""
        return ComponentMap(zip(self.variables, (float(v) for v in x), strict=True))

    def objective_at(self, x: Sequence[float] | Floats) -> float:
        """The model's objective (its own sense, its constant included) at ``x``; 0 without an objective.

        NaN where a function is not defined there.
        """
        form = self.cost
        terms = [form.constant]
        terms += [c * x[j] for j, c in form.linear.items()]
        terms += [c * x[i] * x[j] for (i, j), c in form.quadratic.items()]
        if form.nonlinear is not None:
            with holding(self.variables, x):
                terms.append(_number(form.nonlinear))
        return math.fsum(float(t) for t in terms)


@contextmanager
def restoring(variables: Sequence[Any]) -> Iterator[None]:
    """Whatever happens inside, ``variables`` have their values and stale marks back afterwards."""
    before = [(v, v.value, v.stale) for v in variables]
    try:
        yield
    finally:
        for variable, number, stale in before:
            variable.set_value(number, skip_validation=True)
            variable.stale = stale


@contextmanager
def holding(variables: Sequence[Any], x: Sequence[float] | Floats) -> Iterator[None]:
    """Let ``variables`` have the values ``x`` for a moment."""
    with restoring(variables):
        for variable, number in zip(variables, x, strict=True):
            variable.set_value(float(number), skip_validation=True)
        yield


def finite_side(side: Any, missing: float) -> float:
    """A bound as a number; ``missing`` (an infinity) for None and for 1e20 or more."""
    if side is None:
        return missing
    number = float(side)
    if math.isnan(number):
        raise ModelFileError("a bound of the model is NaN", help="look for a parameter without a value")
    if abs(number) < INFINITY:
        return number
    return math.copysign(math.inf, number)


def is_integer(variable: Any) -> bool:
    """Whether the variable's domain is whole numbers. Raises RefusedError for a domain neither whole nor an interval."""
    if variable.is_integer():
        return True
    if variable.is_continuous():
        return False
    raise RefusedError(
        f"variable '{variable.name}' has the domain {variable.domain}, which is neither whole numbers nor an interval",
        help="write it with a binary variable",
    )


def breaks(number: float, lower: float, upper: float) -> bool:
    """Whether a constant row's ``number`` misses its sides by more than CONSTANT_TOLERANCE."""
    below, above = CONSTANT_TOLERANCE * max(1.0, abs(lower)), CONSTANT_TOLERANCE * max(1.0, abs(upper))
    return number < lower - below or number > upper + above


def uncross(lower: Floats, upper: Floats, names: Callable[[int], str]) -> str | None:
    """Make bounds that cross by rounding only equal, in place; say where they cross by more."""
    for j in np.flatnonzero(lower > upper):
        if lower[j] - upper[j] > CROSSED_TOLERANCE * max(1.0, abs(lower[j])):
            return f"the bounds of {names(int(j))} exclude each other: {lower[j]:g} > {upper[j]:g}"
        lower[j] = upper[j]
    return None


def _number(expression: Any) -> float:
    """The expression's value at the variables' present values; NaN where it is not defined."""
    try:
        return float(value(expression))
    except (ValueError, ArithmeticError):
        return math.nan
