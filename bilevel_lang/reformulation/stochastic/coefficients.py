"""Coefficients that depend on random parameters, evaluated for all scenarios at once.

A coefficient is a Pyomo expression of parameters alone. It may depend on them in any way that Pyomo can write; numpy carries the
scenarios along.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from pyomo.core.expr import numeric_expr as expressions
from pyomo.core.expr.numvalue import native_numeric_types

from bilevel_lang.errors import RefusedError
from bilevel_lang.solvers.program import Floats

_FUNCTIONS = {
    "asin": np.arcsin,
    "acos": np.arccos,
    "atan": np.arctan,
    "asinh": np.arcsinh,
    "acosh": np.arccosh,
    "atanh": np.arctanh,
    **{
        name: getattr(np, name)
        for name in ("exp", "log", "log10", "sqrt", "sin", "cos", "tan", "sinh", "cosh", "tanh", "ceil", "floor")
    },
}

_PLAIN = (
    expressions.SumExpression,
    expressions.ProductExpression,
    expressions.DivisionExpression,
    expressions.PowExpression,
    expressions.NegationExpression,
    expressions.AbsExpression,
    expressions.NPV_PowExpression,
)
"""Expressions whose own arithmetic works on arrays as it does on numbers."""


class ScenarioValues:
    """What parameters are worth: the random ones an array over all scenarios, all others their number."""

    def __init__(self, parameters: list[Any], values: Floats) -> None:
        self._values = {id(p): values[:, k] for k, p in enumerate(parameters)}
        self._count = len(values)

    def is_random(self, parameter: Any) -> bool:
        """Whether a parameter is one of the random ones."""
        return id(parameter) in self._values

    def depends(self, expression: Any) -> bool:
        """Whether an expression without variables holds a random parameter."""
        stack = [expression]
        while stack:
            node = stack.pop()
            if node.__class__ in native_numeric_types:
                continue
            if node.is_expression_type():
                stack.extend(node.args)
            elif id(node) in self._values:
                return True
        return False

    def over_scenarios(self, expression: Any) -> Floats:
        """The values of an expression of parameters (S,). Raises RefusedError for a function that is not known here."""
        with np.errstate(all="ignore"):  # what is not defined is NaN, and found by whoever uses it
            found = self._value(expression)
        return np.broadcast_to(np.asarray(found, dtype=float), (self._count,))

    def _value(self, node: Any) -> Any:
        if node.__class__ in native_numeric_types:
            return node
        if not node.is_expression_type():
            return self._values.get(id(node), node.value)
        arguments = [self._value(a) for a in node.args]
        if node.is_named_expression_type():
            return arguments[0]
        if isinstance(node, _PLAIN):
            return node._apply_operation(arguments)
        if isinstance(node, (expressions.MaxExpression, expressions.MinExpression)):
            reduce = np.maximum if isinstance(node, expressions.MaxExpression) else np.minimum
            return functools.reduce(reduce, arguments)
        if isinstance(node, expressions.UnaryFunctionExpression) and node.name in _FUNCTIONS:
            return _FUNCTIONS[node.name](arguments[0])
        raise RefusedError(
            f"a coefficient depends on random parameters by `{node}`, which cannot be evaluated for all scenarios together",
            help="make the whole coefficient a parameter, and give that its law or its column",
        )
