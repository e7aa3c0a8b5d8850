"""Which rows of the model count, and whose bounds have values."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pyomo.environ as pyo
from pyomo.core.base.constraint import ConstraintData
from pyomo.core.base.var import VarData
from pyomo.core.expr.numvalue import native_numeric_types

from bilevel_lang.components.bounds import plain_sides
from bilevel_lang.resolver.elements import Element

_SETTLED = frozenset({int, float, type(None)})


def bounds_known(data: Any) -> bool:
    """Whether the bounds of a row or variable have values: a mutable Param in them may have none."""
    if data.__class__ is VarData and data._lb.__class__ in _SETTLED and data._ub.__class__ in _SETTLED:
        return True  # the bounds of a domain are numbers
    if plain_sides(data) is not None:
        return True
    sides = (data.lower, data.upper) if data.ctype is pyo.Var else data.to_bounded_expression()[::2]
    return all(s is None or s.__class__ in native_numeric_types or pyo.value(s, exception=False) is not None for s in sides)


def active_members(elements: Iterable[Element]) -> list[Element]:
    """Those that count, in their order; the blocks around them are looked at once for each symbol."""
    around: dict[int, bool] = {}
    kept = []
    for element in elements:
        data = element.data
        if data.__class__ is ConstraintData:
            parent = data._component()
            open_ = around.get(id(parent))
            if open_ is None:
                open_ = around[id(parent)] = is_active(parent.parent_block())
            if open_ and data._active:
                kept.append(element)
        elif is_active(data):
            kept.append(element)
    return kept


def is_active(data: Any) -> bool:
    """Whether a row counts: it and every block around it are active."""
    while data is not None:
        if not data.active:
            return False
        data = data.parent_block()
    return True
