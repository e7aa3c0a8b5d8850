"""Who owns what: every variable and every row has one owner, wildcards take what is left, the leader takes the rest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any

import pyomo.environ as pyo
from pyomo.common.collections import ComponentMap, ComponentSet
from pyomo.mpec import Complementarity

from bilevel_lang.components.walking import Met, variables_in
from bilevel_lang.errors import Span
from bilevel_lang.problem import Structure
from bilevel_lang.resolver.drafts import Draft, DraftFunction, Listed
from bilevel_lang.resolver.pairs import Pair
from bilevel_lang.resolver.report import Report
from bilevel_lang.resolver.sharing import Sharing
from bilevel_lang.resolver.structure import Outline

LEADER = "the leader"
NAMES_SHOWN = 6
TEXT_SHOWN = 60


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


def draft_expressions(draft: Draft) -> Iterator[Any]:
    """All expressions an agent owns: objective, rows, VI functions."""
    if draft.objective is not None:
        yield draft.objective if draft.objective_kind == "variable" else draft.objective.expr
    for row in draft.rows:
        yield row.data.body
    for function in draft.functions:
        if function.source is not None:
            yield function_expression(function)


def function_expression(function: DraftFunction) -> Any:
    """F of a VI pair: an Expression as it is, a row as stored body minus bound; negated where flipped."""
    source = function.source
    expression = source.expr if source.ctype is pyo.Expression else row_function(source)
    return -expression if function.flipped else expression


def row_function(row: Any) -> Any:
    """Stored body minus its bound (lower for >= and ==, upper for <=)."""
    bound = row.lb if row.lb is not None else row.ub
    return row.body - bound if bound else row.body + 0


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


def expand_wildcards(
    drafts: list[Draft], books: Ownership, excluded: ComponentSet, report: Report
) -> list[tuple[str, tuple[str, ...]]]:
    """Give every agent with ``*`` its variables; report E5 where two of them meet. Returns what each got, for ``--check``."""
    starred = [d for d in drafts if d.wildcard is not None]
    wanted = [(draft, _candidates(draft, books, excluded)) for draft in starred]
    if len(starred) == 1:
        wanted[0][1].update(_in_no_row(drafts, books, excluded))
    claims: ComponentMap = ComponentMap()
    expansion = []
    for draft, candidates in wanted:
        mine = []
        for data in candidates:
            if data in claims:
                said = f"`*` of {claims[data].quoted} and `*` of {draft.quoted} both reach variable `{data.name}`"
                report.error("E5", said, draft.wildcard, "list the variables of both agents by name")
            else:
                claims[data] = draft
                mine.append(data)
        expansion.append((draft.name, tuple(v.name for v in mine)))
        _give(draft, mine, books)
    return expansion


def _give(draft: Draft, variables: list[Any], books: Ownership) -> None:
    assert draft.wildcard is not None
    for data in variables:
        books.claim_variable(data, draft.name, draft.wildcard)
        if draft.kind == "vi":
            draft.functions.append(DraftFunction(data, None, draft.wildcard))
        else:
            draft.variables.append(Listed(data, draft.wildcard))


def _candidates(draft: Draft, books: Ownership, excluded: ComponentSet) -> ComponentSet:
    found = ComponentSet()
    for expression in draft_expressions(draft):
        found.update(v for v in variables_in(expression) if v not in books.variables and v not in excluded)
    return found


def _in_no_row(drafts: list[Draft], books: Ownership, excluded: ComponentSet) -> Iterator[Any]:
    used = used_variables(books.model, drafts)
    for data in books.model.component_data_objects(pyo.Var, active=True):
        if not data.fixed and data not in used and data not in books.variables and data not in excluded:
            yield data


def used_variables(model: Any, drafts: Iterable[Draft]) -> Met:
    """Variables that appear in an active row, an active objective, a complementarity condition or anything an agent owns."""
    used = Met()
    for row in model.component_data_objects(pyo.Constraint, active=True):
        used.meet(row.body)
    return used_elsewhere(model, drafts, used)


def used_elsewhere(model: Any, drafts: Iterable[Draft], used: Met) -> Met:
    """``used``, which knows the variables of all active rows, with those that appear anywhere else."""
    for objective in model.component_data_objects(pyo.Objective, active=True):
        used.meet(objective.expr)
    for condition in model.component_data_objects(Complementarity, active=True):
        for side in condition._args:
            used.meet(side)
    for draft in drafts:
        # Listed rows are active and are in `used`: an agent's objective and functions may be Expressions.
        if draft.objective is not None:
            used.meet(draft.objective if draft.objective_kind == "variable" else draft.objective.expr)
        for function in draft.functions:
            if function.source is not None:
                used.meet(function_expression(function))
    return used


def check_complete(plan: Outline, drafts: list[Draft], books: Ownership, duals: list[Pair], report: Report) -> None:
    """Without a leader everything needs an owner: E4; a lone ``vi`` takes what is left, as EMP has it."""
    if plan.structure is not Structure.EQUILIBRIUM or not drafts:
        return
    opening = plan.opening
    lone = drafts[0] if len(drafts) == 1 and drafts[0].kind == "vi" else None
    rows = books.rest_of_rows()
    if lone is not None:
        _give_rows(lone, rows, books, report)
    variables = _unowned(drafts, books, duals)
    if lone is not None:
        _give_variables(lone, variables, books, report)
        return
    if rows:
        help = "without a leader every row is some agent's: list it with one, or deactivate it in the model"
        report.error("E4", f"{_words('row', rows)} no agent", opening, help)
    if variables:
        help = "without a leader every variable is some agent's: list it with one, or fix it in the model"
        report.error("E4", f"{_words('variable', variables)} no agent", opening, help)


def _give_rows(lone: Draft, rows: list[Any], books: Ownership, report: Report) -> None:
    if not rows:
        return
    for row in rows:
        lone.rows.append(Listed(row, lone.span))
        books.claim_row(row, lone.name, lone.span)
    said = f"not listed, and taken as constraints of the only `{lone.word}`: {names_of(rows)}"
    form = "pairs: `vi F x rows`" if lone.word == "vi" else "triples: `qvi F y x rows`"
    report.warning("E4", said, lone.span, f"list them after the {form}")


def _give_variables(lone: Draft, variables: list[Any], books: Ownership, report: Report) -> None:
    if not variables:
        return
    for data in variables:
        lone.functions.append(DraftFunction(data, None, lone.span))
        books.claim_variable(data, lone.name, lone.span)
    said = f"matched to no function, and taken with the zero function: {names_of(variables)}"
    report.warning("E4", said, lone.span, "list them before the pairs: `vi variables F x`")


def _unowned(drafts: list[Draft], books: Ownership, duals: list[Pair]) -> list[Any]:
    """Variables that agents use and nobody owns."""
    dual = ComponentSet(p.variable for p in duals)
    found = ComponentSet()
    for draft in drafts:
        for expression in draft_expressions(draft):
            found.update(v for v in variables_in(expression) if v not in books.variables and v not in dual)
    return list(found)


def _words(word: str, components: list[Any]) -> str:
    return f"{word} {names_of(components)} belongs to" if len(components) == 1 else f"{word}s {names_of(components)} belong to"


def shortened(expression: Any) -> str:
    """An expression as text that fits into a message."""
    text = str(expression)
    return text if len(text) <= TEXT_SHOWN else f"{text[: TEXT_SHOWN - 4]} ..."


def names_of(components: Any) -> str:
    """Names in back-quotes, as many as a reader takes in."""
    components = list(components)
    more = f" and {len(components) - NAMES_SHOWN} more" if len(components) > NAMES_SHOWN else ""
    return ", ".join(f"`{c.name}`" for c in components[:NAMES_SHOWN]) + more
