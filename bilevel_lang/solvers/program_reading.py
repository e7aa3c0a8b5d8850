"""A single-level Pyomo model, read once.

:func:`read_program` walks the active objective, constraints and SOS constraints with Pyomo's own quadratic walker and gives a
:class:`Program`. Fixed variables and parameters are constants in it. Nothing of the model is changed, and nothing active in the
model is left out: a component type that no solver here understands is refused by name.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from pyomo.common.gc_manager import PauseGC
from pyomo.core.base import Constraint, Objective, SOSConstraint, maximize, value

from bilevel_lang.components.kinds import unknown_components
from bilevel_lang.components.naming import Naming
from bilevel_lang.components.plain_sums import plain_terms
from bilevel_lang.components.walker import Walker
from bilevel_lang.errors import ModelFileError, RefusedError
from bilevel_lang.solvers.program import (
    INFINITY,
    Floats,
    Form,
    Index,
    Program,
    Row,
    Sos1,
    breaks,
    finite_side,
    is_integer,
    uncross,
)

TRANSFORM = (
    "transform them first ('gdp.bigm' for disjunctions, 'core.logical_to_linear' for logic, an encoding for complementarities,"
    " binary variables for SOS sets), or deactivate them"
)
"""The mend for components that a reader does not know."""


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
