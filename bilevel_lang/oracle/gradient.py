"""Gradients of an agent's expressions in the variables it owns.

Plain sums are read directly, other linear and quadratic parts off Pyomo's standard representation; only what is left is
differentiated symbolically (reverse mode), so the work is linear in the nonzeros.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from pyomo.common.collections import ComponentSet
from pyomo.core.expr.calculus.derivatives import Modes, differentiate
from pyomo.core.expr.calculus.diff_with_pyomo import DifferentiationException
from pyomo.core.expr.numeric_expr import AbsExpression
from pyomo.core.expr.visitor import identify_variables
from pyomo.repn import generate_standard_repn

from bilevel_lang.components.plain_sums import coefficients, total
from bilevel_lang.errors import RefusedError
from bilevel_lang.oracle.shapes import shape_of


class Gradient:
    """Sums of derivative terms, one list for each owned variable."""

    def __init__(self, variables: Iterable[Any]) -> None:
        self.terms: dict[int, list[Any]] = {id(v): [] for v in variables}

    def add(self, expression: Any, factor: Any) -> None:
        """Add ``factor`` * the derivative of ``expression`` with respect to every owned variable it contains."""
        for variable, derivative in self.derivatives(expression):
            self.terms[id(variable)].append(factor * derivative)

    def add_term(self, variable: Any, term: Any) -> None:
        """Add one term to the row of ``variable``."""
        self.terms[id(variable)].append(term)

    def sum(self, variable: Any) -> Any:
        """The row of ``variable`` as one expression (0 where nothing was added)."""
        return total(self.terms[id(variable)])

    def derivatives(self, expression: Any) -> list[tuple[Any, Any]]:
        """Pairs (owned variable, derivative of ``expression``), zero derivatives left out; a variable may come several times.

        Raises RefusedError for a function that Pyomo cannot differentiate, and for ``abs`` of what takes both signs.
        """
        plain = coefficients(expression)
        if plain is not None:
            return [(v, c) for v, c in plain if id(v) in self.terms]
        repn = generate_standard_repn(expression, quadratic=True)
        found: list[tuple[Any, Any]] = []
        found += [(v, c) for v, c in zip(repn.linear_vars, repn.linear_coefs, strict=True) if id(v) in self.terms]
        for (a, b), coefficient in zip(repn.quadratic_vars, repn.quadratic_coefs, strict=True):
            if id(a) in self.terms:
                found.append((a, (2 * coefficient if a is b else coefficient) * b))
            if b is not a and id(b) in self.terms:
                found.append((b, coefficient * a))
        if repn.nonlinear_expr is not None:
            found += self._nonlinear(repn.nonlinear_expr)
        return found

    def _nonlinear(self, expression: Any) -> list[tuple[Any, Any]]:
        owned = [v for v in identify_variables(expression, include_fixed=False) if id(v) in self.terms]
        if not owned:
            return []
        _refuse_kinks(expression, owned)
        try:
            partials = differentiate(expression, wrt_list=owned, mode=Modes.reverse_symbolic)
        except DifferentiationException as error:
            raise RefusedError(f"no derivative by formula: {error}", "write the function with others, or with rows") from error
        return [(v, d) for v, d in zip(owned, partials, strict=True) if not (d.__class__ in (int, float) and d == 0)]


def _refuse_kinks(expression: Any, owned: list[Any]) -> None:
    """RefusedError for ``abs`` of an expression that takes both signs.

    Its derivative x/abs(x) is 0/0 where most optima of such functions are. They would be lost without a word.
    """
    mine = ComponentSet(owned)
    for node in _nodes(expression):
        if isinstance(node, AbsExpression) and not shape_of(node, mine).smooth:
            said = f"`{node}` has a kink, and the optimality conditions of an agent need derivatives"
            raise RefusedError(said, "write `abs(e)` as a variable t with the rows `t >= e` and `t >= -e`")


def _nodes(expression: Any) -> Iterator[Any]:
    waiting = [expression]
    while waiting:
        node = waiting.pop()
        if hasattr(node, "is_expression_type") and node.is_expression_type():
            yield node
            waiting += node.args
