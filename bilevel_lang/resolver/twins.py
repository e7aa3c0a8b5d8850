"""``qvi`` statements: triples of a function, its variable and the variable's twin in the rows, then rows.

The twin makes the feasible set depend on the solution itself: K(x) holds the y with ``g(y, x) >= 0``, and x = y at a solution.
"""

from __future__ import annotations

from collections.abc import Sequence

from bilevel_lang.grammar.leaves import Item, Number, Reference, Wildcard
from bilevel_lang.grammar.syntax import QuasiVariationalInequality
from bilevel_lang.resolver.drafts import Draft, Drafter, DraftFunction, where
from bilevel_lang.resolver.elements import Bindings
from bilevel_lang.resolver.functions import FunctionDrafter
from bilevel_lang.resolver.names import Found
from bilevel_lang.resolver.pairs import match

FORM = "write `qvi function variable twin`, and constraints after the triples"


class TwinDrafter:
    """Builds the drafts of ``qvi`` agents: those of ``vi``, with a twin after every variable."""

    def __init__(self, drafter: Drafter, functions: FunctionDrafter) -> None:
        self._names = drafter.names
        self._report = drafter.report
        self._functions = functions

    def quasi_variational_inequality(self, statement: QuasiVariationalInequality, bindings: Bindings) -> Draft:
        """A ``qvi`` agent."""
        draft = Draft("vi", statement.span, where(bindings), keyword="qvi")
        items = list(statement.items)
        position = 0
        while position < len(items):
            position += self._item(draft, items, position, bindings)
        if not draft.functions and not draft.broken:
            what = "without a function" if items else "with nothing in it"
            self._report.error("E18", f"a `qvi` {what}", statement.span, FORM)
            draft.broken = True
        return draft

    def _item(self, draft: Draft, items: Sequence[Item], position: int, bindings: Bindings) -> int:
        """Take a row, or a function with its variable and twin; how many items were taken."""
        item = items[position]
        if isinstance(item, Wildcard):
            self._report.error("E5", "`*` in a `qvi`: what it stands for would have no twin", item.span, FORM)
            draft.broken = True
            return 1
        variable = self._functions.partner(items, position + 1, bindings)
        if variable is None:
            return self._alone(draft, items, position, bindings)
        before = len(draft.functions)
        taken = self._functions.take(draft, items, position, bindings)
        if taken != 2:
            return taken
        twin = self._functions.partner(items, position + 2, bindings)
        if twin is None:
            said = f"`{_text(item)} {_text(variable)}` has no twin: `qvi` takes triples"
            self._report.error("E7", said, item.span.to(variable.span), f"{FORM}; where the rows need no twin, write `vi`")
            draft.broken = True
            return 2
        self._pair_up(draft, draft.functions[before:], variable, twin, bindings)
        return 3

    def _alone(self, draft: Draft, items: Sequence[Item], position: int, bindings: Bindings) -> int:
        """An item without a variable after it: a row, or a mistake. A variable has no function here, not even zero."""
        item = items[position]
        found = self._names.find(item, bindings) if isinstance(item, Reference) else None
        if found is not None and found.kind == "variable":
            said = f"variable `{found.text}` has no function before it"
            self._report.error("E7", said, found.span, f"{FORM}; the function may be `0`")
            draft.broken = True
            return 1
        return self._functions.take(draft, items, position, bindings)

    def _pair_up(
        self, draft: Draft, functions: list[DraftFunction], variable: Reference, twin: Reference, bindings: Bindings
    ) -> None:
        variables, twins = self._names.find(variable, bindings), self._names.find(twin, bindings)
        if variables is None or twins is None or not self._sound(variables, twins):
            draft.broken = True
            return
        partners = {id(v.data): t.data for v, t in match(variables, twins, "variable", "twin", self._report)}
        draft.broken = draft.broken or not partners
        for function in functions:
            function.twin = partners.get(id(function.variable))

    def _sound(self, variables: Found, twins: Found) -> bool:
        """E2 and E3 for what cannot be a twin."""
        if twins.reference.negated:
            said = f"`-{twins.text}`: only rows and functions can be flipped, `{twins.text}` is a variable"
            self._report.error("E2", said, twins.span, "drop the `-`")
            return False
        own = {id(e.data) for e in variables.elements}
        for element in twins.elements:
            if id(element.data) in own:
                said = f"`{element.data.name}` is a variable of the `qvi` and cannot be its twin as well"
                help = "the twin is another variable of the model, used in the rows; without one, write `vi`"
                self._report.error("E3", said, twins.span, help)
                return False
            if element.data.fixed:
                said = f"`{element.data.name}` is fixed, and a twin takes the value of its variable"
                self._report.error("E2", said, twins.span, "unfix it in the model")
                return False
        return True


def _text(item: Item) -> str:
    if isinstance(item, Number):
        return item.text
    assert isinstance(item, Reference)
    return ("-" if item.negated else "") + ".".join(segment.name for segment in item.segments)
