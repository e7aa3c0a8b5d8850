"""What a resolve found worth saying although it is no mistake: rows and variables nobody lists, stored sides, idle variables."""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo
from pyomo.common.collections import ComponentSet

from bilevel_lang.problem import Agent, Leader, Structure
from bilevel_lang.resolver.drafts import Draft
from bilevel_lang.resolver.ownership import LEADER, Ownership, used_variables, variables_in
from bilevel_lang.resolver.report import Report

NAMES_SHOWN = 6


def remark(structure: Structure, drafts: list[Draft], agents: list[Agent], leader: Leader, books: Ownership, report: Report) -> None:
    """Add the warnings and notices about a resolved annotation."""
    if structure is Structure.BILEVEL:
        _unlisted(leader, books, report)
    for draft in drafts:
        _function_rows(draft, report)
    for agent in agents:
        _idle_variables(agent, report)
        _fixed_variables(agent, report)


def _unlisted(leader: Leader, books: Ownership, report: Report) -> None:
    used = used_variables(books.model)
    objective = leader.objective.expr if leader.objective is not None else None
    unlisted = [v for v in leader.variables if v not in books.variables and v in used and v is not objective]
    if unlisted:
        said = f"listed nowhere and taken as the leader's: {_names(unlisted)}"
        report.warning("E4", said, None, "list them after `bilevel`, or with the follower that owns them")
    unused = [v for v in leader.variables if v not in used]
    if unused:
        report.notice("E20", f"in no row and no objective: {_names(unused)}")
    if leader.rows:
        report.notice("E4", f"rows of the leader (they do not bind followers): {_names(leader.rows)}")


def _function_rows(draft: Draft, report: Report) -> None:
    for function in draft.functions:
        row = function.source
        if row is None or row.ctype is not pyo.Constraint:
            continue
        if row.lb is not None and row.ub is not None and not row.equality:
            help = "a VI function is an Expression, or a row `F == 0` or `F >= 0`"
            report.error("E2", f"`{row.name}` is a range: it cannot be read as a function", function.span, help)
        elif row.lb is None:
            said = f"`{row.name}` is stored as a <= row: its function is `{row.body} - {row.ub:g}`"
            report.warning("E2", said, function.span, f"write `-{row.name}` to negate it, or state F as an Expression")
        elif _both_sides(row):
            said = f"`{row.name}` has variables on both sides; its function is what pyomo stores: `{row.body}`"
            report.notice("E2", said, function.span, "state F as an Expression to be certain of its sign")


def _both_sides(row: Any) -> bool:
    arguments = getattr(row.expr, "args", ())
    return len(arguments) == 2 and all(getattr(a, "is_potentially_variable", bool)() for a in arguments)


def _idle_variables(agent: Agent, report: Report) -> None:
    used: ComponentSet = ComponentSet()
    if agent.objective is not None:
        used.update(variables_in(agent.objective.expression))
    for row in agent.rows:
        used.update(variables_in(row.body))
    for function in agent.functions:
        if function.expression is not None:
            used.add(function.variable)
    idle = [v for v in agent.variables if v not in used]
    if idle:
        said = f"{agent.name} owns variables that are in none of its rows nor in its objective: {_names(idle)}"
        report.warning("E20", said, agent.span, "any value is optimal for it; let the leader own them, or list the missing rows")


def _fixed_variables(agent: Agent, report: Report) -> None:
    pinned = [v for v in agent.variables if v.lb is not None and v.lb == v.ub]
    if pinned:
        report.notice("E20", f"{agent.name} has variables fixed by their bounds, taken as data: {_names(pinned)}", agent.span)


def _names(components: Any) -> str:
    names = [f"`{c.name}`" for c in components]
    more = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
    return ", ".join(names[:NAMES_SHOWN]) + more


__all__ = ["LEADER", "remark"]
