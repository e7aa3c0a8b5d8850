"""What several agents may list: rows (``visol``, ``sharedequ``) and state variables with their rows (``implicit``)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from pyomo.common.collections import ComponentMap, ComponentSet
from pyomo.core.expr.visitor import identify_variables

from bilevel_lang.grammar.leaves import Item, Reference
from bilevel_lang.grammar.syntax import Implicit, SharedEqu, Statement, VISol
from bilevel_lang.resolver.activity import is_active
from bilevel_lang.resolver.kinds import a_kind
from bilevel_lang.resolver.names import Names
from bilevel_lang.resolver.pairs import IMPLICIT, Pair, PairReader
from bilevel_lang.resolver.report import Report

VISOL, SHAREDEQU = "visol", "sharedequ"


@dataclass(eq=False)
class Sharing:
    """The declarations: row -> keyword, state variable -> its pair, and where each row was declared."""

    rows: ComponentMap = field(default_factory=ComponentMap)
    states: ComponentMap = field(default_factory=ComponentMap)
    spans: ComponentMap = field(default_factory=ComponentMap)
    meant: ComponentSet = field(default_factory=ComponentSet)
    """What a statement with a mistake in it names: that several agents list it is no second mistake."""

    @property
    def state_rows(self) -> ComponentMap:
        """Determining row -> its state variable."""
        return ComponentMap((pair.row, variable) for variable, pair in self.states.items())

    def covers(self, elements: Iterable[Any]) -> bool:
        """Whether every one of these components may be in several agents."""
        return all(e in self.rows or e in self.states or e in self.meant for e in elements)


def read_sharing(statements: Iterable[Statement], names: Names, report: Report) -> Sharing:
    """Sort the statements; E2, E6, E7 and E15 for what cannot be shared."""
    found = Sharing()
    for statement in statements:
        before = report.error_count
        if isinstance(statement, Implicit):
            for pair in PairReader(IMPLICIT, names, report).pairs(statement.items, {}):
                _state(pair, found, report)
        elif isinstance(statement, (VISol, SharedEqu)):
            keyword = VISOL if isinstance(statement, VISol) else SHAREDEQU
            for item in statement.items:
                _rows(keyword, item, found, names, report)
        if report.error_count > before:
            found.meant.update(_named(statement, names))
    _check_rows(found, report)
    return found


def _named(statement: Statement, names: Names) -> Iterator[Any]:
    for item in getattr(statement, "items", ()):
        found = names.find(item, {}) if isinstance(item, Reference) else None
        yield from (e.data for e in found.elements) if found is not None else ()


def _rows(keyword: str, item: Item, sharing: Sharing, names: Names, report: Report) -> None:
    if not isinstance(item, Reference):
        report.error("E2", f"`{keyword}` takes rows by name", item.span, f"`{keyword} row`, with the row that the agents share")
        return
    found = names.find(item, {})
    if found is None:
        return
    if found.kind != "row":
        said = f"`{found.text}` is {a_kind(found.kind)}, a row is expected after `{keyword}`"
        report.error("E2", said, found.span, "a variable that rows determine is declared by `implicit variable row`")
        return
    if item.negated:
        help = "drop the `-`; `dualvar p -row` gives the multiplier the other sign"
        report.error("E2", f"`-{found.text}`: a shared row cannot be flipped", found.span, help)
    for element in found.elements:
        taken = sharing.rows.get(element.data)
        if taken is not None:
            said = f"row `{element.data.name}` is declared by `{taken}` already"
            help = "`visol` is one multiplier for all agents, `sharedequ` one for each: keep one of them"
            report.error("E15", said, found.span, help)
        else:
            sharing.rows[element.data] = keyword
            sharing.spans[element.data] = found.span


def _state(pair: Pair, sharing: Sharing, report: Report) -> None:
    name, row = pair.variable.name, pair.row.name
    if pair.flipped:
        said = f"`-{row}`: the row that determines `{name}` is an equality, and flipping it changes nothing"
        report.error("E2", said, pair.row_span, "drop the `-`")
    elif pair.variable in sharing.states or any(p.row is pair.row for p in sharing.states.values()):
        said = f"`{name}` or row `{row}` is in another pair of `implicit` already"
        report.error("E3", said, pair.span, "each state variable has one row, and each row one variable")
    elif pair.variable.fixed or (pair.variable.lb is not None and pair.variable.lb == pair.variable.ub):
        said = f"`{name}` is fixed: there is nothing for row `{row}` to determine"
        report.error(
            "E2", said, pair.variable_span, "unfix it in the model, or leave the pair out and list the row with an agent"
        )
    elif not pair.variable.is_continuous():
        said = f"`{name}` is an integer or binary variable, and a state variable is a real number"
        report.error("E2", said, pair.variable_span, "declare it `within=Reals` in the model")
    elif not is_active(pair.row):
        said = f"row `{row}` is deactivated: nothing determines `{name}`"
        report.error("E7", said, pair.row_span, "activate it in the model")
    elif not pair.row.equality:
        said = f"row `{row}` is an inequality: it does not determine `{name}`"
        report.error("E7", said, pair.row_span, "name an equality, as in `z - h(x) == 0`")
    else:
        sharing.states[pair.variable] = pair


def _check_rows(sharing: Sharing, report: Report) -> None:
    """E7 for a row without any state variable, E15 for one that is declared as shared besides."""
    states = ComponentSet(sharing.states)
    for variable, pair in sharing.states.items():
        if not any(v in states for v in identify_variables(pair.row.body, include_fixed=False)):
            said = f"row `{pair.row.name}` does not contain `{variable.name}`: it cannot determine it"
            report.error("E7", said, pair.span, "name the row that says what the variable is")
        if pair.row in sharing.rows:
            said = f"row `{pair.row.name}` determines `{variable.name}` and is declared by `{sharing.rows[pair.row]}` as well"
            report.error("E15", said, sharing.spans[pair.row], "drop that: agents that list the variable have the row")
