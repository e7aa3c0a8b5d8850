"""Conditions that a modeller writes beside rows: ``pyomo.mpec`` complementarities and SOS constraints, measured at a point."""

from __future__ import annotations

import math
from typing import Any

import pyomo.environ as pyo
from pyomo.common.collections import ComponentMap

from bilevel_lang.oracle.agent_model import number_at, value_of
from bilevel_lang.oracle.magnitude import row_violation
from bilevel_lang.problem import Disjunct, Disjunction

Sides = tuple[Any, ...]


def complementarity_violation(condition: Any, values: ComponentMap) -> float:
    """The residual of a ``Complementarity``: |min(a, b)| of two sides >= 0, |y - mid(lo, y - F, up)| of a mixed one.

    inf where it is not defined, and for a form that has no such meaning (two-sided against one-sided).
    """
    first, second = (condition._canonical_expression(side) for side in condition._args)
    for side in (first, second):
        if len(side) == 2:  # an equality is always tight: to Pyomo the other side then says nothing
            return _finite(abs(number_at(side[0] - side[1], values)))
    if first[0] is None and first[2] is None:
        first, second = second, first
    if second[0] is None and second[2] is None:
        return _mixed(first, number_at(second[1], values), values)
    gaps = [_gap(side, values) for side in (first, second)]
    return math.inf if None in gaps else _finite(abs(min(g for g in gaps if g is not None)), *(g for g in gaps if g is not None))


def sos_violation(constraint: Any, values: ComponentMap) -> float:
    """The largest value that has to be 0: all but one (SOS1), or all but two neighbours (SOS2)."""
    items = sorted(constraint.get_items(), key=lambda item: item[1])
    sizes = [abs(value_of(variable, values)) for variable, _ in items]
    windows = max(1, len(sizes) - constraint.level + 1)
    rest = (max([*sizes[:k], *sizes[k + constraint.level :]], default=0.0) for k in range(windows))
    return _finite(min(rest))


def disjunction_violation(disjunction: Disjunction, values: ComponentMap) -> float:
    """How far the point is from having exactly one branch: its rows, and what the indicators say, for the branch that fits best.

    Rows as in :func:`bilevel_lang.oracle.magnitude.row_violation`; an indicator is off by its distance from 0 or 1.
    """
    told = [None if d.indicator is None else _told(d, values) for d in disjunction.disjuncts]
    violations = []
    for chosen, disjunct in enumerate(disjunction.disjuncts):
        off = [abs(says - (k == chosen)) for k, says in enumerate(told) if says is not None]
        rows = [row_violation(row.body, row.lower, row.upper, values) for row in disjunct.rows]
        violations.append(_finite(max([0.0, *off, *rows]), *off, *rows))
    return min(violations)


def _told(disjunct: Disjunct, values: ComponentMap) -> float:
    value = value_of(disjunct.indicator, values)
    return 1.0 - value if disjunct.negated else value


def _mixed(side: Sides, force: float, values: ComponentMap) -> float:
    low, up = _number(side[0], -math.inf), _number(side[2], math.inf)
    body = number_at(side[1], values)
    return _finite(abs(body - min(max(body - force, low), up)), body, force)


def _gap(side: Sides, values: ComponentMap) -> float | None:
    """How far a one-sided inequality is from holding with equality; None for a two-sided one."""
    body = number_at(side[1], values)
    if side[0] is not None and side[2] is not None:
        return None
    return body - float(pyo.value(side[0])) if side[0] is not None else float(pyo.value(side[2])) - body


def _number(side: Any, missing: float) -> float:
    return missing if side is None else float(pyo.value(side))


def _finite(residual: float, *parts: float) -> float:
    """The residual, or inf where it or what it was made of is not a number (a comparison with nan is always False)."""
    return residual if all(math.isfinite(p) for p in (residual, *parts)) else math.inf
