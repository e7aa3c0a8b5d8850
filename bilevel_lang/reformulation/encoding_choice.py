"""Which encoding an MPEC gets, and why: the engine's rules, in one place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pyomo.environ as pyo
from pyomo.core.expr.visitor import identify_variables

from bilevel_lang.reformulation.complementarity.pairs import conditions
from bilevel_lang.reformulation.rewrite import Options
from bilevel_lang.reformulation.two_stage import FIRST
from bilevel_lang.solvers.registry import by_name

GLOBAL_LIMIT = 1000
"""Up to this many variables in nonlinear rows, a global search is tried before a local one."""


@dataclass(frozen=True, slots=True)
class Choice:
    """``encoding`` to begin with; ``local`` (a name, or None) takes over if the first finds no proof within its budget."""

    encoding: str
    reasons: tuple[str, ...]
    local: str | None = None
    again: bool = False
    """Whether ``encoding`` is tried a second time, from the local answer."""


def choose_encoding(model: Any, options: Options) -> Choice:
    """The encoding of an MPEC, with the reasons as ``--explain`` prints them."""
    if options.encoding is not None:
        return Choice(options.encoding, (f"{options.encoding}: asked for",))
    if options.solver == "ipopt":
        return Choice("scholtes", ("scholtes: Ipopt was asked for, and it takes neither SOS1 nor binaries",))
    if options.solver == "highs":
        return Choice("big-m", ("big-m: HiGHS was asked for, and it has no SOS1",))
    curved = _curved_variables(model)
    integer = next((v for v in model.component_data_objects(pyo.Var) if not v.fixed and not v.is_continuous()), None)
    if integer is not None:
        return Choice("sos1", (f"sos1: exact, and `{integer.name}` is integer, which rules local methods out",))
    if curved > GLOBAL_LIMIT:
        return Choice("scholtes", (f"scholtes: {curved} variables in nonlinear rows, too many for a global search",))
    what = f"{curved} variables stand in nonlinear rows" if curved else "all rows and conditions are linear"
    said = f"sos1: {what}; SOS1 needs no big-M and is exact"
    if options.solver is not None or by_name("ipopt").missing() is not None:
        return Choice("sos1", (said,))
    after = f"if {FIRST:g} s bring no proof: scholtes from {options.starts} starts" + (
        "" if curved else ", then sos1 from the point found"
    )
    return Choice("sos1", (said, after), "scholtes", again=not curved)


def _curved_variables(model: Any) -> int:
    """How many variables stand in rows and conditions that are not linear (the objective does not count: SCIP is used to it)."""
    found: set[int] = set()
    for expression in _expressions(model):
        if expression.__class__ in (int, float):
            continue
        degree = expression.polynomial_degree()
        if degree is None or degree > 1:
            found.update(id(v) for v in identify_variables(expression, include_fixed=False))
    return len(found)


def _expressions(model: Any) -> Any:
    for row in model.component_data_objects(pyo.Constraint, active=True):
        yield row.body
    for condition in conditions(model):
        for side in condition._args:
            yield from side.args if hasattr(side, "args") else (side,)
