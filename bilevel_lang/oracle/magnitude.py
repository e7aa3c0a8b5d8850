"""How large an expression is, so that differences of it can be called large or small.

A value gap of 1e-6 is nothing where the objective is in millions of euros, and everything where it is 1e-6 times a square. The
measure used here does not change when a constant is added, and is multiplied by c when the expression is multiplied by c > 0; a
verdict that compares with it is therefore the same for all the ways of writing one objective.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pyomo.common.collections import ComponentMap
from pyomo.core.expr.visitor import identify_variables
from pyomo.repn import generate_standard_repn

from bilevel_lang.components.bounds import bounds_of
from bilevel_lang.components.plain_sums import coefficients
from bilevel_lang.oracle.agent_model import number_at, value_of

PROBES = 32
"""Variables of a nonlinear part that are moved one at a time; all of them are also moved together."""


STEPS = (1.0, -1.0, 0.5, -0.5)
"""By which parts of their sizes variables are moved: ``y**2 - y**4`` is 0 at 0, 1 and -1, and yet not small."""

SMALLEST_ROW = 1e-8
"""A row whose terms are all smaller counts as being of this size: below it, rounding and meaning cannot be told apart."""


@dataclass(frozen=True, eq=False)
class Magnitude:
    """``terms`` has, for each variable, the largest term it stands in; ``total`` >= all of them; 0 where nothing is there."""

    terms: ComponentMap
    total: float

    def slope(self, values: ComponentMap) -> float:
        """The largest term by the size of its variable: what is large for a derivative."""
        return max((term / unit_of(v, values) for v, term in self.terms.items()), default=0.0)


def unit_of(variable: Any, values: ComponentMap) -> float:
    """The size of a variable: its value, or 1 where that is more, or the width of its bounds where that is less than 1."""
    lower, upper = bounds_of(variable)
    width = math.inf if lower is None or upper is None else float(upper - lower)
    return max(abs(value_of(variable, values)), min(1.0, width) or 1.0)


def magnitude(expression: Any, variables: Iterable[Any], values: ComponentMap) -> Magnitude:
    """The size of ``expression`` at ``values`` as far as ``variables`` matter; terms without any of them do not count.

    Linear and quadratic terms count with the sizes of their variables, a nonlinear part with how it changes when its variables
    move by their sizes.
    """
    own = ComponentMap((v, 0.0) for v in variables)
    plain = coefficients(expression)
    if plain is not None:
        return _of_sum(plain, own, values)
    repn = generate_standard_repn(expression, quadratic=True)
    here = 0.0
    for v, c in zip(repn.linear_vars, repn.linear_coefs, strict=True):
        if v in own:
            own[v] = max(own[v], abs(c) * unit_of(v, values))
            here += c * value_of(v, values)
    for (a, b), c in zip(repn.quadratic_vars, repn.quadratic_coefs, strict=True):
        sizes = [unit_of(v, values) if v in own else abs(value_of(v, values)) for v in (a, b)]
        mine = [v for v in (a, b) if v in own]
        for v in mine:
            own[v] = max(own[v], abs(c) * sizes[0] * sizes[1])
        here += c * value_of(a, values) * value_of(b, values) if mine else 0.0
    together = _probe(repn, own, values)
    return Magnitude(own, max([abs(here) if math.isfinite(here) else 0.0, together, *own.values()]))


def _of_sum(terms: list[tuple[Any, float]], own: ComponentMap, values: ComponentMap) -> Magnitude:
    """The same for a plain sum, each variable once: large objectives are of this kind."""
    here = 0.0
    for v, c in terms:
        if v in own:
            own[v] = abs(c) * unit_of(v, values)
            here += c * value_of(v, values)
    return Magnitude(own, max([abs(here) if math.isfinite(here) else 0.0, *own.values()]))


def _probe(repn: Any, own: ComponentMap, values: ComponentMap) -> float:
    """Move the variables of the nonlinear part: each change goes into ``own``, the change of all together is returned."""
    if repn.nonlinear_expr is None:
        return 0.0
    moved = [v for v in repn.nonlinear_vars if v in own]
    here = number_at(repn.nonlinear_expr, values)
    if not moved or not math.isfinite(here):
        return 0.0
    for v in moved[:PROBES]:
        own[v] = max(own[v], *(_change(repn.nonlinear_expr, here, [v], step, values) for step in STEPS))
    return max(_change(repn.nonlinear_expr, here, moved, step, values) for step in STEPS)


def _change(expression: Any, here: float, moved: list[Any], step: float, values: ComponentMap) -> float:
    there = ComponentMap(values.items())
    for v in moved:
        target = value_of(v, values) + step * unit_of(v, values)
        target = target if v.lb is None else max(target, v.lb)
        there[v] = target if v.ub is None else min(target, v.ub)
    change = abs(number_at(expression, there) - here)
    return change if math.isfinite(change) else 0.0


def row_violation(body: Any, lower: float | None, upper: float | None, values: ComponentMap) -> float:
    """How far ``lower <= body <= upper`` is violated at a point, relative; inf where the body is not defined.

    The measure is max(1, |side|), or less where the whole row is smaller: ``1e-6 y >= 1e-6`` is violated by 1 at y = 0.
    """
    at = number_at(body, values)
    if not math.isfinite(at):
        return math.inf
    off, side = max(
        (lower - at if lower is not None else 0.0, lower), (at - upper if upper is not None else 0.0, upper), key=_first
    )
    if off <= 0:
        return 0.0
    assert side is not None
    size = magnitude(body, _variables(body), values).total
    return off / max(abs(side), min(1.0, max(size, SMALLEST_ROW)))


def _first(pair: tuple[float, float | None]) -> float:
    return pair[0]


def _variables(expression: Any) -> list[Any]:
    return list(identify_variables(expression, include_fixed=False))
