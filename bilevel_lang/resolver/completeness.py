"""Without a leader everything has an owner: what nobody lists is a mistake, or goes to the only agent."""

from __future__ import annotations

from typing import Any

from pyomo.common.collections import ComponentSet

from bilevel_lang.components.walking import variables_in
from bilevel_lang.problem import Structure
from bilevel_lang.resolver.drafts import Draft, DraftFunction, Listed
from bilevel_lang.resolver.ownership import Ownership
from bilevel_lang.resolver.pairs import Pair
from bilevel_lang.resolver.report import Report
from bilevel_lang.resolver.structure import Outline
from bilevel_lang.resolver.usage import draft_expressions
from bilevel_lang.resolver.wording import names_of


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
