"""``disjunction`` and ``default``: alternatives of rows, of which exactly one is chosen.

The rows are the leader's (or an ordinary model's): a choice is an integer decision, and agents are rewritten by conditions that
do not hold for those. An indicator over a set stands for one disjunction for each member, with the rows matched index by index.

Source: LogMIP 2.0 language pages, "Disjunction Definition"; GAMS manual, EMP, "Disjunctive Programming".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from bilevel_lang.errors import Span
from bilevel_lang.grammar.leaves import Reference, Wildcard
from bilevel_lang.grammar.syntax import Branch, Default, EmpInfo, Reform
from bilevel_lang.grammar.syntax import Disjunction as Statement
from bilevel_lang.problem import Disjunct, Disjunction, Row, Structure
from bilevel_lang.resolver.activity import bounds_known, is_active
from bilevel_lang.resolver.elements import Element, Key
from bilevel_lang.resolver.kinds import a_kind
from bilevel_lang.resolver.names import Found, Names
from bilevel_lang.resolver.ownership import LEADER, Ownership
from bilevel_lang.resolver.report import Report
from bilevel_lang.resolver.structure import Outline

CONVEX_HULL = Reform("chull")
"""What a disjunction is rewritten by where the annotation names nothing."""


@dataclass(frozen=True, eq=False)
class _Branch:
    """A branch whose names are found: ``indicator`` None for ``*`` and ``else``."""

    syntax: Branch
    indicator: Found | None
    rows: tuple[Found, ...]


class Disjunctions:
    """Reads the ``disjunction`` statements of one annotation; the rows in them are entered in the books as no agent's."""

    def __init__(self, plan: Outline, names: Names, books: Ownership, report: Report) -> None:
        self.plan = plan
        self.names = names
        self.books = books
        self.report = report
        self.reform = CONVEX_HULL
        self._seen: dict[int, Span] = {}

    def read(self, info: EmpInfo) -> tuple[Disjunction, ...]:
        """All disjunctions, members of sets one by one. Reports E1, E2, E3, E6, E13, E17 and E22."""
        self._default([s for s in info.statements if isinstance(s, Default)])
        found: list[Disjunction] = []
        for statement in info.statements:
            if isinstance(statement, Statement):
                found += self._disjunctions(statement)
        return tuple(found)

    def _default(self, defaults: Sequence[Default]) -> None:
        for again in defaults[1:]:
            help = f"the first one is on line {defaults[0].span.line}; a disjunction may name its own: `disjunction bigm 100 ...`"
            self.report.error("E17", "a second `default`", again.span, help)
        if defaults:
            self._check_number(defaults[0].reform)
            self.reform = defaults[0].reform

    def _check_number(self, reform: Reform) -> None:
        value = reform.value
        if value is None:
            return
        if reform.name == "chull" and not 0 < value.value < 1:
            said = f"the epsilon of `chull` lies between 0 and 1, {value.text} does not"
            self.report.error("E22", said, value.span, "leave it out, or give something like 1e-4")
        elif reform.name == "bigm" and value.value <= 0:
            self.report.error("E22", f"M is {value.text}, a bound > 0 is needed", value.span, "leave it out, and M is derived")

    def _disjunctions(self, statement: Statement) -> Iterator[Disjunction]:
        if self.plan.structure is Structure.EQUILIBRIUM:
            said = "a disjunction needs somebody who chooses: a leader, or an ordinary model without agents"
            self.report.error("E22", said, statement.span, "no agent of an equilibrium can: take it out")
            return
        if len(statement.branches) == 1:
            help = "write what holds otherwise: `elseif ...`, `else rows`, or a lone `else` if nothing does"
            self.report.error("E22", "a disjunction with one branch is no choice", statement.span, help)
            return
        reform = statement.reform or self.reform
        if statement.reform is not None:
            self._check_number(statement.reform)
        branches = self._branches(statement)
        if branches is None:
            return
        for key in self._keys(branches):
            name = f"disjunction on line {statement.span.line}"
            name += f" ({', '.join(map(str, key))})" if key else ""
            disjuncts = tuple(self._disjunct(branch, key, name) for branch in branches)
            value = None if reform.value is None else reform.value.value
            yield Disjunction(name, disjuncts, reform.name, value, statement.span)

    def _branches(self, statement: Statement) -> list[_Branch] | None:
        """The branches with their names found; None after an error was reported."""
        branches, sound = [], True
        for branch in statement.branches:
            indicator = self._indicator(branch)
            rows = [self._rows(item) for item in branch.rows]
            sound = sound and None not in rows and (indicator is not None or not isinstance(branch.indicator, Reference))
            branches.append(_Branch(branch, indicator, tuple(r for r in rows if r is not None)))
        return branches if sound else None

    def _indicator(self, branch: Branch) -> Found | None:
        if not isinstance(branch.indicator, Reference):
            return None
        found = self.names.find(branch.indicator, {})
        if found is None:
            return None
        if found.kind != "variable":
            help = "name a binary variable of the model, or write `*` for one that is made up"
            said = f"`{found.text}` is {a_kind(found.kind)}, the indicator of the branch is expected here"
            self.report.error("E2", said, found.span, help)
            return None
        if branch.indicator.negated:
            said = f"`-{found.text}`: an indicator is negated by a word"
            self.report.error("E22", said, found.span, f"write `not {found.text}`")
            return None
        sound = [self._is_indicator(e.data, found) for e in found.elements]
        return found if all(sound) else None

    def _is_indicator(self, data: Any, found: Found) -> bool:
        owner = self.books.variables.get(data, LEADER)
        if not (data.is_integer() and data.lb is not None and data.lb >= 0 and data.ub is not None and data.ub <= 1):
            said = f"`{data.name}` is not binary, so it cannot say which branch is chosen"
            self.report.error("E22", said, found.span, "declare it with `domain=Binary`, or write `*` for one that is made up")
        elif owner != LEADER:
            said = f"`{data.name}` belongs to `{owner}`, and the indicator of a branch is the leader's decision"
            self.report.error("E22", said, found.span, "take a variable that no agent lists, or write `*`")
        else:
            return True
        return False

    def _rows(self, item: Any) -> Found | None:
        if not isinstance(item, Reference):
            star = isinstance(item, Wildcard)
            said = "`*` stands for an indicator, and it comes after a row here" if star else "a row is expected here"
            self.report.error("E2", said, item.span, "list the rows of a branch by name; a new branch begins with `elseif`")
            return None
        found = self.names.find(item, {})
        if found is not None and found.kind != "row":
            help = "after the indicator come rows; a new branch begins with `elseif`"
            self.report.error("E2", f"`{found.text}` is {a_kind(found.kind)}, a row is expected here", found.span, help)
            return None
        return found

    def _keys(self, branches: list[_Branch]) -> list[Key]:
        """One key for each disjunction: those of the indicators that have several elements, or the empty one."""
        several = [b.indicator for b in branches if b.indicator is not None and _has_members(b.indicator)]
        if not several:
            return [()]
        keys = [e.key for e in several[0].elements]
        known, sound = set(keys), True
        for found in [f for b in branches for f in (b.indicator, *b.rows) if f is not None]:
            if {e.key for e in found.elements} != known:
                said = f"`{found.text}` has other indices than the indicator `{several[0].text}`"
                help = "an indicator over a set stands for one disjunction for each member: index everything in it over that set"
                self.report.error("E6", said, found.span, help)
                sound = False
        return keys if sound else []

    def _disjunct(self, branch: _Branch, key: Key, name: str) -> Disjunct:
        elements = [(e, found) for found in branch.rows for e in _of(found, key)]
        rows = tuple(self._row(e.data, found, name) for e, found in elements if self._is_free(e.data, found, name))
        label = "else" if branch.syntax.indicator is None else "*"
        indicator = None
        if branch.indicator is not None:
            indicator = _of(branch.indicator, key)[0].data
            label = f"not {indicator.name}" if branch.syntax.negated else indicator.name
            if indicator not in self.books.variables:
                self.books.claim_variable(indicator, LEADER, branch.indicator.span)
        elif branch.syntax.negated:
            said = "`not *`: nothing is known about an indicator that is made up"
            self.report.error("E22", said, branch.syntax.span, "write `*` alone")
        return Disjunct(label, indicator, branch.syntax.negated, rows)

    def _row(self, data: Any, found: Found, name: str) -> Row:
        self._seen[id(data)] = found.span
        self.books.claim_row(data, f"the {name}", found.span)
        return Row(data.name, data.body, data.lb, data.ub, data, found.span)

    def _is_free(self, data: Any, found: Found, name: str) -> bool:
        """Whether a row can go into a branch; False after a notice or an error."""
        owner = self.books.rows.get(data)
        if not is_active(data):
            self.report.notice("E19", f"`{data.name}` is deactivated and left out", found.span)
        elif not bounds_known(data):
            said = f"a bound of row `{data.name}` has no value: a parameter in it is not set"
            self.report.error("M1", said, found.span, "give the parameter a value in the model")
        elif id(data) in self._seen:
            said = f"row `{data.name}` is in two branches (line {self._seen[id(data)].line})"
            help = "a row of several branches is written once for each; one that always holds is in none"
            self.report.error("E3", said, found.span, help)
        elif owner is not None:
            said = f"row `{data.name}` belongs to `{owner}`: which branch holds would be an integer decision of an agent"
            help = "a disjunction takes rows that no agent lists: they are the leader's"
            self.report.error("E13", said, found.span, help)
        else:
            return True
        return False


def _has_members(found: Found) -> bool:
    return len(found.elements) != 1 or found.elements[0].key != ()


def _of(found: Found, key: Key) -> list[Element]:
    """The elements of one member; all of them where there is one disjunction only."""
    return [e for e in found.elements if e.key == key] if key else list(found.elements)
