"""The objectives: an agent's GAMS-style objective variable and the row that defines it, and the leader's own objective."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pyomo.environ as pyo
from pyomo.common.collections import ComponentSet
from pyomo.core.expr.visitor import replace_expressions
from pyomo.repn import generate_standard_repn

from bilevel_lang.problem import AgentObjective, Row, Structure
from bilevel_lang.resolver.drafts import Draft
from bilevel_lang.resolver.report import Report


@dataclass(frozen=True, eq=False)
class Definition:
    """``variable = expression`` as stated by ``row``."""

    variable: Any
    expression: Any
    row: Any


def definition_of(draft: Draft, named_by_dualvar: ComponentSet, report: Report) -> Definition | None:
    """The row that defines the objective variable, if exactly one of the agent's rows qualifies.

    It must be an equality in which the variable is linear with a constant coefficient other than zero, and no ``dualvar`` may
    name it. A discrete objective variable keeps its row: its integrality would be lost in the substitution.
    """
    variable = draft.objective
    if draft.objective_kind != "variable" or variable.fixed or not variable.is_continuous():
        return None
    found = []
    for listed in draft.rows:
        row = listed.data
        if row.equality and row not in named_by_dualvar:
            coefficient = _linear_coefficient(row.body, variable)
            if coefficient:
                found.append((row, coefficient))
    if len(found) > 1:
        names = ", ".join(f"`{row.name}`" for row, _ in found)
        said = f"objective variable `{variable.name}` could be defined by {names}: all stay rows with multipliers"
        report.notice("E16", said, draft.objective_span)
    if len(found) != 1:
        return None
    row, coefficient = found[0]
    rest = substitute(row.body, variable, 0.0)
    return Definition(variable, (row.lb - rest) / coefficient, row)


def _linear_coefficient(body: Any, variable: Any) -> float:
    """The coefficient of ``variable`` where it enters linearly, else 0."""
    repn = generate_standard_repn(body, quadratic=True)
    if any(variable is v for v in repn.nonlinear_vars) or any(variable is a or variable is b for a, b in repn.quadratic_vars):
        return 0.0
    return next((float(c) for v, c in zip(repn.linear_vars, repn.linear_coefs, strict=True) if v is variable), 0.0)


def substitute(expression: Any, variable: Any, value: Any) -> Any:
    """``expression`` with ``variable`` replaced."""
    if expression is variable:
        return value
    if not hasattr(expression, "is_expression_type") or not expression.is_expression_type():
        return expression
    return replace_expressions(expression, {id(variable): value})


def objective_of(draft: Draft, definition: Definition | None) -> AgentObjective:
    """The agent's objective, with the definition substituted."""
    if definition is not None:
        return AgentObjective(draft.objective.name, definition.expression, draft.objective, definition.row)
    if draft.objective_kind == "variable":
        return AgentObjective(draft.objective.name, draft.objective, draft.objective)
    return AgentObjective(draft.objective.name, draft.objective.expr)


def rows_of(draft: Draft, definition: Definition | None) -> tuple[Row, ...]:
    """The agent's rows with multipliers: listed rows without the definition, and the objective variable's own bounds."""
    rows = []
    for listed in draft.rows:
        data = listed.data
        if definition is not None and data is definition.row:
            continue
        body = substitute(data.body, definition.variable, definition.expression) if definition else data.body
        if data.lb is None and data.ub is None:
            continue  # `-inf <= g <= inf` states nothing
        rows.append(Row(data.name, body, data.lb, data.ub, data, listed.span))
    if definition is not None and (definition.variable.lb is not None or definition.variable.ub is not None):
        variable = definition.variable
        name = f"{variable.name}.bounds"
        rows.append(Row(name, definition.expression, variable.lb, variable.ub, variable, draft.objective_span))
    return tuple(rows)


def leader_objective(structure: Structure, model: Any, drafts: list[Draft], report: Report) -> Any:
    """The model's one active Objective that no agent claims; None for a problem without a leader."""
    claimed = ComponentSet(d.objective for d in drafts if d.objective_kind == "objective")
    active = list(model.component_data_objects(pyo.Objective, active=True))
    free = [o for o in active if o not in claimed]
    if structure is Structure.EQUILIBRIUM:
        _no_leader(free, report)
        return None
    if len(free) > 1:
        names = " and ".join(f"`{o.name}`" for o in free)
        help = "keep the leader's active and deactivate the others (`model.NAME.deactivate()`); agents name theirs after `min` or `max`"
        report.error("E10", f"{names} are active objectives that no agent claims: which is the leader's?", None, help)
        return None
    if not free and structure is Structure.BILEVEL:
        _leaderless(active, drafts, report)
        return None
    return free[0] if free else None


def _no_leader(free: list[Any], report: Report) -> None:
    for objective in free:
        if objective.expr is None or not hasattr(objective.expr, "is_potentially_variable"):
            continue  # a constant: the customary dummy objective
        if objective.expr.is_potentially_variable():
            help = "name it after `min` or `max` of the agent that owns it, or deactivate it"
            report.error("E4", f"objective `{objective.name}` is active and belongs to no agent; there is no leader", None, help)


def _leaderless(active: list[Any], drafts: list[Draft], report: Report) -> None:
    taker = next((d for d in drafts if d.objective_kind == "objective" and any(d.objective is o for o in active)), None)
    if taker is not None and not taker.broken:
        said = f"`{taker.objective.name}` is the model's only active objective, the leader's, and {taker.name} claims it"
        help = "give the leader an active Objective of its own, and deactivate the follower's"
        report.error("E10", said, taker.objective_span, help)
    elif not any(d.broken for d in drafts):
        help = "`bilevel` needs one active pyomo Objective for the leader (the agents' objectives are named after `min` or `max`)"
        report.error("E10", "the leader has no objective", None, help)


def check_leader_variable(drafts: list[Draft], objective: Any, report: Report) -> None:
    """E10: a follower that takes the leader's objective variable (GAMS style) for its own."""
    if objective is None or getattr(objective.expr, "ctype", None) is not pyo.Var:
        return
    variable = objective.expr
    for draft in drafts:
        if draft.objective is variable:
            said = f"`{variable.name}` is what the leader optimises and the objective of {draft.name} too"
            report.error("E10", said, draft.objective_span, "a follower needs an objective of its own, or none (`vi`)")
