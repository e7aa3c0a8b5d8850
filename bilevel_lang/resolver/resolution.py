"""Resolve: an annotation and a model become a hierarchical problem, or every mistake at once."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pyomo.environ as pyo
from pyomo.common.collections import ComponentSet
from pyomo.common.gc_manager import PauseGC

from bilevel_lang.components.bounds import bounds_of
from bilevel_lang.errors import ResolutionError
from bilevel_lang.grammar.leaves import Reference
from bilevel_lang.grammar.syntax import Bilevel, DualVar, EmpInfo, Optimise, QuasiVariationalInequality, VariationalInequality
from bilevel_lang.problem import Agent, BilevelProblem, Disjunction, DualMap, Function, Leader, Link, SoftRow, Structure
from bilevel_lang.resolver import ownership
from bilevel_lang.resolver.completeness import check_complete
from bilevel_lang.resolver.disjunctions import Disjunctions
from bilevel_lang.resolver.drafts import Draft, Drafter, DraftFunction, instances
from bilevel_lang.resolver.duals import claim_duals, dual_maps, named_rows
from bilevel_lang.resolver.functions import FunctionDrafter
from bilevel_lang.resolver.kinds import a_kind
from bilevel_lang.resolver.model_types import check_type, sole_optimiser, wanted_type
from bilevel_lang.resolver.names import Names
from bilevel_lang.resolver.objectives import (
    check_leader_variable,
    definition_of,
    leader_objective,
    leader_variable,
    objective_of,
    objective_variables,
    rows_of,
)
from bilevel_lang.resolver.pairs import DUALVAR, Pair, PairReader
from bilevel_lang.resolver.remarks import remark
from bilevel_lang.resolver.report import Report
from bilevel_lang.resolver.shared_claims import check_sharing, shared_rows, state_variables, take_state_rows
from bilevel_lang.resolver.sharing import read_sharing
from bilevel_lang.resolver.soft_rows import Softener, derive, finished, working_model
from bilevel_lang.resolver.structure import Outline, outline
from bilevel_lang.resolver.top_down import complement_drafts, give_the_rest, optimiser_draft
from bilevel_lang.resolver.twins import TwinDrafter
from bilevel_lang.resolver.uncertainty import read_uncertainty
from bilevel_lang.resolver.usage import function_expression
from bilevel_lang.resolver.wildcards import expand_wildcards


def resolve(model: Any, info: EmpInfo, *, strict: bool = False) -> BilevelProblem:
    """Find every name of ``info`` in ``model`` and settle who owns what.

    ``model`` is a constructed Pyomo model and stays as it is. With ``strict`` warnings (a variable nobody lists, a free
    multiplier, ...) are errors. Raises ResolutionError with all mistakes, each with its place and mend.
    """
    with PauseGC():  # a large model holds millions of objects, and next to none of them becomes garbage here
        return _resolved(model, info, strict)


def _resolved(model: Any, info: EmpInfo, strict: bool) -> BilevelProblem:
    report = Report(info.source)
    plan = outline(info, report)
    softening = derive(model, info)
    model = working_model(model, softening)
    names = Names(model, report)
    sharing = read_sharing(plan.sharing, names, report)
    drafter = Drafter(names, report, sharing)
    drafts = _drafts(plan, drafter)
    pairs = _pairs(plan, drafter)
    if plan.complements and not (drafts and drafts[0].objective is not None):
        pairs = []  # the agent whose multipliers they are is missing, which was reported
    wanted = wanted_type(info, report)
    sole = sole_optimiser(wanted, plan, model, ComponentSet(p.variable for p in pairs))
    if sole is not None:
        drafts, plan = [sole], replace(plan, structure=Structure.EQUILIBRIUM, opening=sole.span)
    for span in names.complain_of_empty_slices():
        for draft in drafts:
            draft.broken = draft.broken or draft.span.start <= span.start < draft.span.end
    spoilt = report.has_errors  # what a mistake left out would only be missed once more below
    objective = None if plan.complements else leader_objective(plan, model, drafts, report)
    leaders = leader_variable(objective, model, drafts)
    check_leader_variable(drafts, leaders, report)
    books = ownership.Ownership(model, report, sharing)
    _claim_leader(plan.bilevel, names, books, report)
    for draft in drafts:
        if draft.objective_kind == "variable" and draft.objective is not None:
            books.claim_variable(draft.objective, draft.name, draft.objective_span)
    take_state_rows(drafts, sharing, report)
    for draft in drafts:
        ownership.claim_listed(draft, books)
    pairs = claim_duals(pairs, drafts, books, report)
    by_name_alone = objective_variables(drafts, leaders) | ComponentSet(sharing.states)
    expansion = expand_wildcards(drafts, books, by_name_alone, report)
    check_sharing(drafts, sharing, books, report)
    if plan.complements and drafts and drafts[0].keyword != "dualequ":
        give_the_rest(drafts[0], books, pairs)
    if not spoilt:
        check_complete(plan, drafts, books, pairs, report)
    disjunctions = Disjunctions(plan, names, books, report).read(info)
    softener = Softener(drafts, objective, leaders, names, books, report)
    soft = softener.soften(info)
    check_type(wanted, plan, model, info, report)
    stochastic = read_uncertainty(info, names, objective, report)
    named = named_rows(pairs)
    agents = [_agent(d, named, report) for d in drafts if d.objective is not None or d.kind == "vi"]
    maps = dual_maps(pairs, agents, books, report)
    softener.release_definitions(named)
    leader = _leader(model, objective, books, pairs)
    remark(plan, drafts, agents, leader, books, report)
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
        summary=_counted(_summary(plan, drafts, agents, maps), disjunctions, soft),
        source=info.source,
        wildcards=tuple(expansion),
        disjunctions=disjunctions,
        softening=finished(softening, soft),
        links=_links(drafts),
        shared_rows=shared_rows(sharing),
        state_variables=state_variables(sharing),
        stochastic=stochastic,
    )
    problem.check()
    return problem


def _drafts(plan: Outline, drafter: Drafter) -> list[Draft]:
    functions = FunctionDrafter(drafter)
    twins = TwinDrafter(drafter, functions)
    drafts = complement_drafts(plan, drafter, functions)
    optimiser = optimiser_draft(plan, drafter.names.model, drafter.report) if plan.complements else None
    if optimiser is not None:
        drafts.insert(0, optimiser)
    for statement in plan.agents:
        for inner, bindings in instances(statement, drafter.names, drafter.report):
            if isinstance(inner, Optimise):
                drafts.append(drafter.optimiser(inner, bindings))
            elif isinstance(inner, VariationalInequality):
                drafts.append(functions.variational_inequality(inner, bindings))
            elif isinstance(inner, QuasiVariationalInequality):
                drafts.append(twins.quasi_variational_inequality(inner, bindings))
    taken: Counter[str] = Counter()
    for draft in drafts:
        name = _name(draft)
        taken[name] += 1
        draft.name = name if taken[name] == 1 else f"{name} ({taken[name]})"
    return drafts


def _pairs(plan: Outline, drafter: Drafter) -> list[Pair]:
    reader = PairReader(DUALVAR, drafter.names, drafter.report)
    pairs = []
    for statement in plan.duals:
        for inner, bindings in instances(statement, drafter.names, drafter.report):
            assert isinstance(inner, DualVar)
            pairs += reader.pairs(inner.items, bindings)
    return pairs


def _name(draft: Draft) -> str:
    if draft.objective is not None:
        return f"{draft.kind} {draft.objective.name}"
    for function in draft.functions:
        return f"{draft.word} {(function.source if function.source is not None else function.variable).name}"
    return f"{draft.word} on line {draft.span.line}" + (f" ({draft.where})" if draft.where else "")


def _claim_leader(statement: Bilevel | None, names: Names, books: ownership.Ownership, report: Report) -> None:
    for item in statement.variables if statement else ():
        if not isinstance(item, Reference):
            help = "list the leader's variables by name; what nobody lists is the leader's anyway"
            report.error("E2", "after `bilevel` come the leader's variables, by name", item.span, help)
            continue
        found = names.find(item, {})
        if found is None:
            continue
        if found.kind != "variable":
            said = f"`{found.text}` is {a_kind(found.kind)}, a variable of the leader is expected after `bilevel`"
            report.error("E2", said, found.span, _NOT_LISTED.get(found.kind, "take it out"))
            continue
        if item.negated:
            said = f"`-{found.text}`: only rows and functions can be flipped, `{found.text}` is a variable"
            report.error("E2", said, found.span, "drop the `-`")
        for element in found.elements:
            books.claim_variable(element.data, ownership.LEADER, found.span)


_NOT_LISTED = {
    "row": "take it out: rows that no follower lists are the leader's anyway",
    "objective": "take it out: the leader's objective is the one that is active in the model",
    "parameter": "take it out: parameters are data",
}


def _agent(draft: Draft, named: ComponentSet, report: Report) -> Agent:
    definition = definition_of(draft, named, report)
    variables = [listed.data for listed in draft.variables]
    if draft.objective_kind == "variable" and definition is None:
        variables.append(draft.objective)
    functions = tuple(_function(f) for f in draft.functions if not _is_data(f.variable))
    if draft.kind == "vi":
        variables = [f.variable for f in functions]
    listed = len(variables)
    variables = [v for v in variables if not _is_data(v)]
    if not variables and not draft.broken:
        _complain_of_emptiness(draft, bool(listed or draft.functions), report)
    return Agent(
        name=draft.name,
        kind=draft.kind,
        variables=tuple(variables),
        rows=rows_of(draft, definition),
        objective=objective_of(draft, definition) if draft.objective is not None else None,
        functions=functions,
        span=draft.span,
    )


def _is_data(variable: Any) -> bool:
    """Whether a variable is fixed, by ``fix`` or by equal bounds: there is nothing for its owner to decide."""
    lower, upper = bounds_of(variable)
    return variable.fixed or (lower is not None and lower == upper)


def _complain_of_emptiness(draft: Draft, lists_some: bool, report: Report) -> None:
    member = f" (for {draft.where})" if draft.where else ""
    if lists_some:
        # Fixing an agent's decisions is a way to try them out: its rows still have to hold, and its answer is still examined.
        said = f"every variable of {draft.quoted} is fixed: it has nothing to decide{member}"
        report.warning("E18", said, draft.span, "unfix one of them in the model, or take the agent out")
        return
    help = "list its variables after the objective, or `*` for those of its rows"
    if draft.kind == "vi":
        help = "write `vi function variable`, and constraints after the pairs"
    report.error("E18", f"{draft.quoted} owns no variable{member}", draft.span, help)


def _function(draft: DraftFunction) -> Function:
    if draft.source is None:
        return Function("0", draft.variable, None)
    name = f"-{draft.source.name}" if draft.flipped else draft.source.name
    return Function(name, draft.variable, function_expression(draft), draft.source)


def _links(drafts: list[Draft]) -> tuple[Link, ...]:
    """Variable and twin of every ``qvi``; a variable that is fixed has one as well."""
    return tuple(Link(f.variable, f.twin, d.name, f.span) for d in drafts for f in d.functions if f.twin is not None)


def _leader(model: Any, objective: Any, books: ownership.Ownership, pairs: list[Pair]) -> Leader:
    dual = ComponentSet(p.variable for p in pairs)
    variables = [
        v
        for v in model.component_data_objects(pyo.Var)
        if books.variables.get(v, ownership.LEADER) == ownership.LEADER and not v.fixed and v not in dual
    ]
    return Leader(objective, tuple(variables), tuple(books.rest_of_rows()))


def _counted(
    summary: tuple[tuple[str, int], ...], disjunctions: tuple[Disjunction, ...], soft: tuple[SoftRow, ...]
) -> tuple[tuple[str, int], ...]:
    found = {"Disjunctions": len(disjunctions), "Adjusted Constraint": len(soft)}
    return tuple((name, found.get(name, n)) for name, n in summary)


def _summary(plan: Outline, drafts: list[Draft], agents: list[Agent], maps: tuple[DualMap, ...]) -> tuple[tuple[str, int], ...]:
    """The counters of the EMP Summary. ``dualequ`` is one problem with pairs beside it: these count, its parts do not."""
    multipliers = {id(m.variable): m for m in maps}.values()  # a common one is in a map of each of its agents
    flipped = sum(row.flipped for d in drafts for row in d.rows) + sum(m.factor < 0 for m in multipliers)
    functions = sum(1 for a in agents for f in a.functions if f.expression is not None)
    parts = 0 if plan.complements else len(agents)
    return (
        ("Logical Constraints", 0),
        ("Disjunctions", 0),
        ("Adjusted Constraint", 0),
        ("Flipped Constraints", flipped),
        ("Dual Variable Maps", len(multipliers)),
        ("Dual Equation Maps", functions if plan.complements else 0),
        ("VI Functions", 0 if plan.complements else functions),
        ("QVI Parameters", len(_links(drafts))),
        ("Equilibrium Agent", parts if plan.structure is Structure.EQUILIBRIUM else 0),
        ("Bilevel Followers", parts if plan.structure is Structure.BILEVEL else 0),
    )


__all__ = ["ResolutionError", "resolve"]
