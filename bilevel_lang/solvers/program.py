"""A single-level Pyomo model, read once, as the numbers solvers want.

:func:`read_program` walks the active objective, constraints and SOS constraints with Pyomo's own quadratic walker and gives a
:class:`Program`: columns, bounds, rows. Fixed variables and parameters are constants in it. Nothing of the model is changed, and
nothing active in the model is left out: a component type that no solver here understands is refused by name.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyomo.common.collections import ComponentMap
from pyomo.common.gc_manager import PauseGC
from pyomo.core.base import (
    Constraint,
    Objective,
    SOSConstraint,
    maximize,
    value,
)

from bilevel_lang.components.kinds import unknown_components
from bilevel_lang.components.naming import Naming
from bilevel_lang.components.plain_sums import plain_terms
from bilevel_lang.components.walker import Walker
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


TRANSFORM = (
    "transform them first ('gdp.bigm' for disjunctions, 'core.logical_to_linear' for logic, an encoding for complementarities,"
    " binary variables for SOS sets), or deactivate them"
)
"""The mend for components that a reader does not know."""


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


def read_program(model: Any) -> Program:
    """Read ``model`` (a Pyomo block with one active objective or none).

    Raises RefusedError for active components that no solver understands, several objectives, or variables of an odd domain;
    ModelFileError where the model cannot be evaluated (a parameter without value, a division by zero).
    """
    refuse_leftovers(model)
    with PauseGC():
        return _Reader().read(model)


def refuse_leftovers(model: Any) -> None:
    """RefusedError if an active component of a type we would have to ignore is in ``model``."""
    unknown = unknown_components(model, SOSConstraint)
    if unknown is not None:
        raise RefusedError(f"the model still holds {unknown}; they cannot be left out", help=TRANSFORM)


def the_objective(model: Any) -> Any:
    """The one active objective of ``model``, None without. Raises RefusedError for several."""
    active = {id(o): o for o in model.component_data_objects(Objective, active=True, descend_into=True)}
    if len(active) > 1:
        names = ", ".join(f"'{o.name}'" for o in active.values())
        raise RefusedError(f"the model has {len(active)} active objectives: {names}", help="deactivate all but one")
    return next(iter(active.values()), None)


def sense_of(model: Any) -> float:
    """-1.0 where the model's objective is maximised, else 1.0: the factor that makes better mean less."""
    objective = the_objective(model)
    return -1.0 if objective is not None and objective.sense == maximize else 1.0


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


class _Reader:
    """The walk over all active components of one model."""

    def __init__(self) -> None:
        self.walker = Walker()
        self.var_map, self.order = self.walker.recorder.var_map, self.walker.recorder.var_order
        self.contradiction: str | None = None

    def read(self, model: Any) -> Program:
        objective = the_objective(model)
        cost = Form(0.0, {}, {}, None) if objective is None else self.form(objective.expr, f"objective '{objective.name}'")
        rows = tuple(self.rows(model))
        groups, zeros = self.sos1(model)
        variables = tuple(self.var_map.values())
        lower, upper = self.bounds(variables, zeros)
        return Program(
            variables=variables,
            lower=lower,
            upper=upper,
            integer=np.fromiter((is_integer(v) for v in variables), bool, len(variables)),
            objective=objective,
            sense=-1 if objective is not None and objective.sense == maximize else 1,
            cost=cost,
            rows=rows,
            sos1=groups,
            contradiction=self.contradiction,
        )

    def form(self, expression: Any, what: str) -> Form:
        terms = _plain_terms(expression)
        return self._walked(expression, what) if terms is None else self._sum(*terms)

    def _sum(self, constant: float, terms: list[tuple[float, Any]]) -> Form:
        """A plain sum, without the walk through it."""
        linear: dict[int, float] = {}
        for factor, variable in terms:
            column = self.column(variable)
            linear[column] = linear.get(column, 0.0) + factor
        return Form(constant, {j: c for j, c in linear.items() if c != 0}, {}, None)

    def _walked(self, expression: Any, what: str) -> Form:
        found = self.walker.walk(expression, what)
        linear = {self.order[k]: c for k, c in found.linear.items()}
        quadratic: dict[Index, float] = {}
        for (a, b), c in found.products.items():
            i, j = sorted((self.order[a], self.order[b]))
            quadratic[i, j] = quadratic.get((i, j), 0.0) + c
        return Form(found.constant, linear, quadratic, found.nonlinear)

    def rows(self, model: Any) -> Iterator[Row]:
        names = Naming()
        for constraint in model.component_data_objects(Constraint, active=True, descend_into=True):
            what = f"constraint '{names.name(constraint)}'"
            low, body, high = constraint.to_bounded_expression()
            lower, upper = finite_side(_side(low, what), -math.inf), finite_side(_side(high, what), math.inf)
            if lower == -math.inf and upper == math.inf:
                continue
            if lower == math.inf or upper == -math.inf:
                raise ModelFileError(f"{what} has a side beyond {INFINITY:g}, which no point can meet", help="scale the row")
            form = self.form(body, what)
            if form.linear or not form.is_linear:
                shift = form.constant
                yield Row(constraint, lower - shift, upper - shift, Form(0.0, form.linear, form.quadratic, form.nonlinear))
            elif breaks(form.constant, lower, upper):
                self.say(f"{what} is the constant {form.constant:g}, outside [{lower:g}, {upper:g}]")

    def sos1(self, model: Any) -> tuple[tuple[Sos1, ...], set[int]]:
        groups: list[Sos1] = []
        zeros: set[int] = set()
        for sos in model.component_data_objects(SOSConstraint, active=True, descend_into=True):
            if sos.level != 1:
                raise RefusedError(
                    f"'{sos.name}' is an SOS{sos.level} constraint", help="only SOS1 is supported; write it with binaries"
                )
            items = list(sos.get_items())
            free = [(self.column(v), float(w)) for v, w in items if not v.fixed]
            nonzero = [v for v, _ in items if v.fixed and value(v) != 0]
            if len(nonzero) > 1:
                self.say(f"SOS1 constraint '{sos.name}' has {len(nonzero)} variables fixed to values other than 0")
            elif nonzero:
                zeros.update(j for j, _ in free)
            elif len(free) > 1:
                groups.append(Sos1(sos, tuple(j for j, _ in free), tuple(w for _, w in free)))
        return tuple(groups), zeros

    def column(self, variable: Any) -> int:
        self.walker.recorder.add(variable)
        return self.order[id(variable)]

    def bounds(self, variables: tuple[Any, ...], zeros: set[int]) -> tuple[Floats, Floats]:
        both = [v.bounds for v in variables]
        lower = np.array([finite_side(b[0], -math.inf) for b in both], dtype=float)
        upper = np.array([finite_side(b[1], math.inf) for b in both], dtype=float)
        for j in zeros:
            lower[j], upper[j] = max(lower[j], 0.0), min(upper[j], 0.0)
        crossed = uncross(lower, upper, lambda j: f"variable '{variables[j].name}'")
        if crossed:
            self.say(crossed)
        return lower, upper

    def say(self, contradiction: str) -> None:
        # The first one found is the one reported.
        self.contradiction = self.contradiction or contradiction


def _plain_terms(expression: Any) -> tuple[float, list[tuple[float, Any]]] | None:
    """Constant and terms of a sum with finite factors; None for what the walker has to judge."""
    found = plain_terms(expression)
    if found is None or not found[1]:
        return None
    constant, free = found[0], []
    for factor, variable in found[1]:
        if not math.isfinite(factor):
            return None
        if not variable.fixed:
            free.append((factor, variable))
        elif variable.value is None:
            return None
        else:
            constant += factor * float(variable.value)
    return (constant, free) if math.isfinite(constant) else None


def _side(side: Any, what: str) -> float | None:
    """The value of a constraint's side, None without one."""
    if side is None:
        return None
    try:
        return float(value(side))
    except (ValueError, ArithmeticError, TypeError) as error:
        raise ModelFileError(
            f"a side of {what} cannot be evaluated: {error}", help="look for a parameter without value"
        ) from error


def _number(expression: Any) -> float:
    """The expression's value at the variables' present values; NaN where it is not defined."""
    try:
        return float(value(expression))
    except (ValueError, ArithmeticError):
        return math.nan
