"""Pyomo expressions as SCIP expressions.

Polynomials of degree two come as coefficient maps and are handed over as such; what is left is walked node by node. A function
that SCIP does not know is refused by name, or rewritten where an exact rewriting exists (``tan``, ``sinh``, ``cosh``, ``tanh``,
``log10``, and a power with a variable exponent over a positive base).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from pyomo.common.collections import ComponentMap
from pyomo.common.numeric_types import native_numeric_types
from pyomo.contrib.fbbt.expression_bounds_walker import ExpressionBoundsVisitor
from pyomo.core.expr import numeric_expr as ne
from pyomo.core.expr.visitor import StreamBasedExpressionVisitor

from bilevel_lang.errors import ModelFileError, RefusedError
from bilevel_lang.solvers.program import Form

_HELP = "use --solver ipopt for a local optimum, or write the function with + - * / **, exp, log, sqrt, sin, cos, abs"


class Translator:
    """Turns forms over ``variables`` into expressions over SCIP's ``columns`` (same order)."""

    def __init__(self, columns: Sequence[Any], variables: Sequence[Any]) -> None:
        from pyscipopt import scip

        self._scip = scip
        self._columns = columns
        self._terms = [scip.Term(column) for column in columns]
        self._visitor = _Visitor(scip, ComponentMap(zip(variables, columns, strict=True)))

    def row(self, form: Form, lower: float, upper: float, what: str) -> Any:
        """``lower <= form <= upper`` as a SCIP constraint expression. ``what`` names it in messages."""
        sides = (lower if math.isfinite(lower) else None, upper if math.isfinite(upper) else None)
        return self._scip.ExprCons(self.expression(form, what), *sides)

    def polynomial(self, form: Form) -> Any:
        """The linear and quadratic part, without the constant."""
        terms = self._terms
        sums = {terms[j]: c for j, c in form.linear.items()}
        for (i, j), c in form.quadratic.items():
            sums[self._scip.Term(self._columns[i], self._columns[j])] = c
        return self._scip.Expr(sums)

    def expression(self, form: Form, what: str) -> Any:
        """The whole form without its constant. Raises RefusedError for a function that SCIP does not know."""
        polynomial = self.polynomial(form)
        if form.nonlinear is None:
            return polynomial
        rest = self._visitor.translate(form.nonlinear, what)
        return rest + polynomial if form.linear or form.quadratic else rest


class _Visitor(StreamBasedExpressionVisitor):  # type: ignore[misc]
    """Leaves become SCIP variables and floats, nodes SCIP expressions."""

    def __init__(self, scip: Any, columns: ComponentMap) -> None:
        super().__init__()
        self._scip = scip
        self._columns = columns
        self._what = ""
        self._unary = _unary_functions(scip)

    def translate(self, expression: Any, what: str) -> Any:
        self._what = what
        return self.walk_expression(expression)

    def initializeWalker(self, expression: Any) -> tuple[bool, Any]:  # noqa: N802 (Pyomo's name)
        return self.beforeChild(None, expression, 0)

    def beforeChild(self, node: Any, child: Any, position: int) -> tuple[bool, Any]:  # noqa: N802 (Pyomo's name)
        if child.__class__ in native_numeric_types:
            return False, float(child)
        if not child.is_potentially_variable() or (child.is_variable_type() and child.fixed):
            return False, float(child())
        if child.is_variable_type():
            return False, self._columns[child]
        if isinstance(child, ne.Expr_ifExpression):
            # Refused before its condition is walked, so that the message names what the user wrote.
            raise self._refusal("an if-then-else (Expr_if)")
        return True, child

    def exitNode(self, node: Any, data: list[Any]) -> Any:  # noqa: N802 (Pyomo's name)
        if isinstance(node, ne.SumExpression):
            return sum(data[1:], start=data[0])
        if isinstance(node, ne.ProductExpression):
            return data[0] * data[1]
        if isinstance(node, ne.DivisionExpression):
            return self._quotient(*data)
        if isinstance(node, ne.PowExpression):
            return self._power(node, *data)
        if isinstance(node, ne.NegationExpression):
            return -1.0 * data[0]
        if isinstance(node, ne.AbsExpression):
            return abs(data[0])
        if isinstance(node, ne.UnaryFunctionExpression):
            return self._function(node.getname(), data[0])
        if node.is_named_expression_type():
            return data[0]
        raise self._refusal(f"'{node.__class__.__name__.removesuffix('Expression')}' expressions")

    def _function(self, name: str, argument: Any) -> Any:
        if isinstance(argument, float):
            return float(getattr(math, "fabs" if name == "abs" else name)(argument))
        if name not in self._unary:
            raise self._refusal(f"the function '{name}'")
        return self._unary[name](argument)

    def _quotient(self, above: Any, below: Any) -> Any:
        if isinstance(below, float):
            if below == 0:
                raise ModelFileError(
                    f"{self._what} divides by 0", help="look at the fixed variables and parameters below the line"
                )
            return above * (1.0 / below) if not isinstance(above, float) else above / below
        return above / below

    def _power(self, node: Any, base: Any, exponent: Any) -> Any:
        if isinstance(exponent, float):
            # SCIP's polynomials want their exponents as ints.
            return base ** (int(exponent) if exponent.is_integer() else exponent)
        if isinstance(base, float) and base > 0:
            return self._scip.exp(math.log(base) * exponent)
        lower = ExpressionBoundsVisitor().walk_expression(node.args[0])[0]
        if isinstance(base, float) or lower is None or lower <= 0:
            raise self._refusal("a power with a variable exponent whose base may be 0 or less")
        return self._scip.exp(exponent * self._scip.log(base))

    def _refusal(self, thing: str) -> RefusedError:
        return RefusedError(f"{self._what} holds {thing}, which SCIP does not take", help=_HELP)


def _unary_functions(scip: Any) -> dict[str, Callable[[Any], Any]]:
    exp = scip.exp
    return {
        "exp": exp,
        "log": scip.log,
        "log10": lambda x: scip.log(x) * (1.0 / math.log(10.0)),
        "sqrt": scip.sqrt,
        "sin": scip.sin,
        "cos": scip.cos,
        "abs": abs,
        "tan": lambda x: scip.sin(x) / scip.cos(x),
        "sinh": lambda x: 0.5 * exp(x) - 0.5 * exp(-1.0 * x),
        "cosh": lambda x: 0.5 * exp(x) + 0.5 * exp(-1.0 * x),
        # One exponential, not a quotient of sums of two: the same function, and it cannot become inf/inf.
        "tanh": lambda x: 1.0 - 2.0 / (exp(2.0 * x) + 1.0),
    }
