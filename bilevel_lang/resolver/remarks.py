"""What a resolve found worth saying although it is no mistake: rows and variables nobody lists, stored sides, idle variables."""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo

from bilevel_lang.components.bounds import bounds_of
from bilevel_lang.components.walking import Met
from bilevel_lang.errors import Span
from bilevel_lang.problem import Agent, Leader
from bilevel_lang.resolver.drafts import Draft
from bilevel_lang.resolver.ownership import Ownership
from bilevel_lang.resolver.report import Report
from bilevel_lang.resolver.scaling import remark_on_scaling
from bilevel_lang.resolver.structure import Outline
from bilevel_lang.resolver.usage import used_elsewhere
from bilevel_lang.resolver.wording import names_of, shortened


def remark(plan: Outline, drafts: list[Draft], agents: list[Agent], leader: Leader, books: Ownership, report: Report) -> None:
    """Add the warnings and notices about a resolved annotation, and E2 for a range that serves as a function."""
    own = [_used_by(agent) for agent in agents]
    used = _used_anywhere(books, drafts, agents, own) if drafts else Met()
    if plan.bilevel is not None and not any(d.broken for d in drafts):
        _unlisted(leader, used, books, plan.opening, report)
    for draft in drafts:
        _function_rows(draft, report)
        _fixed_variables(draft, report)
    for agent, used_by_it in zip(agents, own, strict=True):
        _idle_variables(agent, used_by_it, used, report)
    remark_on_scaling(agents, leader, report)


def _unlisted(leader: Leader, used: Met, books: Ownership, opening: Span | None, report: Report) -> None:
    objective = leader.objective.expr if leader.objective is not None else None
    unlisted = [v for v in leader.variables if v not in books.variables and v in used and v is not objective]
    if unlisted:
        said = f"listed nowhere and taken as the leader's: {names_of(unlisted)}"
        report.warning("E4", said, opening, "list them after `bilevel`, or with the follower that owns them")
    unused = [v for v in leader.variables if v not in used]
    if unused:
        report.notice("E20", f"in no row and no objective: {names_of(unused)}")
    if leader.rows:
        report.notice("E4", f"rows of the leader (they do not bind followers): {names_of(leader.rows)}")


def _function_rows(draft: Draft, report: Report) -> None:
    for function in draft.functions:
        row = function.source
        if row is None or row.ctype is not pyo.Constraint:
            continue
        if row.lb is not None and row.ub is not None and not row.equality:
            help = "write the function as an Expression, or as a row `F == 0` or `F >= 0`"
            report.error("E2", f"row `{row.name}` is a range: it cannot be read as a function", function.span, help)
        elif row.lb is None and row.ub is not None and not function.flipped:
            less = f" - {row.ub:g}" if row.ub > 0 else f" + {-row.ub:g}" if row.ub else ""
            said = f"`{row.name}` is stored as a <= row: its function is `{shortened(row.body)}{less}`"
            report.warning(
                "E2", said, function.span, f"write `-{row.name}` to negate it, or name an Expression instead of the row"
            )
        elif _both_sides(row):
            sign = "the negative of " if function.flipped else ""
            said = f"`{row.name}` has variables on both sides; its function is {sign}what Pyomo stores: `{shortened(row.body)}`"
            report.notice("E2", said, function.span, "name an Expression instead of the row to be certain of the sign")


def _both_sides(row: Any) -> bool:
    arguments = getattr(row.expr, "args", ())
    return len(arguments) == 2 and all(getattr(a, "is_potentially_variable", bool)() for a in arguments)


def _used_by(agent: Agent) -> Met:
    """The variables of everything that an agent looks at."""
    used = Met()
    if agent.objective is not None:
        used.meet(agent.objective.expression)
    for row in agent.rows:
        used.meet(row.body)
    for function in agent.functions:
        if function.expression is not None:
            used.add(function.variable)
    return used


def _used_anywhere(books: Ownership, drafts: list[Draft], agents: list[Agent], own: list[Met]) -> Met:
    """The variables that are used by anybody; every row is looked through once."""
    used = Met()
    for met in own:
        used.join(met)
    done = {id(row.component) for agent in agents for row in agent.rows}
    for row in books.active_rows:
        if id(row) not in done:
            used.meet(row.body)
    return used_elsewhere(books.model, drafts, used)


def _idle_variables(agent: Agent, used: Met, used_anywhere: Met, report: Report) -> None:
    idle = used.without(agent.variables)
    strange = [v for v in idle if v in used_anywhere]
    if strange:
        said = f"`{agent.name}` owns variables that are in none of its rows nor in its objective: {names_of(strange)}"
        report.warning(
            "E20", said, agent.span, "any value is optimal for it: list its missing rows, or list the variables with their agent"
        )
    if len(strange) < len(idle):
        unused = [v for v in idle if v not in used_anywhere]
        report.notice("E20", f"`{agent.name}` owns variables that are in no row and no objective: {names_of(unused)}", agent.span)


def _fixed_variables(draft: Draft, report: Report) -> None:
    owned = [v.data for v in draft.variables] + [f.variable for f in draft.functions]
    pinned = [
        v for v, (lower, upper) in ((v, bounds_of(v)) for v in owned) if not v.fixed and lower is not None and lower == upper
    ]
    if pinned:
        report.notice("E20", f"`{draft.name}` has variables fixed by their bounds, taken as data: {names_of(pinned)}", draft.span)
