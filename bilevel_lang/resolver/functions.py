"""``vi`` statements: variables with the zero function, pairs of a function and its variable, then rows.

Where one ends and the next begins is not in the text: a function is told from a row by the variable that follows it.
"""

from __future__ import annotations

from collections.abc import Sequence

from bilevel_lang.grammar.leaves import Item, Number, Reference, Wildcard
from bilevel_lang.grammar.syntax import VariationalInequality
from bilevel_lang.resolver.activity import is_active
from bilevel_lang.resolver.drafts import Draft, Drafter, DraftFunction, where
from bilevel_lang.resolver.elements import Bindings
from bilevel_lang.resolver.names import Found, Names
from bilevel_lang.resolver.pairs import match
from bilevel_lang.resolver.report import Report


class FunctionDrafter:
    """Builds the drafts of ``vi`` agents."""

    def __init__(self, drafter: Drafter) -> None:
        self._drafter = drafter
        self._names = drafter.names
        self._report = drafter.report
        # Looks ahead without complaining: what it does not find is reported when its turn comes.
        self._probe = Names(drafter.names.model, Report(drafter.report.source))

    def variational_inequality(self, statement: VariationalInequality, bindings: Bindings, keyword: str = "vi") -> Draft:
        """A ``vi`` agent, or one that is written with another ``keyword``."""
        draft = Draft("vi", statement.span, where(bindings), keyword=keyword)
        items = list(statement.items)
        position = 0
        while position < len(items):
            position += self.take(draft, items, position, bindings)
        if not draft.functions and draft.wildcard is None and not draft.broken:
            what = "without a function or a variable" if items else "with nothing in it"
            help = f"write `{keyword} function variable`" + (", and constraints after the pairs" if keyword == "vi" else "")
            self._report.error("E18", f"a `{keyword}` {what}", statement.span, help)
            draft.broken = True
        return draft

    def take(self, draft: Draft, items: Sequence[Item], position: int, bindings: Bindings) -> int:
        """Take the item at ``position``, and its partner where it is a function; how many were taken."""
        item = items[position]
        if isinstance(item, Wildcard):
            late = any(f.source is not None for f in draft.functions) or bool(draft.rows)
            self._drafter.take_wildcard(draft, item, late)
            return 1
        partner = self.partner(items, position + 1, bindings)
        # Several agents may share a function; its variable, or a row, has one owner.
        owned = partner or item
        if isinstance(owned, Reference) and self._drafter.is_repeated(owned, bindings):
            draft.broken = True
            return 1 if partner is None else 2
        if isinstance(item, Number):
            return self._zero_function(draft, item, partner, bindings)
        found = self._names.find(item, bindings)
        if found is not None and found.kind == "variable":
            return self._zero_variables(draft, found)
        if found is not None and found.kind == "row" and partner is None:
            self._drafter.list_rows(draft, found)
            return 1
        if found is None or found.kind not in ("row", "expression"):
            if found is not None:
                self._drafter.wrong_kind(draft, found)
            draft.broken = True
        elif partner is None:
            self._lonely(draft, found)
        else:
            self._pair(draft, found, self._names.find(partner, bindings))
        # A variable after something that is no function was meant for it: no second complaint about the same slip.
        return 1 if partner is None else 2

    def partner(self, items: Sequence[Item], position: int, bindings: Bindings) -> Reference | None:
        """The reference at ``position`` if it names a variable, or nothing at all: then it may well be meant to."""
        item = items[position] if position < len(items) else None
        if not isinstance(item, Reference):
            return None
        found = self._probe.find(item, bindings)
        return item if found is None or found.kind == "variable" else None

    def _zero_function(self, draft: Draft, item: Number, partner: Reference | None, bindings: Bindings) -> int:
        if item.value != 0 or partner is None:
            said = f"`{item.text}`: the only number in a `vi` is the zero function `0`, with its variable after it"
            self._report.error("E7", said, item.span, "write `0 x`, or name the function as an Expression of the model")
            draft.broken = True
            return 1 if partner is None else 2
        found = self._names.find(partner, bindings)
        if found is None:
            draft.broken = True
        else:
            draft.functions += [DraftFunction(e.data, None, found.span) for e in found.elements]
        return 2

    def _zero_variables(self, draft: Draft, found: Found) -> int:
        if found.reference.negated:
            said = f"`-{found.text}`: only rows and functions can be flipped, `{found.text}` is a variable"
            self._report.error("E2", said, found.span, "drop the `-`")
            draft.broken = True
        elif any(f.source is not None for f in draft.functions) or draft.rows:
            said = f"variable `{found.text}` has no function before it"
            help = f"write its function before it; if that is zero, write `0 {found.text}` or list it right after `vi`"
            self._report.error("E7", said, found.span, help)
            draft.broken = True
        draft.functions += [DraftFunction(e.data, None, found.span) for e in found.elements]
        return 1

    def _lonely(self, draft: Draft, found: Found) -> None:
        said = f"`{found.text}` is an expression: as a function it needs its variable after it"
        help = f"write `{found.text} x` with the variable it is matched to; a constraint of the `vi` has to be a row"
        self._report.error("E7", said, found.span, help)
        draft.broken = True

    def _pair(self, draft: Draft, functions: Found, variables: Found | None) -> None:
        if variables is None:
            draft.broken = True
            return
        if variables.reference.negated:
            said = f"`-{variables.text}`: the `-` belongs before the function"
            self._report.error("E2", said, variables.span, f"write `-{functions.text} {variables.text}`")
            draft.broken = True
        pairs = match(functions, variables, "function", "variable", self._report)
        draft.broken = draft.broken or not pairs
        for function, variable in pairs:
            if functions.kind == "row" and not self._drafter.has_known_bounds(draft, "row", function.data, functions):
                continue
            if functions.kind == "row" and not is_active(function.data):
                said = f"`{functions.text}` is deactivated; it serves as the function of its variable all the same"
                self._report.notice("E19", said, functions.span)
            if functions.kind == "expression" and function.data.expr is None:
                self._report.error(
                    "M1", f"expression `{function.data.name}` has no expression", functions.span, "give it one in the model"
                )
                draft.broken = True
                continue
            draft.functions.append(DraftFunction(variable.data, function.data, functions.span, functions.reference.negated))
