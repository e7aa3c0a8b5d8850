"""``dualvar``: which variable is which agent's multiplier, and with which sign (``docs/signs.md``)."""

from __future__ import annotations

from typing import Any

from pyomo.common.collections import ComponentMap, ComponentSet

from bilevel_lang.problem import Agent, DualMap, Row
from bilevel_lang.resolver.activity import is_active
from bilevel_lang.resolver.drafts import Draft
from bilevel_lang.resolver.ownership import LEADER, Ownership
from bilevel_lang.resolver.pairs import Pair
from bilevel_lang.resolver.report import Report
from bilevel_lang.resolver.sharing import SHAREDEQU
from bilevel_lang.resolver.wording import shortened


def claim_duals(pairs: list[Pair], drafts: list[Draft], books: Ownership, report: Report) -> list[Pair]:
    """Enter every dual variable; report E2, E3 and E11. Returns the pairs that stand."""
    objectives = ComponentSet(d.objective for d in drafts if d.objective_kind == "variable" and d.objective is not None)
    rows: ComponentSet = ComponentSet()
    standing = []
    for pair in pairs:
        name = pair.variable.name
        if pair.variable in objectives:
            said = f"`{name}` is an agent's objective variable and cannot be a multiplier as well"
            report.error("E11", said, pair.variable_span, "use a variable of its own for the multiplier")
        elif not pair.variable.is_continuous():
            said = f"`{name}` is an integer or binary variable, and a multiplier is a real number"
            report.error("E2", said, pair.variable_span, "declare it `within=Reals` in the model")
        elif pair.row in rows:
            said = f"row `{pair.row.name}` has two `dualvar` variables"
            report.error("E3", said, pair.span, "one is enough: use it wherever the multiplier is needed")
        elif _claim(pair, books, report):
            rows.add(pair.row)
            standing.append(pair)
    return standing


def _claim(pair: Pair, books: Ownership, report: Report) -> bool:
    if books.variables.get(pair.variable) == LEADER:
        said = (
            f"`{pair.variable.name}` is the multiplier of `{pair.row.name}`: the leader may use it but does not choose it freely"
        )
        report.notice("E3", said, pair.span, "it need not be listed after `bilevel`")
        return True
    return books.claim_variable(pair.variable, f"`dualvar` of row `{pair.row.name}`", pair.variable_span)


def dual_maps(pairs: list[Pair], agents: list[Agent], books: Ownership, report: Report) -> tuple[DualMap, ...]:
    """Pairs to maps: find the agent that owns the row (E11), settle the sign (E12)."""
    if not pairs:
        return ()
    owners: ComponentMap = ComponentMap()
    for agent in agents:
        for row in agent.rows:
            owners.setdefault(row.component, []).append((agent, row))
    whole = {agent.name for agent in agents}
    maps = []
    for pair in pairs:
        owner = books.rows.get(pair.row)
        if pair.row in owners and _is_one_number(pair, books, report):
            (agent, row), *others = owners[pair.row]
            _notice_stored_side(pair, agent, row, report)
            factor = _factor(pair, agent, row, report)
            maps.append(DualMap(pair.variable, row, agent, factor, pair.span))
            # The common multiplier is that of the `min` problems: an agent of the other sense reports its negative.
            maps += [DualMap(pair.variable, r, a, factor * agent.sign * a.sign, pair.span) for a, r in others]
        elif pair.row in owners:
            continue
        elif agents and (owner is None or owner in whole):  # else its agent has a mistake that is reported already
            _not_owned(pair, owner, report)
    return tuple(maps)


def _is_one_number(pair: Pair, books: Ownership, report: Report) -> bool:
    """False after E11: every agent that lists the row has another multiplier of it."""
    name, sharing = pair.row.name, books.sharing
    if pair.row in sharing.state_rows:
        said = (
            f"row `{name}` determines the state variable `{sharing.state_rows[pair.row].name}`: each agent has its own multiplier"
        )
        help = "give the state variable and its row to one agent to have a multiplier of it"
    elif sharing.rows.get(pair.row) == SHAREDEQU:
        said = f"row `{name}` is shared by `sharedequ`: each agent has its own multiplier"
        help = f"`visol {name}` gives them a common one"
    else:
        return True
    report.error("E11", said, pair.row_span, help)
    return False


def _not_owned(pair: Pair, owner: str | None, report: Report) -> None:
    name = pair.row.name
    if owner is None and not is_active(pair.row):
        help = "activate it in the model, or drop the `dualvar`"
        report.error("E11", f"row `{name}` is deactivated: it has no multiplier", pair.row_span, help)
    elif owner is None:
        help = "list the row with the agent whose multiplier is meant; rows of the leader have none"
        report.error("E11", f"row `{name}` is listed by no agent: it has no multiplier", pair.row_span, help)
    elif pair.row.lb is None and pair.row.ub is None:
        report.error("E11", f"row `{name}` has no finite side: it has no multiplier", pair.row_span, "give it a bound")
    else:
        said = f"row `{name}` is a function of `{owner}`, not a constraint: it has no multiplier"
        report.error("E11", said, pair.row_span, "name a constraint of the agent")


def _notice_stored_side(pair: Pair, agent: Agent, row: Row, report: Report) -> None:
    arguments = getattr(pair.row.expr, "args", ())
    both_sides = len(arguments) == 2 and all(_is_variable(a) for a in arguments)
    if both_sides and not row.is_equality:
        cone = row.cone if agent.kind != "max" else {">= 0": "<= 0", "<= 0": ">= 0"}[row.cone]
        said = (
            f"row `{row.name}` has variables on both sides; Pyomo stores it as `{_stored(pair.row)}`, so its multiplier is {cone}"
        )
        mend = "if you typed `x >= y` and want the multiplier of a >= row, write `x - y >= 0` in the model"
        report.notice("E12", said, pair.span, mend)


def _is_variable(argument: Any) -> bool:
    return hasattr(argument, "is_potentially_variable") and argument.is_potentially_variable()


def _stored(row: Any) -> str:
    """An inequality with one side, as Pyomo keeps it."""
    body = shortened(row.body)
    return f"{body} <= {row.ub:g}" if row.ub is not None else f"{body} >= {row.lb:g}"


def _factor(pair: Pair, agent: Agent, row: Row, report: Report) -> int:
    """+1 or -1: how the variable follows from the reported multiplier."""
    factor = -1 if pair.flipped else 1
    one_sided = not row.is_equality and (row.lower is None or row.upper is None)
    if not one_sided:
        return factor
    # The reported multiplier of a min agent is >= 0 on a >= row; a max agent's has the other sign.
    side = (1 if row.lower is not None else -1) * agent.sign * factor
    sign = ">= 0" if side > 0 else "<= 0"
    lower, upper = pair.variable.bounds
    if (lower is None or lower < 0) and (upper is None or upper > 0):
        _warn_free(pair, sign, lower is None and upper is None, report)
        return factor
    excluded = (upper is not None and upper <= 0 and side > 0) or (lower is not None and lower >= 0 and side < 0)
    if not excluded or lower == upper == 0:
        return factor
    if agent.kind == "max":
        only = "<= 0" if side > 0 else ">= 0"
        said = f"`{pair.variable.name}` is minus the multiplier of `{row.name}`, row of a `max` agent: its bounds are {only}"
        report.notice("E12", said, pair.span)
        return -factor
    _conflict(pair, row, sign, report)
    return factor


def _warn_free(pair: Pair, sign: str, free: bool, report: Report) -> None:
    what = "is free" if free else "may have either sign"
    said = f"`{pair.variable.name}` {what}; as the multiplier of `{pair.row.name}` it will be {sign}"
    help = f"give it the bound `{pair.variable.name} {sign}` in the model; for the other sign write {_turned(pair, report)}"
    report.warning("E12", said, pair.span, help)


def _conflict(pair: Pair, row: Row, sign: str, report: Report) -> None:
    lower, upper = pair.variable.bounds
    bounds = f">= {lower:g}" if upper is None else f"<= {upper:g}" if lower is None else f"between {lower:g} and {upper:g}"
    flipped = ", flipped" if pair.flipped else ""
    multiplier = f"the multiplier of `{row.name}`{flipped} (stored `{_stored(pair.row)}`)"
    said = f"`{pair.variable.name}` is {bounds}, but {multiplier} is {sign}"
    report.error("E12", said, pair.span, f"write {_turned(pair, report)}, or change the bounds of `{pair.variable.name}`")


def _turned(pair: Pair, report: Report) -> str:
    """The pair as the annotation has it, with the other sign."""
    span = pair.variable_span
    variable = report.source.text[span.start : span.end] if span else ""
    return f"`dualvar {variable or pair.variable.name} {'' if pair.flipped else '-'}{pair.text}`"


def named_rows(pairs: list[Pair]) -> ComponentSet:
    """The rows that some ``dualvar`` names."""
    return ComponentSet(p.row for p in pairs)
