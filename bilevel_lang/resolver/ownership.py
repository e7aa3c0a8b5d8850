"""Who owns what: every variable and every row has one owner, the leader takes the rest."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any

import pyomo.environ as pyo
from pyomo.common.collections import ComponentMap

from bilevel_lang.errors import Span
from bilevel_lang.resolver.drafts import Draft
from bilevel_lang.resolver.report import Report
from bilevel_lang.resolver.sharing import Sharing

LEADER = "the leader"


class Owners:
    """Component of one model -> its owner, by identity: a ``ComponentMap`` in a third of its time."""

    def __init__(self) -> None:
        self._owners: dict[int, str] = {}

    def __contains__(self, data: Any) -> bool:
        return id(data) in self._owners

    def __getitem__(self, data: Any) -> str:
        return self._owners[id(data)]

    def __setitem__(self, data: Any, owner: str) -> None:
        self._owners[id(data)] = owner

    def __delitem__(self, data: Any) -> None:
        del self._owners[id(data)]

    def get(self, data: Any, default: Any = None) -> Any:
        """The owner, or ``default`` where there is none."""
        return self._owners.get(id(data), default)

    def setdefault(self, data: Any, owner: str) -> None:
        """Enter an owner where there is none."""
        self._owners.setdefault(id(data), owner)

    def without(self, components: Iterable[Any]) -> list[Any]:
        """Those that nobody owns."""
        owners = self._owners
        return [c for c in components if id(c) not in owners]


class Ownership:
    """The books: variable -> owner and row -> owner, with where each was claimed."""

    def __init__(self, model: Any, report: Report, sharing: Sharing | None = None) -> None:
        self.model = model
        self._report = report
        self.sharing = sharing or Sharing()
        self.sharers: ComponentMap = ComponentMap()
        """What several agents list -> their names."""
        self._state_rows = self.sharing.state_rows
        self.variables = Owners()
        self.rows = Owners()
        self._where: dict[int, Span | None] = {}

    def claim_variable(self, data: Any, owner: str, span: Span | None) -> bool:
        """Enter an owner; False after E3 was reported. A state variable may have several agents."""
        taken = self.variables.get(data)
        if taken is not None and self._may_have_several(data) and _is_agent(owner) and _is_agent(taken):
            return self._join("variable", data, owner, span)
        if taken is None:
            self.variables[data] = owner
            self._where[id(data)] = span
            return True
        self._claimed_twice("E3", "variable", data, taken, owner, span)
        return False

    def claim_row(self, data: Any, owner: str, span: Span | None) -> bool:
        """Enter an owner; False after E3 (twice by one agent) or E15 (not declared as shared) was reported."""
        taken = self.rows.get(data)
        if taken is not None and (self._may_have_several(data) or data in self._state_rows):
            return self._join("row", data, owner, span)
        if taken is None:
            self.rows[data] = owner
            self._where[id(data)] = span
            return True
        self._claimed_twice("E3" if taken == owner else "E15", "row", data, taken, owner, span)
        return False

    def _may_have_several(self, data: Any) -> bool:
        return self.sharing.covers((data,))

    def _join(self, word: str, data: Any, owner: str, span: Span | None) -> bool:
        """Enter one more owner of what was declared as shared."""
        books = self.variables if word == "variable" else self.rows
        others = self.sharers.setdefault(data, [books[data]])
        if owner in others:
            self._claimed_twice("E3", word, data, owner, owner, span)
            return False
        others.append(owner)
        return True

    def where(self, data: Any) -> str:
        """Where a component was claimed, in parentheses; empty where no place is known."""
        span = self._where.get(id(data))
        return f" (line {span.line}, column {span.column})" if span else ""

    def _claimed_twice(self, code: str, word: str, data: Any, taken: str, owner: str, span: Span | None) -> None:
        if taken == owner:
            self._report.error(code, f"{word} `{data.name}` is listed twice by {_said(owner)}", span, "list it once")
            return
        said = f"{word} `{data.name}` belongs to {_said(taken)}{self.where(data)}, and {_said(owner)} lists it too"
        help = "every variable has one owner; the others use it in their rows without listing it"
        if code == "E15":
            help = (
                f"to share it, write `visol {data.name}` (one multiplier for all) or `sharedequ {data.name}` (one for each); "
                "else give each agent a row of its own"
            )
        elif "twin of" in owner + taken:
            help = "a twin takes the value of its variable: list it nowhere else"
        elif data in self.sharing.states:
            help = "a state variable is determined by its row: the agents that account for it list it, and nobody else"
        elif "dualvar" in owner + taken:
            help = "a multiplier is nobody's decision: list it with `dualvar` only"
        self._report.error(code, said, span, help)

    def rest_of_rows(self) -> list[Any]:
        """Active rows that nobody lists."""
        return self.rows.without(self.active_rows)

    @cached_property
    def active_rows(self) -> list[Any]:
        """All active rows of the model."""
        return list(self.model.component_data_objects(pyo.Constraint, active=True))


def _is_agent(owner: str) -> bool:
    """Whether an owner is an agent: neither the leader nor a role such as the twin of a variable."""
    return owner != LEADER and "`" not in owner


def _said(owner: str) -> str:
    """An owner in a message: an agent's name, which is EMP text, in back-quotes."""
    return owner if owner == LEADER or "`" in owner else f"`{owner}`"


def claim_listed(draft: Draft, books: Ownership) -> None:
    """Enter what an agent lists itself."""
    functions = []
    for function in draft.functions:
        if books.claim_variable(function.variable, draft.name, function.span):
            functions.append(function)
        else:
            draft.broken = True
        if function.twin is not None:
            owner = f"`{draft.name}`, as the twin of `{function.variable.name}`"
            draft.broken = not books.claim_variable(function.twin, owner, function.span) or draft.broken
        if function.source is not None and function.source.ctype is pyo.Constraint:
            books.claim_row(function.source, draft.name, function.span)
    draft.functions = functions
    kept = []
    for listed in draft.variables:
        if listed.data is draft.objective:
            continue  # `min z z y`: the objective variable is the agent's already
        if books.claim_variable(listed.data, draft.name, listed.span):
            kept.append(listed)
        else:
            draft.broken = True
    draft.variables = kept
    draft.rows = [row for row in draft.rows if books.claim_row(row.data, draft.name, row.span)]
