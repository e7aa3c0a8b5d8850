"""``dualequ``: pairs that are complementary beside one optimiser, which owns all the rest of the model.

The top-down form of an embedded complementarity system. It means the same as ``equilibrium``, the optimiser and ``vi`` with the
pairs, written out (Ferris, Dirkse, Jagla and Meeraus 2009, section 4.3).
"""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo
from pyomo.common.collections import ComponentSet

from bilevel_lang.grammar.syntax import DualEqu, VariationalInequality
from bilevel_lang.resolver.drafts import Draft, Drafter, Listed, instances
from bilevel_lang.resolver.functions import FunctionDrafter
from bilevel_lang.resolver.ownership import Ownership
from bilevel_lang.resolver.pairs import Pair
from bilevel_lang.resolver.report import Report
from bilevel_lang.resolver.structure import Outline
from bilevel_lang.resolver.wording import names_of

FORM = "write `dualequ function variable` for each pair"


def complement_drafts(plan: Outline, drafter: Drafter, functions: FunctionDrafter) -> list[Draft]:
    """One draft for each ``dualequ``: a ``vi`` over the bounds of its variables."""
    drafts = []
    for statement in plan.complements:
        for inner, bindings in instances(statement, drafter.names, drafter.report):
            assert isinstance(inner, DualEqu)
            pairs = VariationalInequality(inner.items, span=inner.span, keyword=inner.keyword)
            draft = functions.variational_inequality(pairs, bindings, "dualequ")
            _check(draft, drafter.report)
            drafts.append(draft)
    return drafts


def _check(draft: Draft, report: Report) -> None:
    for row in draft.rows:
        report.error("E7", f"`{row.data.name}` has no variable after it: `dualequ` takes pairs", row.span, FORM)
    if draft.wildcard is not None:
        report.error("E5", "`*` in `dualequ`: a pair is a function and a variable by name", draft.wildcard, FORM)
    draft.broken = draft.broken or bool(draft.rows) or draft.wildcard is not None
    draft.rows, draft.wildcard = [], None


def optimiser_draft(plan: Outline, model: Any, report: Report) -> Draft | None:
    """The optimiser of the model's one active objective, or None after E10; :func:`give_the_rest` fills it."""
    active = list(model.component_data_objects(pyo.Objective, active=True))
    if len(active) != 1:
        said = f"several objectives are active: {names_of(active)}" if active else "the optimiser has no objective"
        help = "`dualequ` stands beside the optimiser of the model's one active Objective; with more agents, write `equilibrium`"
        report.error("E10", said, plan.opening, help)
        return None
    objective = active[0]
    draft = Draft("min" if objective.is_minimizing() else "max", plan.opening, objective_span=plan.opening)  # type: ignore[arg-type]
    named = getattr(objective.expr, "ctype", None) is pyo.Var and not objective.expr.fixed
    draft.objective = objective.expr if named else objective
    draft.objective_kind = "variable" if named else "objective"
    return draft


def give_the_rest(draft: Draft, books: Ownership, pairs: list[Pair]) -> None:
    """Every active row and every variable that no pair has taken."""
    assert draft.objective_span is not None
    for row in books.rest_of_rows():
        books.claim_row(row, draft.name, draft.objective_span)
        draft.rows.append(Listed(row, draft.objective_span))
    multipliers = ComponentSet(p.variable for p in pairs)
    for variable in books.model.component_data_objects(pyo.Var, active=True):
        if not variable.fixed and variable not in books.variables and variable not in multipliers:
            books.claim_variable(variable, draft.name, draft.objective_span)
            draft.variables.append(Listed(variable, draft.objective_span))
