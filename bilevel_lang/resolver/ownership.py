"""Who owns what: every variable and every row has one owner, wildcards take what is left, the leader takes the rest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pyomo.environ as pyo
from pyomo.common.collections import ComponentMap, ComponentSet
from pyomo.core.expr.visitor import identify_variables
from pyomo.mpec import Complementarity

from bilevel_lang.errors import Span
from bilevel_lang.problem import Structure
from bilevel_lang.resolver.drafts import Draft, DraftFunction, Listed, Pair
from bilevel_lang.resolver.report import Report

LEADER = "the leader"


class Ownership:
    """The books: variable -> owner and row -> owner, with where each was claimed."""

    def __init__(self, model: Any, report: Report) -> None:
        self.model = model
        self._report = report
        self.variables: ComponentMap = ComponentMap()
        self.rows: ComponentMap = ComponentMap()
        self._where: ComponentMap = ComponentMap()
        self.used: ComponentMap = ComponentMap()

    def claim_variable(self, data: Any, owner: str, span: Span | None) -> bool:
        """Enter an owner; False after E3 was reported."""
        taken = self.variables.get(data)
        if taken is None:
            self.variables[data] = owner
            self._where[data] = span
            return True
        self._claimed_twice("E3", "variable", data, taken, owner, span)
        return False

    def claim_row(self, data: Any, owner: str, span: Span | None) -> bool:
        """Enter an owner; False after E3 (twice by one agent) or E15 (shared) was reported."""
        taken = self.rows.get(data)
        if taken is None:
            self.rows[data] = owner
            self._where[data] = span
            return True
        self._claimed_twice("E3" if taken == owner else "E15", "row", data, taken, owner, span)
        return False

    def _claimed_twice(self, code: str, word: str, data: Any, taken: str, owner: str, span: Span | None) -> None:
        if taken == owner:
            self._report.error("E3", f"{word} `{data.name}` is listed twice by {owner}", span, "list it once")
            return
        first = self._where[data]
        where = f" (line {first.line}, column {first.column})" if first else ""
        said = f"{word} `{data.name}` belongs to {taken}{where} and is claimed by {owner} too"
        help = "every variable has one owner; the others may use it in their rows without listing it"
        if code == "E15":
            help = "rows shared by several agents need `visol`, which no method of this version carries out; give each agent a row of its own"
        self._report.error(code, said, span, help)

    def rest_of_rows(self) -> list[Any]:
        """Active rows that nobody lists."""
        return [c for c in self.model.component_data_objects(pyo.Constraint, active=True) if c not in self.rows]


def variables_in(expression: Any) -> Iterator[Any]:
    """The unfixed variables of an expression."""
    return identify_variables(expression, include_fixed=False)


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
    for function in draft.functions:
        if books.claim_variable(function.variable, draft.name, function.span):
            books.used[function.variable] = draft
        if function.source is not None and function.source.ctype is pyo.Constraint:
            books.claim_row(function.source, draft.name, function.span)
    kept = []
    for listed in draft.variables:
        if listed.data is draft.objective:
            continue  # `min z z y`: the objective variable is the agent's already
        if books.claim_variable(listed.data, draft.name, listed.span):
            kept.append(listed)
    draft.variables = kept
    draft.rows = [row for row in draft.rows if books.claim_row(row.data, draft.name, row.span)]


def expand_wildcards(drafts: list[Draft], books: Ownership, excluded: ComponentSet, report: Report) -> list[tuple[str, tuple[str, ...]]]:
    """Give every agent with ``*`` its variables; report E5 where two of them meet. Returns what each got, for ``--check``."""
    starred = [d for d in drafts if d.wildcard is not None]
    wanted = [(draft, _candidates(draft, books, excluded)) for draft in starred]
    if len(starred) == 1:
        wanted[0][1].update(_in_no_row(books, excluded))
    claims: ComponentMap = ComponentMap()
    expansion = []
    for draft, candidates in wanted:
        mine = []
        for data in candidates:
            if data in claims:
                said = f"`*` of {draft.name} and `*` of {claims[data].name} both reach variable `{data.name}`"
                report.error("E5", said, draft.wildcard, "list the variables of both agents explicitly")
                continue
            claims[data] = draft
            mine.append(data)
        expansion.append((draft.name, tuple(v.name for v in mine)))
        for data in mine:
            books.claim_variable(data, draft.name, draft.wildcard)
            assert draft.wildcard is not None
            if draft.kind == "vi":
                draft.functions.append(DraftFunction(data, None, draft.wildcard))
            else:
                draft.variables.append(Listed(data, draft.wildcard))
    return expansion


def _candidates(draft: Draft, books: Ownership, excluded: ComponentSet) -> ComponentSet:
    found = ComponentSet()
    for expression in draft_expressions(draft):
        found.update(v for v in variables_in(expression) if v not in books.variables and v not in excluded)
    return found


def _in_no_row(books: Ownership, excluded: ComponentSet) -> Iterator[Any]:
    used = used_variables(books.model)
    for data in books.model.component_data_objects(pyo.Var):
        if not data.fixed and data not in used and data not in books.variables and data not in excluded:
            yield data


def used_variables(model: Any) -> ComponentSet:
    """Variables that appear in an active row, any objective or a complementarity condition."""
    used = ComponentSet()
    for row in model.component_data_objects(pyo.Constraint, active=True):
        used.update(variables_in(row.body))
    for objective in model.component_data_objects(pyo.Objective):
        used.update(variables_in(objective.expr))
    for condition in model.component_data_objects(Complementarity, active=True):
        for side in condition._args:
            used.update(variables_in(side))
    return used


def objective_variables(drafts: Iterable[Draft], leader_objective: Any) -> ComponentSet:
    """Objective variables in the GAMS style: the agents', and the leader's where its objective is one plain variable."""
    found = ComponentSet(d.objective for d in drafts if d.objective_kind == "variable")
    if leader_objective is not None and getattr(leader_objective.expr, "ctype", None) is pyo.Var:
        found.add(leader_objective.expr)
    return found


def check_complete(structure: Structure, drafts: list[Draft], books: Ownership, duals: list[Pair], report: Report) -> None:
    """Without a leader everything needs an owner: E4; a lone ``vi`` takes what is left, as EMP has it."""
    if structure is not Structure.EQUILIBRIUM:
        return
    lone = drafts[0] if len(drafts) == 1 and drafts[0].kind == "vi" else None
    for row in books.rest_of_rows():
        if lone is not None:
            lone.rows.append(Listed(row, lone.span))
            books.claim_row(row, lone.name, lone.span)
            said = f"row `{row.name}` is listed nowhere: it is taken as a constraint of the feasible set of the only `vi`"
            report.warning("E4", said, lone.span, f"list it after the pairs: `vi ... {row.name}`")
        else:
            help = "without a leader every row belongs to an agent: list it with one, or deactivate it"
            report.error("E4", f"row `{row.name}` belongs to no agent", None, help)
    dual = ComponentSet(p.variable for p in duals)
    seen = ComponentSet()
    for draft in drafts:
        for expression in draft_expressions(draft):
            for data in variables_in(expression):
                if data in books.variables or data in dual or data in seen:
                    continue
                seen.add(data)
                _unowned_variable(data, lone, books, report)


def _unowned_variable(data: Any, lone: Draft | None, books: Ownership, report: Report) -> None:
    if lone is not None:
        lone.functions.append(DraftFunction(data, None, lone.span))
        books.claim_variable(data, lone.name, lone.span)
        said = f"variable `{data.name}` is matched to no function: its function is zero"
        report.warning("E4", said, lone.span, f"list it before the pairs: `vi {data.name} ...`")
        return
    help = "without a leader every variable belongs to an agent: list it with one, or fix it"
    report.error("E4", f"variable `{data.name}` belongs to no agent", None, help)
