"""The one table of component types that every reader of a model knows, and what of a model is beyond it.

A reader names what else it knows; a type that nobody thought of is unknown to all of them, so that nothing is left out silently.
"""

from __future__ import annotations

from typing import Any

from pyomo.core.base import Block, Constraint, Expression, ExternalFunction, Objective, Param, RangeSet, Set, Suffix, Var
from pyomo.network import Port
from pyomo.repn.util import categorize_valid_components

PLAIN: frozenset[type] = frozenset(
    {Block, Constraint, Objective, Var, Param, Expression, ExternalFunction, Set, RangeSet, Port, Suffix}
)
"""Types that are read everywhere, or say nothing by themselves (a Port without an active Arc)."""


def unknown_components(model: Any, *known: type) -> str | None:
    """``active components of type Disjunction: 'd'``: the first type neither PLAIN nor in ``known``; None without.

    Types that Pyomo cannot deactivate (a BooleanVar) say nothing by themselves and are passed over.
    """
    _, unknown = categorize_valid_components(model, active=True, valid={*PLAIN, *known}, targets=set())
    if not unknown:
        return None
    kind, found = next(iter(unknown.items()))
    names = ", ".join(f"'{c.name}'" for c in found[:3]) + (" ..." if len(found) > 3 else "")
    return f"active components of type {kind.__name__}: {names}"
