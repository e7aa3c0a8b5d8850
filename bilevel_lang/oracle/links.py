"""How an agent hangs on the others: which of their variables its problem contains, and where they enter."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pyomo.common.collections import ComponentSet
from pyomo.core.base.var import VarData
from pyomo.core.expr.numeric_expr import LinearExpression, MonomialTermExpression, NegationExpression, SumExpression
from pyomo.core.expr.visitor import identify_variables
from pyomo.repn import generate_standard_repn

from bilevel_lang.components.bounds import bounds_of
from bilevel_lang.problem import Agent


class Place(enum.Enum):
    """Where other agents' variables enter an agent's problem."""

    RIGHT_HAND_SIDE = "right-hand side"
    """Rows, apart from the agent's own variables."""
    MATRIX = "matrix"
    """Rows, in products or functions together with the agent's own variables."""
    OBJECTIVE = "objective"
    """The objective, or the function of a VI, in products or functions together with the agent's own variables; in the function
    of a VI also by themselves."""


@dataclass(frozen=True, eq=False)
class Links:
    """``variables`` are the others' variables that move the agent's problem (the *linking* variables of the literature), in the
    order in which they come up; ``foreign_rows`` names the rows that hold none of the agent's own: they bind the others only.
    """

    variables: tuple[Any, ...] = ()
    places: frozenset[Place] = frozenset()
    foreign_rows: tuple[str, ...] = ()

    @property
    def integers(self) -> tuple[str, ...]:
        """The linking variables of discrete domain, by name."""
        return tuple(v.name for v in self.variables if not v.is_continuous())

    @property
    def unbounded(self) -> tuple[str, ...]:
        """The linking variables without a lower or without an upper bound, by name."""
        return tuple(v.name for v in self.variables if v.lb is None or v.ub is None)


def links_of(agent: Agent, owned: ComponentSet, plain: Sequence[list[Any] | None] | None = None) -> Links:
    """Read off the agent's expressions; ``owned`` are the variables that it decides. Linear in the number of terms.

    ``plain``: what :func:`linear_variables` gives for each row, where that is known already.
    """
    scan = _Scan(owned)
    known = [linear_variables(row.body) for row in agent.rows] if plain is None else plain
    for row, variables in zip(agent.rows, known, strict=True):
        scan.row(row.name, row.body, variables)
    if agent.objective is not None:
        scan.objective(agent.objective.expression)
    for function in agent.functions:
        if function.expression is not None:
            scan.function(function.expression)
    return Links(tuple(scan.found.values()), frozenset(scan.places), tuple(scan.foreign))


def linear_variables(expression: Any) -> list[Any] | None:
    """The unfixed variables of an expression that is plainly linear (a sum of number * variable); None for every other.

    It costs a tenth of a standard representation, and most rows of large models are of this kind.
    """
    found: list[Any] = []
    return found if _collect(expression, found) else None


def _collect(expression: Any, found: list[Any]) -> bool:
    """Append the unfixed variables; whether it is plainly linear."""
    for term in _terms(expression):
        kind = term.__class__
        if kind is MonomialTermExpression:
            variable = term._args_[1]
        elif kind is VarData:
            variable = term
        elif kind is int or kind is float:
            continue
        elif kind in _SUMS:
            if not _collect(term, found):
                return False
            continue
        elif hasattr(term, "is_variable_type") and term.is_variable_type():
            variable = term
        elif hasattr(term, "is_potentially_variable") and term.is_potentially_variable():
            return False
        else:
            continue
        if not variable.fixed:
            found.append(variable)
    return True


def _terms(expression: Any) -> Any:
    kind = expression.__class__
    if kind is SumExpression or kind is LinearExpression:
        arguments = expression._args_
        return arguments if len(arguments) == expression._nargs else arguments[: expression._nargs]
    return expression.args if kind is NegationExpression else (expression,)


_SUMS = frozenset({LinearExpression, SumExpression, NegationExpression})


class _Scan:
    def __init__(self, owned: ComponentSet) -> None:
        self._owned = {id(v) for v in owned}
        self.found: dict[int, Any] = {}
        self.places: set[Place] = set()
        self.foreign: list[str] = []

    def row(self, name: str, body: Any, plain: list[Any] | None) -> None:
        if plain is not None:
            if not self._owned.isdisjoint(map(id, plain)):
                self._add(plain, Place.RIGHT_HAND_SIDE)
            else:
                self.foreign.append(name)
            return
        alone, mixed, own = self._parts(body)
        if not own:
            self.foreign.append(name)
            return
        self._add(alone, Place.RIGHT_HAND_SIDE)
        self._add(mixed, Place.MATRIX)

    def objective(self, expression: Any) -> None:
        if linear_variables(expression) is None:
            self._add(self._parts(expression)[1], Place.OBJECTIVE)

    def function(self, expression: Any) -> None:
        alone, mixed, _ = self._parts(expression)
        self._add([*alone, *mixed], Place.OBJECTIVE)

    def _parts(self, expression: Any) -> tuple[list[Any], list[Any], bool]:
        """(others' variables by themselves, those together with owned ones, whether there are owned ones at all)."""
        try:
            repn = generate_standard_repn(expression, quadratic=True)
        except (ValueError, ArithmeticError, TypeError):  # Pyomo evaluates `y**0`, for which y need not have a value
            variables = list(identify_variables(expression, include_fixed=False))
            return [], variables, self._any(variables)
        alone: list[Any] = list(repn.linear_vars)
        mixed: list[Any] = []
        own = self._any(repn.linear_vars)
        for pair in repn.quadratic_vars:
            (mixed if self._any(pair) else alone).extend(pair)
        if repn.nonlinear_expr is not None:
            variables = list(identify_variables(repn.nonlinear_expr, include_fixed=False))
            (mixed if self._any(variables) else alone).extend(variables)
        return alone, mixed, own or bool(mixed)

    def _any(self, variables: Any) -> bool:
        return any(id(v) in self._owned for v in variables)

    def _add(self, variables: list[Any], place: Place) -> None:
        owned = self._owned
        for v in [v for v in variables if id(v) not in owned]:
            if id(v) not in self.found and not is_pinned(v):
                self.found[id(v)] = v
            if id(v) in self.found:
                self.places.add(place)


def is_pinned(variable: Any) -> bool:
    """Whether its bounds fix a variable: then it is data, not a decision."""
    lower, upper = bounds_of(variable)
    return lower is not None and lower == upper
