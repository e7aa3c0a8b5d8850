"""From statements to agents in the making: what each one lists, before ownership is settled."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from bilevel_lang.errors import Span
from bilevel_lang.grammar.syntax import (
    DualVar,
    ForEach,
    Item,
    Number,
    Optimise,
    Reference,
    Statement,
    VariationalInequality,
    Wildcard,
)
from bilevel_lang.problem import AgentKind
from bilevel_lang.resolver.names import Bindings, Element, Found, Key, Names, spelled
from bilevel_lang.resolver.report import Report


@dataclass(eq=False)
class Listed:
    """One variable or row as an agent lists it."""

    data: Any
    span: Span
    flipped: bool = False


@dataclass(eq=False)
class DraftFunction:
    """One F_i of a VI: ``source`` is an Expression or ConstraintData, None for the zero function."""

    variable: Any
    source: Any
    span: Span
    flipped: bool = False


@dataclass(eq=False)
class Draft:
    """An agent as the annotation lists it; filled here, settled by the ownership rules."""

    kind: AgentKind
    span: Span
    where: str = ""
    objective: Any = None
    objective_kind: str = ""
    objective_span: Span | None = None
    variables: list[Listed] = field(default_factory=list)
    rows: list[Listed] = field(default_factory=list)
    functions: list[DraftFunction] = field(default_factory=list)
    wildcard: Span | None = None
    name: str = ""
    broken: bool = False
    """Whether a mistake was already reported inside it, so that follow-up complaints stay away."""


@dataclass(eq=False)
class Pair:
    """One ``dualvar`` pair: variable and row, element by element."""

    variable: Any
    row: Any
    span: Span
    flipped: bool


class Drafter:
    """Builds drafts from statements."""

    def __init__(self, names: Names, report: Report) -> None:
        self._names = names
        self._report = report
        # Looks ahead without complaining: what it does not find is reported when its turn comes.
        self._probe = Names(names.model, Report(report.source))

    def instances(self, statement: Statement) -> Iterator[tuple[Statement, Bindings]]:
        """The statement itself, or the one it governs once for every member of a ``for``."""
        if not isinstance(statement, ForEach):
            yield statement, {}
            return
        count = 0
        for bindings in self._bindings(statement, 0, {}):
            count += 1
            yield statement.statement, bindings
        if count == 0 and not any(d.severity == "error" for d in self._report.diagnostics):
            sets = ", ".join(f"`{spelled(b.set)}`" for b in statement.bindings)
            self._report.error("E18", f"{sets} has no members: there is no agent", statement.span)

    def _bindings(self, statement: ForEach, depth: int, bound: dict[str, Key]) -> Iterator[dict[str, Key]]:
        if depth == len(statement.bindings):
            yield dict(bound)
            return
        binding = statement.bindings[depth]
        for member in self._names.members(binding.set, bound) or ():
            yield from self._bindings(statement, depth + 1, {**bound, binding.name: member})

    def optimiser(self, statement: Optimise, bindings: Bindings) -> Draft:
        """A ``min`` or ``max`` agent."""
        draft = Draft(statement.sense, statement.span, _where(bindings))
        self._objective(draft, statement.objective, bindings)
        for item in statement.items:
            self._list_item(draft, item, bindings)
        return draft

    def _objective(self, draft: Draft, reference: Reference, bindings: Bindings) -> None:
        draft.objective_span = reference.span
        found = self._names.find(reference, bindings)
        if found is None:
            draft.broken = True
            return
        if reference.negated:
            self._report.error("E16", "an objective cannot be flipped", reference.span, "use `max` instead of `min`, or the reverse")
        if found.kind not in ("objective", "expression", "variable"):
            said = f"`{spelled(reference)}` is a {found.kind}, an objective is expected after `{draft.kind}`"
            self._report.error("E2", said, reference.span, "name an Objective, an Expression or an objective variable")
            draft.broken = True
        elif len(found.elements) != 1:
            said = f"`{spelled(reference)}` has {len(found.elements)} elements, an agent has one objective"
            help = f"give the element, or write `for i in I: {draft.kind} {reference.segments[-1].name}(i) ...`"
            self._report.error("E6", said, reference.span, help)
            draft.broken = True
        else:
            draft.objective = found.elements[0].data
            draft.objective_kind = found.kind

    def _list_item(self, draft: Draft, item: Item, bindings: Bindings) -> None:
        if isinstance(item, Wildcard):
            draft.wildcard = item.span
            return
        if isinstance(item, Number):
            self._number(draft, item)
            return
        found = self._names.find(item, bindings)
        if found is None:
            draft.broken = True
        elif found.kind == "variable":
            self._list_variables(draft, found)
        elif found.kind == "row":
            self._list_rows(draft, found)
        elif found.elements:
            self._wrong_kind(draft, found)

    def _number(self, draft: Draft, item: Number) -> None:
        self._report.error("E2", f"`{item.text}` is a number, a variable or a row is expected", item.span)
        draft.broken = True

    def _list_variables(self, draft: Draft, found: Found) -> None:
        if found.reference.negated:
            said = f"`-{spelled(found.reference)}`: only rows and functions can be flipped, this is a variable"
            self._report.error("E2", said, found.span, "drop the `-`")
        draft.variables += [Listed(e.data, found.span) for e in found.elements]

    def _list_rows(self, draft: Draft, found: Found) -> None:
        active = [e for e in found.elements if e.data.active]
        if len(active) < len(found.elements):
            off = len(found.elements) - len(active)
            said = f"{off} of the {len(found.elements)} elements of `{spelled(found.reference)}` are deactivated and left out"
            if len(found.elements) == 1:
                said = f"`{spelled(found.reference)}` is deactivated and left out"
            self._report.notice("E19", said, found.span)
        for element in active:
            if found.reference.negated and element.data.equality:
                said = f"`-{element.data.name}`: an equality cannot be flipped"
                self._report.error("E16", said, found.span, "drop the `-`; its multiplier is free either way")
            draft.rows.append(Listed(element.data, found.span, found.reference.negated))

    def _wrong_kind(self, draft: Draft, found: Found) -> None:
        expected = "a function or a variable" if draft.kind == "vi" else "a variable or a row"
        said = f"`{spelled(found.reference)}` is a {found.kind}, {expected} is expected here"
        help = "an agent has one objective: the first name after the keyword" if found.kind == "objective" else ""
        self._report.error("E2", said, found.span, help)
        draft.broken = True

    def variational_inequality(self, statement: VariationalInequality, bindings: Bindings) -> Draft:
        """A ``vi`` agent: zero-function variables, then pairs function variable, then rows."""
        draft = Draft("vi", statement.span, _where(bindings))
        items = list(statement.items)
        position = 0
        while position < len(items):
            position += self._vi_item(draft, items, position, bindings)
        return draft

    def _vi_item(self, draft: Draft, items: Sequence[Item], position: int, bindings: Bindings) -> int:
        """Take the item at ``position``, and its partner where it is a function; how many were taken."""
        item = items[position]
        if isinstance(item, Wildcard):
            draft.wildcard = item.span
            return 1
        if isinstance(item, Number):
            return self._zero_function(draft, items, position, bindings)
        found = self._names.find(item, bindings)
        if found is None:
            draft.broken = True
            # What follows may be its variable; without the name we cannot tell, so it is taken along silently.
            return 2 if self._is_variable(items, position + 1, bindings) else 1
        if found.kind == "variable":
            return self._zero_variables(draft, found)
        if found.kind not in ("row", "expression"):
            if found.elements:
                self._wrong_kind(draft, found)
            return 1
        if self._is_variable(items, position + 1, bindings):
            partner = items[position + 1]
            assert isinstance(partner, Reference)
            self._pair_functions(draft, found, self._names.find(partner, bindings))
            return 2
        if found.kind == "row":
            self._list_rows(draft, found)
        else:
            said = f"`{spelled(found.reference)}` is an expression: as a VI function it needs its variable after it"
            self._report.error("E7", said, found.span, f"write `{spelled(found.reference)} x` with the variable it is matched to")
            draft.broken = True
        return 1

    def _zero_function(self, draft: Draft, items: Sequence[Item], position: int, bindings: Bindings) -> int:
        item = items[position]
        assert isinstance(item, Number)
        if item.value != 0 or not self._is_variable(items, position + 1, bindings):
            said = f"`{item.text}`: the only number in a `vi` is the zero function `0`, followed by its variable"
            self._report.error("E7", said, item.span)
            draft.broken = True
            return 1
        partner = items[position + 1]
        assert isinstance(partner, Reference)
        found = self._names.find(partner, bindings)
        if found is not None:
            draft.functions += [DraftFunction(e.data, None, found.span) for e in found.elements]
        return 2

    def _zero_variables(self, draft: Draft, found: Found) -> int:
        if any(f.source is not None for f in draft.functions) or draft.rows:
            said = f"variable `{spelled(found.reference)}` has no function before it"
            help = "variables with the zero function come first; otherwise write the function, then its variable"
            self._report.error("E7", said, found.span, help)
            draft.broken = True
        draft.functions += [DraftFunction(e.data, None, found.span) for e in found.elements]
        return 1

    def _is_variable(self, items: Sequence[Item], position: int, bindings: Bindings) -> bool:
        if position >= len(items):
            return False
        item = items[position]
        if not isinstance(item, Reference):
            return False
        found = self._probe.find(item, bindings)
        return found is not None and found.kind == "variable"

    def _pair_functions(self, draft: Draft, functions: Found, variables: Found | None) -> None:
        if variables is None:
            draft.broken = True
            return
        if variables.reference.negated:
            said = f"`-{spelled(variables.reference)}`: the `-` belongs before the function"
            self._report.error("E2", said, variables.span)
        for function, variable in self._match(functions, variables, "function", "variable"):
            flipped = functions.reference.negated
            draft.functions.append(DraftFunction(variable.data, function.data, functions.span, flipped))

    def _match(self, left: Found, right: Found, left_word: str, right_word: str) -> list[tuple[Element, Element]]:
        """Pair members by the indices that both references leave open; E6 where the members differ."""
        by_key = {e.key: e for e in right.elements}
        if len(left.elements) == len(right.elements) and all(e.key in by_key for e in left.elements):
            return [(e, by_key[e.key]) for e in left.elements]
        lost = [e.data.name for e in left.elements if e.key not in by_key]
        keys = {e.key for e in left.elements}
        lost += [e.data.name for e in right.elements if e.key not in keys]
        said = (
            f"{left_word} `{spelled(left.reference)}` has {_members(left)}, {right_word} `{spelled(right.reference)}` has {_members(right)}"
        )
        help = "pairs are matched index by index; without a partner: " + ", ".join(f"`{n}`" for n in lost[:5])
        self._report.error("E6", said, right.span, help)
        return []

    def dual_pairs(self, statement: DualVar, bindings: Bindings) -> list[Pair]:
        """The pairs of a ``dualvar`` statement."""
        pairs: list[Pair] = []
        items = list(statement.items)
        for left, right in itertools.zip_longest(items[::2], items[1::2]):
            pairs += self._dual_pair(left, right, bindings)
        return pairs

    def _dual_pair(self, left: Item, right: Item | None, bindings: Bindings) -> list[Pair]:
        if right is None:
            self._report.error("E7", "`dualvar` takes pairs: a variable, then the row whose multiplier it is", left.span)
            return []
        if not (isinstance(left, Reference) and isinstance(right, Reference)):
            odd = left if not isinstance(left, Reference) else right
            self._report.error("E2", "`dualvar` takes a variable and a row by name", odd.span)
            return []
        variables, rows = self._names.find(left, bindings), self._names.find(right, bindings)
        if variables is None or rows is None:
            return []
        if not (self._expect(variables, "variable") and self._expect(rows, "row")):
            return []
        if left.negated:
            self._report.error("E2", f"`-{spelled(left)}`: the `-` belongs before the row", left.span)
            return []
        matched = self._match(variables, rows, "variable", "row")
        return [Pair(v.data, r.data, variables.span.to(rows.span), right.negated) for v, r in matched]

    def _expect(self, found: Found, kind: str) -> bool:
        if found.kind == kind:
            return True
        said = f"`{spelled(found.reference)}` is a {found.kind}, a {kind} is expected here"
        self._report.error("E2", said, found.span, "`dualvar` takes pairs: a variable, then its row")
        return False


def _where(bindings: Bindings) -> str:
    return ", ".join(f"{name} = {', '.join(map(str, key))}" for name, key in bindings.items())


def _members(found: Found) -> str:
    n = len(found.elements)
    return "1 element" if n == 1 else f"{n} elements"
