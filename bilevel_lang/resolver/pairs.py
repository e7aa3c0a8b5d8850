"""Statements that list pairs of a variable and a row (``dualvar``, ``implicit``), and what pairs the members of two symbols."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bilevel_lang.errors import Span
from bilevel_lang.grammar.leaves import Item, Reference
from bilevel_lang.resolver.elements import Bindings, Element
from bilevel_lang.resolver.kinds import a_kind
from bilevel_lang.resolver.names import Found, Names
from bilevel_lang.resolver.report import Report


@dataclass(eq=False)
class Pair:
    """One pair, element by element; ``text`` is the row as the annotation spells it."""

    variable: Any
    row: Any
    span: Span
    flipped: bool
    text: str = ""
    variable_span: Span | None = None
    row_span: Span | None = None


@dataclass(frozen=True, slots=True)
class PairWords:
    """How messages speak of a statement: its keyword, and what the row is to the variable."""

    keyword: str
    row: str


DUALVAR = PairWords("dualvar", "the row whose multiplier it is")
IMPLICIT = PairWords("implicit", "the equality row that determines it")


class PairReader:
    """Reads the items of one kind of statement as pairs; E2, E6 and E7 for what is none."""

    def __init__(self, words: PairWords, names: Names, report: Report) -> None:
        self._words = words
        self._names = names
        self._report = report

    def pairs(self, items: Sequence[Item], bindings: Bindings) -> list[Pair]:
        """The pairs that stand."""
        found: list[Pair] = []
        for left, right in itertools.zip_longest(items[::2], items[1::2]):
            found += self._pair(left, right, bindings)
        return found

    def _pair(self, left: Item, right: Item | None, bindings: Bindings) -> list[Pair]:
        keyword = self._words.keyword
        for item in (left, right):
            if item is not None and not isinstance(item, Reference):
                said = f"`{keyword}` takes a variable and a row by name"
                self._report.error("E2", said, item.span, f"`{keyword} p row` for each pair")
                return []
        assert isinstance(left, Reference)
        variables = self._names.find(left, bindings)
        if right is None:
            if variables is not None:
                said = f"`{variables.text}` has no partner: `{keyword}` takes pairs"
                self._report.error("E7", said, left.span, f"a variable, then {self._words.row}")
            return []
        assert isinstance(right, Reference)
        rows = self._names.find(right, bindings)
        if variables is None or rows is None or not self._right_kinds(variables, rows):
            return []
        if left.negated:
            help = f"write `{keyword} {variables.text} -{rows.text}`"
            self._report.error("E2", f"`-{variables.text}`: the `-` belongs before the row", left.span, help)
            return []
        span = variables.span.to(rows.span)
        matched = match(variables, rows, "variable", "row", self._report)
        return [Pair(v.data, r.data, span, right.negated, rows.text, variables.span, rows.span) for v, r in matched]

    def _right_kinds(self, variables: Found, rows: Found) -> bool:
        if (variables.kind, rows.kind) == ("row", "variable"):
            help = f"write `{self._words.keyword} {rows.text} {variables.text}`"
            self._report.error("E2", "the variable comes first, then its row", variables.span.to(rows.span), help)
            return False
        return all([self._expect(variables, "variable"), self._expect(rows, "row")])

    def _expect(self, found: Found, kind: str) -> bool:
        if found.kind == kind:
            return True
        said = f"`{found.text}` is {a_kind(found.kind)}, a {kind} is expected here"
        self._report.error("E2", said, found.span, f"`{self._words.keyword}` takes pairs: a variable, then its row")
        return False


def match(left: Found, right: Found, left_word: str, right_word: str, report: Report) -> list[tuple[Element, Element]]:
    """Pair members by the indices that both references leave open; E6 where the members differ."""
    by_key = {e.key: e for e in right.elements}
    if len(left.elements) == len(right.elements) and all(e.key in by_key for e in left.elements):
        return [(e, by_key[e.key]) for e in left.elements]
    keys = {e.key for e in left.elements}
    lost = [e.data.name for e in left.elements if e.key not in by_key]
    lost += [e.data.name for e in right.elements if e.key not in keys]
    said = f"{left_word} `{left.text}` has {members(left)}, {right_word} `{right.text}` has {members(right)}"
    if len(left.elements) == len(right.elements):
        said = f"{left_word} `{left.text}` and {right_word} `{right.text}` have different indices"
    shown = ", ".join(f"`{n}`" for n in lost[:4]) + (f" and {len(lost) - 4} more" if len(lost) > 4 else "")
    report.error("E6", said, left.span.to(right.span), f"pairs are made index by index; without a partner: {shown}")
    return []


def members(found: Found) -> str:
    """How many members a reference names, in words."""
    n = len(found.elements)
    return "1 element" if n == 1 else f"{n} elements"
