"""What the expressions of agents are, and which variables of the model anything uses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pyomo.environ as pyo
from pyomo.mpec import Complementarity

from bilevel_lang.components.walking import Met
from bilevel_lang.resolver.drafts import Draft, DraftFunction


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
