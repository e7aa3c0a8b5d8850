"""What the agents list of the things that are declared as shared: state variables bring their rows, shared rows need sharers."""

from __future__ import annotations

from pyomo.common.collections import ComponentMap, ComponentSet

from bilevel_lang.problem import SharedRow, StateVariable
from bilevel_lang.resolver.drafts import Draft, Listed
from bilevel_lang.resolver.ownership import Ownership
from bilevel_lang.resolver.report import Report
from bilevel_lang.resolver.sharing import SHAREDEQU, VISOL, Sharing
from bilevel_lang.resolver.wording import names_of


def take_state_rows(drafts: list[Draft], sharing: Sharing, report: Report) -> None:
    """Give every agent that lists a state variable the row that determines it; E15 for a row that is listed without it."""
    if not sharing.states:
        return
    determined = sharing.state_rows
    for draft in drafts:
        listed: ComponentMap = ComponentMap((v.data, v.span) for v in draft.variables if v.data in sharing.states)
        listed.update((f.variable, f.span) for f in draft.functions if f.variable in sharing.states)
        if draft.objective is not None and draft.objective in sharing.states:
            said = f"`{draft.objective.name}` is a state variable and cannot be an agent's objective variable as well"
            report.error("E2", said, draft.objective_span, "name an Expression or an Objective that holds the variable")
            draft.broken = True
        for row in draft.rows:
            if row.data in determined and determined[row.data] not in listed:
                variable = determined[row.data].name
                said = f"row `{row.data.name}` determines `{variable}`, and {draft.quoted} lists it without `{variable}`"
                help = f"list `{variable}` with the agent, or drop the row: an agent without it takes `{variable}` as given"
                report.error("E15", said, row.span, help)
                draft.broken = True
        kept = [row for row in draft.rows if row.data not in determined]
        draft.rows = [*kept, *(Listed(sharing.states[v].row, span) for v, span in listed.items())]


def check_sharing(drafts: list[Draft], sharing: Sharing, books: Ownership, report: Report) -> None:
    """E15 for a shared row without two agents, E4 for a state variable without any; a notice on multipliers of their own."""
    if not drafts or any(draft.broken for draft in drafts):
        return  # the agent with a mistake in it may be the one that is missed here
    for row, keyword in sharing.rows.items():
        if row in books.sharers:
            continue
        owner = books.rows.get(row)
        said = f"row `{row.name}` is declared by `{keyword}`, and " + (
            f"only `{owner}` lists it" if owner else "no agent lists it"
        )
        help = f"list it with every agent that it binds, or drop the `{keyword}`"
        report.error("E15", said, sharing.spans[row], help)
        books.rows.setdefault(row, keyword)
    listed = ComponentSet(v.data for d in drafts for v in d.variables)
    listed.update(f.variable for d in drafts for f in d.functions)
    for variable, pair in sharing.states.items():
        if variable not in listed:
            said = f"`{variable.name}` is implicit, and no agent lists it"
            help = "list it with the agents that know how it answers to their decisions; all others take it as given"
            report.error("E4", said, pair.span, help)
            books.variables.setdefault(variable, "implicit")
            books.rows.setdefault(pair.row, "implicit")
    own = [row for row, keyword in sharing.rows.items() if keyword == SHAREDEQU]
    if own:
        said = f"each agent has its own multiplier of {names_of(own)}: such equilibria are rarely unique"
        report.notice("E15", said, sharing.spans[own[0]], "`visol` asks for the one with a common multiplier")


def shared_rows(sharing: Sharing) -> tuple[SharedRow, ...]:
    """The declarations as records."""
    return tuple(SharedRow(row, keyword == VISOL, sharing.spans[row]) for row, keyword in sharing.rows.items())


def state_variables(sharing: Sharing) -> tuple[StateVariable, ...]:
    """The declarations as records."""
    return tuple(StateVariable(variable, pair.row, pair.span) for variable, pair in sharing.states.items())
