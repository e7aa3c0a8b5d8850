"""Which encoding an MPEC gets, and why: the engine's rules, in one place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pyomo.environ as pyo
from pyomo.core.expr.visitor import identify_variables

from bilevel_lang.reformulation.complementarity.pairs import conditions
from bilevel_lang.reformulation.options import Options
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
    local_first: bool = False
    """Whether ``local`` goes first, and ``encoding`` is tried only if it finds nothing."""


NO_BIG_M = "refused   big-m: sos1 needs no bound on multipliers; `--encoding big-m` derives bounds or says which lack"
NO_SOS1 = "refused   sos1: {solver} does not take SOS1; `--solver scip` does"
NO_SCHOLTES = "refused   scholtes: {why}; `--encoding scholtes` asks for it all the same"


def choose_encoding(model: Any, options: Options) -> Choice:
    """The encoding of an MPEC, with the reasons and refusals as ``--explain`` prints them."""
    if options.encoding is not None:
        return Choice(options.encoding, (f"chosen    {options.encoding}: asked for",))
    if options.solver == "ipopt":
        chosen = "chosen    scholtes: ipopt was asked for, and it takes neither SOS1 nor binaries"
        return Choice("scholtes", (chosen, NO_SOS1.format(solver="ipopt"), NO_BIG_M))
    if options.solver == "highs":
        chosen = "chosen    big-m: highs was asked for, and big-m is the encoding it takes"
        return Choice("big-m", (chosen, NO_SOS1.format(solver="highs"), NO_SCHOLTES.format(why="it is for ipopt")))
    return _automatic(model, options)


def _automatic(model: Any, options: Options) -> Choice:
    curved = _curved_variables(model)
    integer = next((v for v in model.component_data_objects(pyo.Var) if not v.fixed and not v.is_continuous()), None)
    if integer is not None:
        chosen = "chosen    sos1: exact, no big-M"
        return Choice("sos1", (chosen, NO_BIG_M, NO_SCHOLTES.format(why=f"`{integer.name}` is integer")))
    if curved > GLOBAL_LIMIT and options.solver is None:
        chosen = f"chosen    scholtes: {curved} variables stand in nonlinear rows, too many for a global search"
        return Choice("scholtes", (chosen, "refused   sos1: `--encoding sos1` asks for the global search all the same", NO_BIG_M))
    what = f"{curved} variables stand in nonlinear rows" if curved else "all rows and conditions are linear"
    chosen = f"chosen    sos1: exact, no big-M; {what}"
    if options.solver is not None or by_name("ipopt").missing() is not None:
        why = "ipopt is not installed" if options.solver is None else f"{options.solver} was asked for"
        return Choice("sos1", (chosen, NO_BIG_M, NO_SCHOLTES.format(why=why)))
    if curved and next(model.component_data_objects(pyo.Objective, active=True), None) is None:
        chosen = f"chosen    scholtes: {what} and there is no leader's objective, so that any point will do"
        after = "in hand   sos1, if no start leads to a point"
        return Choice("sos1", (chosen, after, NO_BIG_M), "scholtes", local_first=True)
    then = "" if curved else ", then sos1 once more from the point found"
    after = f"in hand   scholtes from {options.starts} starts, if {FIRST:g} s bring no proof{then}"
    return Choice("sos1", (chosen, after, NO_BIG_M), "scholtes", again=not curved)


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
