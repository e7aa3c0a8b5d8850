"""Gradients of an agent's expressions in the variables it owns.

Linear and quadratic parts are read off Pyomo's standard representation; only what is left is differentiated symbolically
(reverse mode), so the work is linear in the nonzeros.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pyomo.common.collections import ComponentMap
from pyomo.core.expr.calculus.derivatives import Modes, differentiate
from pyomo.core.expr.visitor import identify_variables
from pyomo.repn import generate_standard_repn


class Gradient:
    """Sums of derivative terms, one list for each owned variable."""

    def __init__(self, variables: Iterable[Any]) -> None:
        self.terms: ComponentMap = ComponentMap((v, []) for v in variables)

    def add(self, expression: Any, factor: Any) -> None:
        """Add ``factor`` * the derivative of ``expression`` with respect to every owned variable it contains."""
        for variable, derivative in self.derivatives(expression):
            self.terms[variable].append(factor * derivative)

    def add_term(self, variable: Any, term: Any) -> None:
        """Add one term to the row of ``variable``."""
        self.terms[variable].append(term)

    def sum(self, variable: Any) -> Any:
        """The row of ``variable`` as one expression (0 where nothing was added)."""
        return sum(self.terms[variable]) if self.terms[variable] else 0.0

    def derivatives(self, expression: Any) -> list[tuple[Any, Any]]:
        """Pairs (owned variable, derivative of ``expression``), zero derivatives left out."""
        repn = generate_standard_repn(expression, quadratic=True)
        found: list[tuple[Any, Any]] = []
        found += [(v, c) for v, c in zip(repn.linear_vars, repn.linear_coefs, strict=True) if v in self.terms]
        for (a, b), coefficient in zip(repn.quadratic_vars, repn.quadratic_coefs, strict=True):
            if a in self.terms:
                found.append((a, (2 * coefficient if a is b else coefficient) * b))
            if b is not a and b in self.terms:
                found.append((b, coefficient * a))
        if repn.nonlinear_expr is not None:
            found += self._nonlinear(repn.nonlinear_expr)
        return found

    def _nonlinear(self, expression: Any) -> list[tuple[Any, Any]]:
        owned = [v for v in identify_variables(expression, include_fixed=False) if v in self.terms]
        if not owned:
            return []
        partials = differentiate(expression, wrt_list=owned, mode=Modes.reverse_symbolic)
        return [(v, d) for v, d in zip(owned, partials, strict=True) if not (d.__class__ in (int, float) and d == 0)]


def depends_on(expression: Any, variables: ComponentMap) -> bool:
    """Whether ``expression`` contains one of ``variables``."""
    return any(v in variables for v in identify_variables(expression, include_fixed=False))
