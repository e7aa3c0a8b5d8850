"""``*``: the variables of an agent's own expressions that nobody lists."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyomo.environ as pyo
from pyomo.common.collections import ComponentMap, ComponentSet

from bilevel_lang.components.walking import variables_in
from bilevel_lang.resolver.drafts import Draft, DraftFunction, Listed
from bilevel_lang.resolver.ownership import Ownership
from bilevel_lang.resolver.report import Report
from bilevel_lang.resolver.usage import draft_expressions, used_variables


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
