"""``dualvar``: which variable is which agent's multiplier, and with which sign (``docs/signs.md``)."""

from __future__ import annotations

from typing import Any

from pyomo.common.collections import ComponentMap, ComponentSet

from bilevel_lang.problem import Agent, DualMap, Row
from bilevel_lang.resolver.drafts import Draft, Pair
from bilevel_lang.resolver.ownership import LEADER, Ownership
from bilevel_lang.resolver.report import Report


def claim_duals(pairs: list[Pair], drafts: list[Draft], books: Ownership, report: Report) -> list[Pair]:
    """Enter every dual variable; report E3 and E11. Returns the pairs that stand."""
    objectives = ComponentSet(d.objective for d in drafts if d.objective_kind == "variable")
    rows: ComponentSet = ComponentSet()
    standing = []
    for pair in pairs:
        if pair.variable in objectives:
            said = f"`{pair.variable.name}` is an objective variable and cannot be a multiplier as well"
            report.error("E11", said, pair.span, "use another variable for the multiplier")
        elif pair.row in rows:
            report.error("E3", f"row `{pair.row.name}` has two `dualvar` variables", pair.span, "one is enough: use it everywhere")
        elif _claim(pair, books, report):
            rows.add(pair.row)
            standing.append(pair)
    return standing


def _claim(pair: Pair, books: Ownership, report: Report) -> bool:
    if books.variables.get(pair.variable) == LEADER:
        said = f"`{pair.variable.name}` is the multiplier of `{pair.row.name}`: the leader may use it but does not choose it freely"
        report.notice("E3", said, pair.span, "it need not be listed after `bilevel`")
        return True
    return books.claim_variable(pair.variable, f"`dualvar` of row `{pair.row.name}`", pair.span)


def dual_maps(pairs: list[Pair], agents: list[Agent], books: Ownership, report: Report) -> tuple[DualMap, ...]:
    """Pairs to maps: find the agent that owns the row (E11), settle the sign (E12)."""
    owners: ComponentMap = ComponentMap()
    for agent in agents:
        for row in agent.rows:
            owners[row.component] = (agent, row)
    maps = []
    for pair in pairs:
        if pair.row not in owners:
            _not_owned(pair, books, report)
            continue
        agent, row = owners[pair.row]
        _notice_stored_side(pair, row, report)
        factor = _factor(pair, agent, row, report)
        maps.append(DualMap(pair.variable, row, agent, factor, pair.span))
    return tuple(maps)


def _not_owned(pair: Pair, books: Ownership, report: Report) -> None:
    owner = books.rows.get(pair.row)
    if owner is None:
        if pair.row.active:
            help = "list the row with the agent whose multiplier is meant; the leader's rows have no multiplier"
            report.error("E11", f"row `{pair.row.name}` is no agent's row", pair.span, help)
        else:
            report.error("E11", f"row `{pair.row.name}` is deactivated", pair.span, "activate it, or drop the `dualvar`")
        return
    said = f"row `{pair.row.name}` of {owner} is a function or a definition, not a constraint: it has no multiplier"
    report.error("E11", said, pair.span, "name a constraint of the agent")


def _notice_stored_side(pair: Pair, row: Row, report: Report) -> None:
    arguments = getattr(pair.row.expr, "args", ())
    both_sides = len(arguments) == 2 and all(_is_variable(a) for a in arguments)
    if both_sides and not row.is_equality:
        said = f"row `{row.name}` has variables on both sides; pyomo stores it as `{_stored(pair.row)}`, so its multiplier is {row.cone}"
        mend = "for a row typed `x >= y` and a multiplier >= 0, write `x - y >= 0`"
        report.notice("E12", said, pair.span, mend)


def _is_variable(argument: Any) -> bool:
    return hasattr(argument, "is_potentially_variable") and argument.is_potentially_variable()


def _stored(row: Any) -> str:
    if row.equality:
        return f"{row.body} == {row.lb}"
    if row.lb is not None and row.ub is not None:
        return f"{row.lb} <= {row.body} <= {row.ub}"
    return f"{row.body} <= {row.ub}" if row.ub is not None else f"{row.body} >= {row.lb}"


def _factor(pair: Pair, agent: Agent, row: Row, report: Report) -> int:
    """+1 or -1: how the variable follows from the reported multiplier."""
    factor = -1 if pair.flipped else 1
    one_sided = not row.is_equality and (row.lower is None or row.upper is None)
    if not one_sided:
        return factor
    # The reported multiplier of a min agent is >= 0 on a >= row; a max agent's has the other sign.
    side = (1 if row.lower is not None else -1) * agent.sign * factor
    variable = pair.variable
    lower, upper = variable.lb, variable.ub
    if lower is None and upper is None:
        sign = ">= 0" if side > 0 else "<= 0"
        said = f"`{variable.name}` is free; as the multiplier of `{row.name}` it will be {sign}"
        report.warning("E12", said, pair.span, f"give it the bound: `{variable.name} {sign}`")
        return factor
    excluded = (upper is not None and upper <= 0 and side > 0) or (lower is not None and lower >= 0 and side < 0)
    if not excluded or lower == upper == 0:
        return factor
    if agent.kind == "max":
        said = f"`{variable.name}` is matched to the negated multiplier of `{row.name}`: its bounds allow only that sign in a `max` agent"
        report.notice("E12", said, pair.span)
        return -factor
    bounds = f"[{'-inf' if lower is None else lower}, {'inf' if upper is None else upper}]"
    sign = ">= 0" if side > 0 else "<= 0"
    said = f"`{variable.name}` has bounds {bounds}, but the multiplier of `{row.name}` (stored `{_stored(pair.row)}`) is {sign}"
    flip = "" if pair.flipped else "-"
    report.error("E12", said, pair.span, f"write `dualvar {variable.name} {flip}{row.name}`, or change the bounds")
    return factor


def named_rows(pairs: list[Pair]) -> ComponentSet:
    """The rows that some ``dualvar`` names."""
    return ComponentSet(p.row for p in pairs)
