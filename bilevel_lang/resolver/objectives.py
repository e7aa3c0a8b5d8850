"""The objectives: an agent's GAMS-style objective variable and the row that defines it, and the leader's own objective."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pyomo.environ as pyo
from pyomo.common.collections import ComponentSet
from pyomo.core.expr.numeric_expr import MonomialTermExpression, NegationExpression, SumExpression
from pyomo.core.expr.numvalue import native_types
from pyomo.core.expr.visitor import replace_expressions
from pyomo.repn import generate_standard_repn

from bilevel_lang.components.bounds import sides_of
from bilevel_lang.components.naming import Naming
from bilevel_lang.components.walking import variables_in
from bilevel_lang.errors import Span
from bilevel_lang.problem import AgentObjective, Row, Structure
from bilevel_lang.resolver.drafts import Draft
from bilevel_lang.resolver.report import Report
from bilevel_lang.resolver.structure import Outline
from bilevel_lang.resolver.wording import names_of


@dataclass(frozen=True, eq=False)
class Definition:
    """``variable = expression`` as stated by ``row``."""

    variable: Any
    expression: Any
    row: Any


# --- An agent's objective variable.


def definition_of(draft: Draft, named_by_dualvar: ComponentSet, report: Report) -> Definition | None:
    """The row that defines the objective variable, if exactly one of the agent's rows qualifies.

    It must be an equality in which the variable is linear with a constant coefficient other than zero, and no ``dualvar`` may
    name it. A discrete objective variable keeps its row: its integrality would be lost in the substitution. Reports E16 for a
    defining row that is flipped, and a notice where a row stays although it could have been taken for the definition.
    """
    variable = draft.objective
    if draft.objective_kind != "variable" or variable.fixed:
        return None
    found = []
    for listed in draft.rows:
        coefficient = defining_coefficient(listed.data, variable)
        if coefficient:
            found.append((listed, coefficient))
    kept = [(listed, c) for listed, c in found if listed.data not in named_by_dualvar]
    if len(kept) != 1 or not variable.is_continuous():
        _say_it_stays(draft, [listed.data for listed, _ in found], kept, report)
        return None
    listed, coefficient = kept[0]
    if listed.flipped:
        said = f"`-{listed.data.name}`: the row that defines the objective variable `{variable.name}` cannot be flipped"
        report.error("E16", said, listed.span, f"write `{listed.data.name}`; to turn the objective round, swap `min` and `max`")
    return Definition(variable, _solved(listed.data, variable, coefficient), listed.data)


def _say_it_stays(draft: Draft, found: list[Any], kept: list[Any], report: Report) -> None:
    if not found:
        return
    variable = draft.objective
    if len(kept) > 1:
        why = f"objective variable `{variable.name}` could be defined by {names_of(found)}"
    elif not kept:
        why = f"a `dualvar` names the row that defines objective variable `{variable.name}`: {names_of(found)}"
    else:
        why = f"objective variable `{variable.name}` is discrete, and {names_of(found)} defines it"
    said = f"{why}: nothing is substituted, the row keeps its multiplier"
    if len(found) > 1:
        said = f"{why}: nothing is substituted, the rows keep their multipliers"
    report.notice("E16", said, draft.objective_span)


def defining_coefficient(row: Any, variable: Any) -> float:
    """The coefficient of ``variable`` where ``row`` is an equality in which it enters linearly, else 0."""
    if not row.equality or not _contains(row.body, variable):
        return 0.0
    try:
        repn = generate_standard_repn(row.body, quadratic=True)
    except (ValueError, ArithmeticError):
        return 0.0  # an expression without a value, such as log(0) of data, is linear in nothing
    if any(variable is v for v in repn.nonlinear_vars) or any(variable is a or variable is b for a, b in repn.quadratic_vars):
        return 0.0
    return next((float(c) for v, c in zip(repn.linear_vars, repn.linear_coefs, strict=True) if v is variable), 0.0)


def _solved(row: Any, variable: Any, coefficient: float) -> Any:
    """The row solved for the variable, in a form that reads well in ``--check``."""
    terms = row.body.args if isinstance(row.body, SumExpression) else (row.body,)
    rest = [t for t in terms if not _is_multiple(t, variable)]
    if len(rest) != len(terms) - 1 or any(_contains(t, variable) for t in rest):
        return (row.lb - substitute(row.body, variable, 0.0)) / coefficient
    total = sum((_scaled(t, -1.0 / coefficient) for t in rest), 0)
    return total + row.lb / coefficient if row.lb else total


def _is_multiple(term: Any, variable: Any) -> bool:
    return term is variable or (isinstance(term, MonomialTermExpression) and term.args[1] is variable)


def _contains(term: Any, variable: Any) -> bool:
    return any(v is variable for v in variables_in(term))


def _scaled(term: Any, factor: float) -> Any:
    if factor == 1.0:
        return term
    if factor == -1.0:
        return term.args[0] if isinstance(term, NegationExpression) else -term
    return factor * term


def substitute(expression: Any, variable: Any, value: Any) -> Any:
    """``expression`` with ``variable`` replaced."""
    if expression is variable:
        return value
    if not hasattr(expression, "is_expression_type") or not _contains(expression, variable):
        return expression
    return replace_expressions(expression, {id(variable): value})


def objective_of(draft: Draft, definition: Definition | None) -> AgentObjective:
    """The agent's objective, with the definition substituted and the penalties of soft rows added."""
    if definition is not None and is_priced(draft):
        # The variable is the objective without the penalty: no longer what the agent optimises, and its row an ordinary one.
        return AgentObjective(draft.objective.name, definition.expression + draft.penalty)
    if definition is not None:
        return AgentObjective(draft.objective.name, definition.expression, draft.objective, definition.row)
    if draft.objective_kind == "variable":
        return AgentObjective(draft.objective.name, _priced(draft.objective, draft), draft.objective)
    return AgentObjective(draft.objective.name, _priced(draft.objective.expr, draft))


def is_priced(draft: Draft) -> bool:
    """Whether a row of the agent is soft."""
    return draft.penalty.__class__ is not int


def _priced(expression: Any, draft: Draft) -> Any:
    return expression + draft.penalty if is_priced(draft) else expression


def rows_of(draft: Draft, definition: Definition | None) -> tuple[Row, ...]:
    """The agent's rows with multipliers: listed rows without the definition, and the objective variable's own bounds."""
    rows = []
    naming = Naming()
    for listed in draft.rows:
        data = listed.data
        if definition is not None and data is definition.row:
            continue
        lower, body, upper = sides_of(data)
        if lower is None and upper is None:
            continue  # `-inf <= g <= inf` states nothing
        body = data.body if body.__class__ in native_types else body  # Pyomo makes an expression of a number
        if definition:
            body = substitute(body, definition.variable, definition.expression)
        rows.append(Row(naming.name(data), body, lower, upper, data, listed.span))
    if definition is not None and (definition.variable.lb is not None or definition.variable.ub is not None):
        variable = definition.variable
        name = f"{variable.name}.bounds"
        rows.append(Row(name, definition.expression, variable.lb, variable.ub, variable, draft.objective_span))
    return tuple(rows)


# --- The leader's objective.


def leader_objective(plan: Outline, model: Any, drafts: list[Draft], report: Report) -> Any:
    """The model's one active Objective that no agent claims; None for a problem without a leader. Reports E4, E10."""
    claimed = ComponentSet(d.objective for d in drafts if d.objective_kind == "objective")
    active = list(model.component_data_objects(pyo.Objective, active=True))
    free = [o for o in active if o not in claimed]
    broken = any(d.broken for d in drafts)  # the agent with a mistake in it may be the one that claims what is missing here
    if plan.structure is Structure.EQUILIBRIUM:
        if not broken:
            _no_leader(free, plan.opening, report)
        return None
    if len(free) > 1:
        if not broken:
            _several(plan, free, report)
        return None
    if not free and plan.structure is Structure.BILEVEL:
        if not broken:
            _leaderless(active, drafts, plan.opening, report)
        return None
    return free[0] if free else None


def _several(plan: Outline, free: list[Any], report: Report) -> None:
    if plan.structure is Structure.SINGLE:
        help = "a model without agents has one: deactivate the others in the model (`model.NAME.deactivate()`)"
        report.error("E10", f"several objectives are active: {names_of(free)}", None, help)
        return
    help = "keep the leader's and deactivate the others (`model.NAME.deactivate()`): a follower's is found by its name"
    report.error("E10", f"several active objectives could be the leader's: {names_of(free)}", plan.opening, help)


def _no_leader(free: list[Any], opening: Span | None, report: Report) -> None:
    for objective in free:
        if objective.expr is None or not hasattr(objective.expr, "is_potentially_variable"):
            continue  # a constant: the customary dummy objective
        if objective.expr.is_potentially_variable():
            help = "name it after `min` or `max` of the agent that owns it, or deactivate it; with a leader, begin with `bilevel`"
            report.error(
                "E4", f"objective `{objective.name}` is active and belongs to no agent: there is no leader", opening, help
            )


def _leaderless(active: list[Any], drafts: list[Draft], opening: Span | None, report: Report) -> None:
    taker = next((d for d in drafts if d.objective_kind == "objective" and any(d.objective is o for o in active)), None)
    if taker is not None:
        said = (
            f"`{taker.objective.name}` is the model's only active objective, so it is the leader's, and {taker.quoted} claims it"
        )
        help = "give the leader an active Objective of its own; a follower's may be deactivated, it is found all the same"
        report.error("E10", said, taker.objective_span, help)
    else:
        help = "give the model an active Objective for the leader (the followers' are named after `min` or `max`)"
        report.error("E10", "the leader has no objective: none is active in the model", opening, help)


def leader_variable(objective: Any, model: Any, drafts: list[Draft]) -> Any:
    """The leader's objective variable in the GAMS style, or None.

    The leader's objective has to be that one variable, and an equality that no agent lists has to define it. Without such a
    row the variable is an ordinary one: in ``min y | max y`` it is the follower's.
    """
    if objective is None or getattr(objective.expr, "ctype", None) is not pyo.Var:
        return None
    listed = ComponentSet(row.data for d in drafts for row in d.rows)
    listed.update(f.source for d in drafts for f in d.functions if f.source is not None)
    rows = model.component_data_objects(pyo.Constraint, active=True)
    defined = any(row not in listed and defining_coefficient(row, objective.expr) for row in rows)
    return objective.expr if defined else None


def check_leader_variable(drafts: list[Draft], variable: Any, report: Report) -> None:
    """E10: a follower that takes the leader's objective variable (GAMS style) for its own; it is taken off the follower."""
    if variable is None:
        return
    for draft in drafts:
        if draft.objective is variable:
            said = f"`{variable.name}` is the leader's objective variable, and {draft.quoted} takes it as its own objective"
            help = "name the follower's objective: a variable, an Expression or an Objective of its own"
            report.error("E10", said, draft.objective_span, help)
            draft.objective, draft.broken = None, True
        listings = [v.span for v in draft.variables if v.data is variable] + [
            f.span for f in draft.functions if f.variable is variable
        ]
        for span in listings:
            said = f"`{variable.name}` is the leader's objective variable, and {draft.quoted} lists it"
            named = f"`pyo.Expression(expr={variable.name})`"
            help = f"take it off the list; if it is the follower's, let the leader's objective be a {named}"
            report.error("E10", said, span, help)
            draft.broken = True
        draft.variables = [v for v in draft.variables if v.data is not variable]
        draft.functions = [f for f in draft.functions if f.variable is not variable]


def objective_variables(drafts: list[Draft], leaders: Any) -> ComponentSet:
    """Objective variables in the GAMS style: the agents', and the leader's."""
    found = ComponentSet(d.objective for d in drafts if d.objective_kind == "variable" and d.objective is not None)
    if leaders is not None:
        found.add(leaders)
    return found
