"""Resolve: an annotation and a model become a hierarchical problem, or every mistake at once."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pyomo.environ as pyo
from pyomo.common.collections import ComponentSet

from bilevel_lang.errors import ResolutionError
from bilevel_lang.grammar.syntax import Bilevel, DualVar, EmpInfo, Optimise, VariationalInequality
from bilevel_lang.problem import Agent, BilevelProblem, DualMap, Function, Leader, Structure
from bilevel_lang.resolver import ownership
from bilevel_lang.resolver.drafts import Draft, Drafter, Pair
from bilevel_lang.resolver.duals import claim_duals, dual_maps, named_rows
from bilevel_lang.resolver.names import Names, spelled
from bilevel_lang.resolver.objectives import (
    check_leader_variable,
    definition_of,
    leader_objective,
    objective_of,
    rows_of,
)
from bilevel_lang.resolver.remarks import remark
from bilevel_lang.resolver.report import Report
from bilevel_lang.resolver.structure import Outline, outline


def resolve(model: Any, info: EmpInfo, *, strict: bool = False) -> BilevelProblem:
    """Find every name of ``info`` in ``model`` and settle who owns what.

    ``model`` is a constructed Pyomo model and stays as it is. With ``strict`` warnings (a variable nobody lists, a free
    multiplier, ...) are errors. Raises ResolutionError with all mistakes, each with its place and mend.
    """
    report = Report(info.source)
    plan = outline(info, report)
    names = Names(model, report)
    drafter = Drafter(names, report)
    drafts = _drafts(plan, drafter)
    pairs = [p for s in plan.duals for inner, bound in drafter.instances(s) if isinstance(inner, DualVar) for p in drafter.dual_pairs(inner, bound)]
    objective = leader_objective(plan.structure, model, drafts, report)
    books = ownership.Ownership(model, report)
    _claim_leader(plan.bilevel, names, books, report)
    check_leader_variable(drafts, objective, report)
    for draft in drafts:
        _claim_objective(draft, books, objective)
        ownership.claim_listed(draft, books)
    pairs = claim_duals(pairs, drafts, books, report)
    excluded = ownership.objective_variables(drafts, objective)
    expansion = ownership.expand_wildcards(drafts, books, excluded, report)
    ownership.check_complete(plan.structure, drafts, books, pairs, report)
    agents = _agents(drafts, pairs, report)
    maps = dual_maps(pairs, agents, books, report)
    leader = _leader(model, objective, books, pairs)
    remark(plan.structure, drafts, agents, leader, books, report)
    report.raise_errors(strict)
    problem = BilevelProblem(
        model=model,
        structure=plan.structure,
        leader=leader,
        agents=tuple(agents),
        dual_maps=maps,
        definitions=tuple(a.objective.definition for a in agents if a.objective and a.objective.definition is not None),
        consumed=tuple(f.component for a in agents for f in a.functions if getattr(f.component, "ctype", None) is pyo.Constraint),
        notices=report.remarks,
        summary=_summary(plan.structure, drafts, agents, maps),
        source=info.source,
        wildcards=tuple(expansion),
    )
    problem.check()
    return problem


def _drafts(plan: Outline, drafter: Drafter) -> list[Draft]:
    drafts = []
    for statement in plan.agents:
        for inner, bindings in drafter.instances(statement):
            if isinstance(inner, Optimise):
                drafts.append(drafter.optimiser(inner, bindings))
            elif isinstance(inner, VariationalInequality):
                drafts.append(drafter.variational_inequality(inner, bindings))
    taken: Counter[str] = Counter()
    for draft in drafts:
        name = _name(draft)
        taken[name] += 1
        draft.name = name if taken[name] == 1 else f"{name} ({taken[name]})"
    return drafts


def _name(draft: Draft) -> str:
    if draft.objective is not None:
        return f"{draft.kind} {draft.objective.name}"
    for function in draft.functions:
        return f"vi {(function.source if function.source is not None else function.variable).name}"
    return f"{draft.kind} on line {draft.span.line}" + (f" ({draft.where})" if draft.where else "")


def _claim_leader(statement: Bilevel | None, names: Names, books: ownership.Ownership, report: Report) -> None:
    for item in statement.variables if statement else ():
        reference = getattr(item, "segments", None) and item
        if reference is None:
            help = "list the leader's variables by name; what nobody lists is the leader's anyway"
            report.error("E2", "after `bilevel` come the leader's variables, by name", item.span, help)
            continue
        found = names.find(reference, {})
        if found is None:
            continue
        if found.kind != "variable":
            said = f"`{spelled(reference)}` is a {found.kind}, a variable of the leader is expected after `bilevel`"
            help = "rows that no follower lists are the leader's without being listed" if found.kind == "row" else ""
            report.error("E2", said, found.span, help)
            continue
        if reference.negated:
            report.error("E2", f"`-{spelled(reference)}`: a variable cannot be flipped", found.span, "drop the `-`")
        for element in found.elements:
            books.claim_variable(element.data, ownership.LEADER, found.span)


def _claim_objective(draft: Draft, books: ownership.Ownership, leader: Any) -> None:
    if draft.objective_kind != "variable":
        return
    if leader is not None and leader.expr is draft.objective:
        return  # reported as E10
    books.claim_variable(draft.objective, draft.name, draft.objective_span)


def _agents(drafts: list[Draft], pairs: list[Pair], report: Report) -> list[Agent]:
    return [_agent(draft, named_rows(pairs), report) for draft in drafts if draft.objective is not None or draft.kind == "vi"]


def _agent(draft: Draft, named: ComponentSet, report: Report) -> Agent:
    definition = definition_of(draft, named, report)
    variables = [listed.data for listed in draft.variables]
    if draft.objective_kind == "variable" and definition is None:
        variables.append(draft.objective)
    functions = tuple(_function(f) for f in draft.functions if not f.variable.fixed)
    if draft.kind == "vi":
        variables = [f.variable for f in functions]
    variables = [v for v in variables if not v.fixed]
    if not variables and not draft.broken:
        help = "list its variables after the objective, or `*` for those of its rows; fixed variables do not count"
        report.error("E18", f"{draft.name} owns no variable", draft.span, help)
    return Agent(
        name=draft.name,
        kind=draft.kind,
        variables=tuple(variables),
        rows=rows_of(draft, definition),
        objective=objective_of(draft, definition) if draft.objective is not None else None,
        functions=functions,
        span=draft.span,
    )


def _function(draft: ownership.DraftFunction) -> Function:
    if draft.source is None:
        return Function("0", draft.variable, None)
    name = f"-{draft.source.name}" if draft.flipped else draft.source.name
    return Function(name, draft.variable, ownership.function_expression(draft), draft.source)


def _leader(model: Any, objective: Any, books: ownership.Ownership, pairs: list[Pair]) -> Leader:
    dual = ComponentSet(p.variable for p in pairs)
    variables = [
        v
        for v in model.component_data_objects(pyo.Var)
        if not v.fixed and v not in dual and books.variables.get(v, ownership.LEADER) == ownership.LEADER
    ]
    return Leader(objective, tuple(variables), tuple(books.rest_of_rows()))


def _summary(structure: Structure, drafts: list[Draft], agents: list[Agent], maps: tuple[DualMap, ...]) -> tuple[tuple[str, int], ...]:
    flipped = sum(row.flipped for d in drafts for row in d.rows)
    functions = sum(1 for a in agents for f in a.functions if f.expression is not None)
    return (
        ("Logical Constraints", 0),
        ("Disjunctions", 0),
        ("Adjusted Constraint", 0),
        ("Flipped Constraints", flipped),
        ("Dual Variable Maps", len(maps)),
        ("Dual Equation Maps", 0),
        ("VI Functions", functions),
        ("QVI Parameters", 0),
        ("Equilibrium Agent", len(agents) if structure is Structure.EQUILIBRIUM else 0),
        ("Bilevel Followers", len(agents) if structure is Structure.BILEVEL else 0),
    )


__all__ = ["ResolutionError", "resolve"]
