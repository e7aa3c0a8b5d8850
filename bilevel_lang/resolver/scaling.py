"""Rows whose coefficients lie too far apart for the absolute tolerances of solvers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import pyomo.environ as pyo
from pyomo.core.base.var import VarData
from pyomo.core.expr import numeric_expr as ne
from pyomo.repn import generate_standard_repn

from bilevel_lang.components.plain_sums import coefficients
from bilevel_lang.errors import Span
from bilevel_lang.problem import Agent, Leader
from bilevel_lang.resolver.report import Report

_SUMS = frozenset({ne.SumExpression, ne.LinearExpression})
_NUMBERS = frozenset[Any]({int, float})

WIDEST = 1e9
"""Largest over smallest coefficient: beyond it a tolerance of 1e-6 on the large terms is 1000 times the small ones."""

MEND = "other units (MW for W, thousands for single ones) bring them together: solvers work to absolute tolerances of about 1e-6"


@dataclass
class _Range:
    """The smallest and the largest coefficient so far (absolute, zeros left out), and the rows that have them."""

    least: float = math.inf
    largest: float = 0.0
    least_row: Any = None
    largest_row: Any = None

    def take(self, size: float, row: Any) -> None:
        if size < self.least:
            self.least, self.least_row = size, row
        if size > self.largest:
            self.largest, self.largest_row = size, row

    @property
    def wide(self) -> bool:
        return self.largest > WIDEST * self.least

    @property
    def ends(self) -> str:
        return f"from {self.least:.3g} to {self.largest:.3g}"


def remark_on_scaling(agents: list[Agent], leader: Leader, report: Report) -> None:
    """Warn (E24) of each row whose coefficients span more than :data:`WIDEST`, and of agents whose rows together do."""
    for agent in agents:
        _remark(agent.name, agent.rows, agent.span, report)
    _remark("the leader", leader.rows, None, report)


def _remark(owner: str, rows: Iterable[Any], span: Span | None, report: Report) -> None:
    together = _Range()
    found = False
    for row in rows:
        used = _sizes(row.body)
        if not used:
            continue
        least, largest = min(used), max(used)
        if least < together.least:
            together.take(least, row)
        if largest > together.largest:
            together.take(largest, row)
        if largest > WIDEST * least:
            here = _Range(least, largest)
            found = True
            report.warning("E24", f"row `{row.name}` of `{owner}` has coefficients {here.ends}", span, MEND)
    if together.wide and not found:
        where = f"row `{together.least_row.name}` and row `{together.largest_row.name}`"
        report.warning("E24", f"the rows of `{owner}` have coefficients {together.ends} ({where})", span, MEND)


def _sizes(body: Any) -> list[float]:
    """The coefficients of a row, absolute, without zeros and what is no finite number."""
    written = _written(body)
    if written is not None:
        return written
    plain = coefficients(body)
    if plain is None:
        return [size for c in _coefficients(body, 1.0) if 0 < (size := abs(c)) < math.inf]
    return [size for _, c in plain if 0 < (size := abs(c)) < math.inf]


def _written(body: Any) -> list[float] | None:
    """The same for a plain sum that has no variable twice, read directly; None for any other."""
    if body.__class__ not in _SUMS:
        return None
    sizes: list[float] = []
    met: set[int] = set()
    for term in body._args_[: body._nargs]:
        kind = term.__class__
        if kind is ne.MonomialTermExpression:
            factor, variable = term._args_
            if factor.__class__ not in _NUMBERS:
                return None
            sizes.append(abs(factor))
        elif kind is VarData:
            variable = term
            sizes.append(1)
        elif kind in _NUMBERS:
            continue
        else:
            return None
        if variable._fixed:
            return None
        met.add(id(variable))
    if len(met) < len(sizes):
        return None
    return sizes if not sizes or (min(sizes) > 0 and math.isfinite(sum(sizes))) else None


def _coefficients(expression: Any, factor: float) -> Iterator[float]:
    """Of the linear and quadratic terms; functions have none."""
    kind = expression.__class__
    if kind is ne.MonomialTermExpression:
        if not expression.args[1].fixed:
            yield factor * _number(expression.args[0])
    elif kind in (ne.LinearExpression, ne.SumExpression):
        for term in expression.args:
            yield from _coefficients(term, factor)
    elif kind is ne.NegationExpression:
        yield from _coefficients(expression.args[0], -factor)
    elif hasattr(expression, "is_variable_type") and expression.is_variable_type():
        if not expression.fixed:
            yield factor
    elif hasattr(expression, "is_potentially_variable") and expression.is_potentially_variable():
        yield from (factor * c for c in _of_products(expression))


def _of_products(expression: Any) -> list[float]:
    try:
        repn = generate_standard_repn(expression, quadratic=True)
    except (ValueError, ArithmeticError, TypeError):  # Pyomo evaluates `y**0`: nothing to be read off such a term
        return []
    return [float(c) for c in (*repn.linear_coefs, *repn.quadratic_coefs)]


def _number(coefficient: Any) -> float:
    if coefficient.__class__ in (int, float):
        return float(coefficient)
    try:
        value = pyo.value(coefficient, exception=False)
    except ArithmeticError:  # a quotient of parameters by 0: whoever needs the number says so
        return math.nan
    return math.nan if value is None else float(value)
