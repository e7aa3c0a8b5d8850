"""The conditions of rows that are plain sums, which nearly all rows of a large model are: the same as the general way makes of
them, in half of its time."""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo
from pyomo.core.base.constraint import ConstraintData
from pyomo.core.base.var import ScalarVar, VarData
from pyomo.core.expr.numeric_expr import LinearExpression, MonomialTermExpression, SumExpression

from bilevel_lang.components.new_data import NewConditions, NewVariables
from bilevel_lang.oracle.gradient import Gradient
from bilevel_lang.problem import Row
from bilevel_lang.reformulation.sides import row_relation

_SUMS = frozenset({SumExpression, LinearExpression})
_NUMBERS = frozenset({int, float})
_VARIABLES = frozenset({VarData, ScalarVar})


class PlainRows:
    """Rows of an agent that shares nothing and has no ``dualvar``; ``gradient`` is that of its Lagrangian so far."""

    def __init__(self, gradient: Gradient, multipliers: NewVariables, conditions: NewConditions) -> None:
        self._terms = gradient.terms
        self._multipliers = multipliers
        self._conditions = conditions

    def add(self, row: Row) -> Any:
        """The multiplier of ``row``, its condition and its part of the gradient made; None, and nothing made, for other rows.

        Others are ranges, rows that are no plain sums, and rows without a variable of the agent.
        """
        lower, upper = row.lower, row.upper
        is_equality = lower is not None and lower == upper
        if not is_equality and lower is not None and upper is not None:
            return None
        entries = self._entries(row.body)
        if not entries:
            return None
        name = row.name
        if is_equality:
            multiplier = self._multipliers.add(name)
        elif lower is not None:
            multiplier = self._multipliers.add(name, 0, None)
            self._conditions.add(name, row_relation(row), multiplier)
        else:
            multiplier = self._multipliers.add(name, None, 0)
            self._conditions.add(name, row_relation(row), MonomialTermExpression((-1, multiplier)))
        if not is_equality:
            replace_row(row)
        _enter(entries, multiplier)
        return multiplier

    def _entries(self, body: Any) -> list[tuple[list[Any], float]] | None:
        """(terms of the condition of a variable, coefficient) of each of the agent's variables; None for other sums."""
        if body.__class__ not in _SUMS:
            return None
        owned = self._terms.get
        found = []
        arguments = body._args_
        for term in arguments if len(arguments) == body._nargs else arguments[: body._nargs]:
            kind = term.__class__
            if kind is MonomialTermExpression:
                factor, variable = term._args_
                if factor.__class__ not in _NUMBERS:
                    return None
            elif kind in _VARIABLES:
                factor, variable = 1, term
            elif kind in _NUMBERS:
                continue
            else:
                return None
            terms = owned(id(variable))
            if terms is not None and factor and not variable._fixed:
                found.append((terms, factor))
        return found


def _enter(entries: list[tuple[list[Any], float]], multiplier: Any) -> None:
    """Minus the coefficient times the multiplier into every list; the same product is one object, wherever it stands."""
    made: dict[float, Any] = {}
    for terms, factor in entries:
        product = made.get(factor)
        if product is None or product._args_[0].__class__ is not factor.__class__:  # 1 and 1.0 are equal keys
            product = made[factor] = MonomialTermExpression((-factor, multiplier))
        if terms:
            last = terms[-1]
            if last.__class__ is MonomialTermExpression and last._args_[1] is multiplier:
                _join(terms, last._args_[0] - factor, multiplier)  # the row has the variable twice
                continue
        terms.append(product)


def _join(terms: list[Any], factor: float, multiplier: Any) -> None:
    terms.pop()
    if factor:
        terms.append(MonomialTermExpression((factor, multiplier)))


def replace_row(row: Row) -> None:
    """Take ``row`` out of the model: its condition states that it holds, and the row itself would state it twice."""
    component = row.component
    if component.__class__ is ConstraintData:
        component._active = False
    elif component.ctype is pyo.Constraint:
        component.deactivate()
