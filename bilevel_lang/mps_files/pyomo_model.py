"""An instance as a Pyomo model with its annotation.

The model has the leader's variables as ``x``, the follower's as ``y``, the leader's rows as ``upper``, the follower's as
``lower``, all indexed by the names of the file, and the objectives ``upper_objective`` and ``lower_objective`` (inactive).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pyomo.environ as pyo
from pyomo.core.expr.numeric_expr import LinearExpression, MonomialTermExpression

from bilevel_lang.mps_files.instance import BilevelInstance, Column, Row

LABELLED = ("x", "y", "upper", "lower")
"""The components of such a model that are indexed by names of the file."""


def pyomo_model(instance: BilevelInstance) -> tuple[Any, str]:
    """The model and its annotation in the EMP language."""
    mps, follower = instance.mps, instance.follower
    model = pyo.ConcreteModel(name=mps.name or "unknown")
    # What writing needs to give the names and the order of the file again.
    model.file_columns, model.file_rows = tuple(c.name for c in mps.columns), tuple(r.name for r in mps.rows)
    lowers, rows = set(follower.columns), set(follower.rows)
    variables: list[Any] = [None] * len(mps.columns)
    for name, mine in (("x", [j for j in range(len(variables)) if j not in lowers]), ("y", sorted(lowers))):
        _add_variables(model, name, mine, mps.columns, variables)
    for name, chosen in (("upper", [i for i in range(len(mps.rows)) if i not in rows]), ("lower", sorted(rows))):
        _add_rows(model, name, [mps.rows[i] for i in chosen], variables)
    sense = {1: pyo.minimize, -1: pyo.maximize}
    costs = _sum(((c.cost, v) for c, v in zip(mps.columns, variables, strict=True)), mps.constant)
    model.upper_objective = pyo.Objective(expr=costs, sense=sense[mps.sense])
    costs = _sum(((c, variables[j]) for c, j in zip(follower.costs, follower.columns, strict=True)), 0.0)
    model.lower_objective = pyo.Objective(expr=costs, sense=sense[follower.sense])
    model.lower_objective.deactivate()
    return model, _annotation(model, follower.sense)


def _annotation(model: Any, sense: int) -> str:
    leader = "bilevel x" if model.component("x") is not None else "bilevel"
    rows = " lower" if model.component("lower") is not None else ""
    return f"{leader}\n{'min' if sense > 0 else 'max'} lower_objective y{rows}\n"


def _add_variables(model: Any, name: str, places: Sequence[int], columns: Sequence[Column], variables: list[Any]) -> None:
    if not places:
        return
    symbol = pyo.Var([columns[j].name for j in places])
    model.add_component(name, symbol)
    for j in places:
        column, variable = columns[j], symbol[columns[j].name]
        if column.integer:
            variable.domain = pyo.Binary if (column.lower, column.upper) == (0.0, 1.0) else pyo.Integers
        variable.setlb(None if math.isinf(column.lower) else column.lower)
        variable.setub(None if math.isinf(column.upper) else column.upper)
        variables[j] = variable


def _add_rows(model: Any, name: str, rows: Sequence[Row], variables: Sequence[Any]) -> None:
    if not rows:
        return
    by_name = {row.name: row for row in rows}

    def sides(_: Any, label: str) -> tuple[float | None, Any, float | None]:
        row = by_name[label]
        # A row without entries says 0 within its sides: as 0 times a variable, Pyomo keeps it.
        terms = row.terms or ((0, 0.0),)
        body = LinearExpression([MonomialTermExpression((c, variables[j])) for j, c in terms])
        return _finite(row.lower), body, _finite(row.upper)

    model.add_component(name, pyo.Constraint(list(by_name), rule=sides))


def _finite(side: float) -> float | None:
    return None if math.isinf(side) else side


def _sum(terms: Any, constant: float) -> Any:
    kept: list[Any] = [MonomialTermExpression((c, v)) for c, v in terms if c]
    if constant or not kept:
        kept = [constant, *kept]
    return LinearExpression(kept) if len(kept) > 1 or kept[0] is not constant else constant
