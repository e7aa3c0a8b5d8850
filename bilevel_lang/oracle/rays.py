"""Agents without an answer, whatever the others decide: a ray on which the rows hold and the objective improves without end.

Along ``base + t * direction`` polynomials in an agent's own variables are polynomials in t; what the others decide makes their
coefficients intervals. Written in s = t - T, an upper end that has no positive coefficient is <= 0 for all s >= 0: so a row holds
from T on, for all decisions of the others within their bounds. Directions are tried, not searched for: those of entries -1, 0, 1.
What is found is a proof up to rounding; what is not found proves nothing.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyomo.environ as pyo
from pyomo.common.collections import ComponentMap
from pyomo.core.expr import numeric_expr as ne

from bilevel_lang.oracle.links import is_pinned
from bilevel_lang.problem import Agent, Row

LARGEST = 5
"""Own variables of an agent up to which directions are tried: 3**5 of them."""

DEGREE = 8
"""Of powers, up to which they are followed."""

FROM = (1e1, 1e3)
"""Where a ray may begin, as T."""

Interval = tuple[float, float]
Polynomial = tuple[Interval, ...]
"""Coefficients of 1, t, t**2, ..."""

ZERO: Interval = (0.0, 0.0)


@dataclass(frozen=True, eq=False)
class Ray:
    """``base`` and ``direction`` by own variable; from t = ``begin`` on all rows hold and the objective improves without end."""

    agent: Agent
    base: ComponentMap
    direction: ComponentMap
    begin: float

    @property
    def text(self) -> str:
        """For people."""
        moved = ", ".join(f"`{v.name}` {'rises' if d > 0 else 'falls'}" for v, d in self.direction.items() if d)
        return f"{self.agent.name} has ever better answers, whatever the others decide: {moved} without end"


def endless_ray(agent: Agent) -> Ray | None:
    """A proof that ``agent`` has no best answer for any decision of the others; None where none is found."""
    own = [v for v in agent.variables if not is_pinned(v)]
    if agent.objective is None or not 0 < len(own) <= LARGEST or not all(v.is_continuous() for v in own):
        return None
    base = ComponentMap((v, _nearest_to_zero(v)) for v in own)
    for direction in _directions(own):
        for begin in FROM:
            if _improves(agent, base, direction, begin) and all(_holds(row, base, direction, begin) for row in agent.rows):
                return Ray(agent, base, direction, begin)
    return None


def _nearest_to_zero(variable: Any) -> float:
    value = 0.0 if variable.lb is None else max(0.0, float(variable.lb))
    return value if variable.ub is None else min(value, float(variable.ub))


def _directions(own: list[Any]) -> Iterator[ComponentMap]:
    """Those that the bounds leave open."""
    steps = [[s for s, bound in ((0.0, None), (1.0, v.ub), (-1.0, v.lb)) if bound is None] for v in own]
    for entries in itertools.product(*steps):
        if any(entries):
            yield ComponentMap(zip(own, entries, strict=True))


def _improves(agent: Agent, base: ComponentMap, direction: ComponentMap, begin: float) -> bool:
    assert agent.objective is not None
    ends = _upper_ends(agent.objective.expression, float(agent.sign), base, direction, begin)
    return ends is not None and len(ends) > 1 and max(ends[1:]) <= 0 and min(ends[1:]) < 0


def _holds(row: Row, base: ComponentMap, direction: ComponentMap, begin: float) -> bool:
    for sign, side in ((1.0, row.upper), (-1.0, row.lower)):
        if side is None:
            continue
        ends = _upper_ends(row.body, sign, base, direction, begin)
        if ends is None or ends[0] - sign * side > 0 or max(ends[1:], default=0.0) > 0:
            return False
    return True


def _upper_ends(
    expression: Any, sign: float, base: ComponentMap, direction: ComponentMap, begin: float
) -> tuple[float, ...] | None:
    """Coefficients in s >= 0 of a polynomial that is nowhere below ``sign * expression``; None where there is no finite one."""
    along = _polynomial(expression, base, direction)
    if along is None:
        return None
    upper = tuple(up if sign > 0 else -low for low, up in along)  # t >= 0, so that upper ends make an upper bound
    if not all(math.isfinite(u) for u in upper):
        return None
    powers = range(len(upper))
    return tuple(sum(upper[n] * math.comb(n, k) * begin ** (n - k) for n in powers[k:]) for k in powers)


# --- Polynomials with intervals for coefficients


def _polynomial(node: Any, base: ComponentMap, direction: ComponentMap) -> Polynomial | None:
    """``node`` along the ray; None for what is not followed."""
    if not hasattr(node, "is_expression_type"):
        return ((float(node), float(node)),)
    if not node.is_expression_type():
        return _leaf(node, base, direction)
    parts: list[Polynomial] = []
    for argument in node.args:
        part = _polynomial(argument, base, direction)
        if part is None:
            return None
        parts.append(part)
    return _composed(node, parts)


def _leaf(node: Any, base: ComponentMap, direction: ComponentMap) -> Polynomial:
    if not node.is_variable_type() or node.fixed:
        value = float(pyo.value(node))
        return ((value, value),)
    if node in direction:
        start, step = base[node], direction[node]
        return ((start, start), (step, step)) if step else ((start, start),)
    return ((-math.inf if node.lb is None else float(node.lb), math.inf if node.ub is None else float(node.ub)),)


def _composed(node: Any, parts: list[Polynomial]) -> Polynomial | None:
    if isinstance(node, (ne.SumExpression, ne.LinearExpression)):
        found: Polynomial = (ZERO,)
        for part in parts:
            found = _sum(found, part)
        return found
    if isinstance(node, ne.NegationExpression):
        return _product(parts[0], ((-1.0, -1.0),))
    if isinstance(node, ne.ProductExpression):
        return _product(*parts)
    if isinstance(node, ne.PowExpression):
        return _power(*parts)
    if isinstance(node, ne.DivisionExpression):
        return _quotient(*parts)
    return parts[0] if node.is_named_expression_type() else None


def _sum(a: Polynomial, b: Polynomial) -> Polynomial:
    long, short = (a, b) if len(a) >= len(b) else (b, a)
    return tuple((low + short[k][0], up + short[k][1]) if k < len(short) else (low, up) for k, (low, up) in enumerate(long))


def _product(a: Polynomial, b: Polynomial) -> Polynomial:
    found: list[Interval] = [ZERO] * (len(a) + len(b) - 1)
    for (i, p), (j, q) in itertools.product(enumerate(a), enumerate(b)):
        low, up = _times(p, q)
        found[i + j] = (found[i + j][0] + low, found[i + j][1] + up)
    return tuple(found)


def _times(p: Interval, q: Interval) -> Interval:
    ends = [0.0 if x == 0 or y == 0 else x * y for x in p for y in q]
    return min(ends), max(ends)


def _power(base: Polynomial, exponent: Polynomial) -> Polynomial | None:
    low, up = exponent[0]
    if len(exponent) > 1 or low != up or low % 1 or not 0 <= low <= DEGREE:
        return None
    if len(base) == 1 and low > 0 and low % 2 == 0:  # an even power of a number is not negative
        ends = [abs(e) ** low for e in base[0]]
        return ((0.0 if base[0][0] < 0 < base[0][1] else min(ends), max(ends)),)
    found: Polynomial = ((1.0, 1.0),)
    for _ in range(int(low)):
        found = _product(found, base)
    return found


def _quotient(above: Polynomial, below: Polynomial) -> Polynomial | None:
    low, up = below[0]
    if len(below) > 1 or low <= 0 <= up:
        return None
    return _product(above, ((1 / up, 1 / low),))
