"""Which encoding an MPEC gets, and why: the engine's rules, in one place."""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo
from pyomo.core.expr.visitor import identify_variables

from bilevel_lang.reformulation.complementarity.pairs import conditions
from bilevel_lang.reformulation.rewrite import Options

GLOBAL_NONLINEAR_LIMIT = 60
"""Up to this many variables in nonlinear (not just quadratic) terms, a global search is tried before a local one."""


def choose_encoding(model: Any, options: Options) -> tuple[str, list[str]]:
    """The name of the encoding, and the reasons as ``--explain`` prints them."""
    if options.encoding is not None:
        return options.encoding.lower(), [f"{options.encoding}: asked for"]
    if options.solver == "ipopt":
        return "scholtes", ["scholtes: Ipopt was asked for, and it takes neither SOS1 nor binaries"]
    if options.solver == "highs":
        return "big-m", ["big-m: HiGHS was asked for, and it has no SOS1"]
    nonlinear = _nonlinear_variables(model)
    if nonlinear > GLOBAL_NONLINEAR_LIMIT:
        integer = next((v for v in model.component_data_objects(pyo.Var) if not v.fixed and not v.is_continuous()), None)
        if integer is None:
            return "scholtes", [f"scholtes: {nonlinear} variables in nonlinear terms, too many for a global search"]
        return "sos1", [f"sos1: `{integer.name}` is integer, which rules scholtes out"]
    kind = "linear or quadratic" if not nonlinear else f"nonlinear in only {nonlinear} variables"
    return "sos1", [f"sos1: the conditions are {kind}, and SOS1 needs no big-M and is exact"]


def _nonlinear_variables(model: Any) -> int:
    """How many variables stand in expressions that are neither linear nor quadratic."""
    found: set[int] = set()
    for expression in _expressions(model):
        if expression.__class__ in (int, float):
            continue
        degree = expression.polynomial_degree()
        if degree is None or degree > 2:
            found.update(id(v) for v in identify_variables(expression, include_fixed=False))
    return len(found)


def _expressions(model: Any) -> Any:
    for row in model.component_data_objects(pyo.Constraint, active=True):
        yield row.body
    for objective in model.component_data_objects(pyo.Objective, active=True):
        yield objective.expr
    for condition in conditions(model):
        for side in condition._args:
            yield from side.args if hasattr(side, "args") else (side,)
