"""``modeltype``: what the annotation says about the kind of the problem, checked against the model; ``mcp`` also asks for KKT.

``modeltype mcp`` on an ordinary model with an objective makes one optimiser of it that owns every variable and every row, so that
its KKT conditions are written and solved. Every other type is an assertion; a wider type than needed (``nlp`` for an LP) holds.

Source: GAMS User's Guide, "Classification of Models"; GAMS manual, solver JAMS, "Forming Optimality Conditions: NLP2MCP".
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyomo.environ as pyo
from pyomo.common.collections import ComponentSet
from pyomo.core.expr.numeric_expr import AbsExpression, Expr_ifExpression, MaxExpression, MinExpression, UnaryFunctionExpression
from pyomo.core.expr.numvalue import native_types
from pyomo.mpec import Complementarity

from bilevel_lang.components.walking import variables_in
from bilevel_lang.grammar.syntax import Disjunction, EmpInfo, ModelType
from bilevel_lang.problem import Structure
from bilevel_lang.resolver.drafts import Draft, Listed
from bilevel_lang.resolver.report import Report
from bilevel_lang.resolver.structure import Outline
from bilevel_lang.resolver.wording import names_of

LINEAR, QUADRATIC, NONLINEAR = 1, 2, 3

CLASSES: dict[str, tuple[int, bool]] = {
    "lp": (LINEAR, False),
    "qcp": (QUADRATIC, False),
    "nlp": (NONLINEAR, False),
    "dnlp": (NONLINEAR, False),
    "mip": (LINEAR, True),
    "miqcp": (QUADRATIC, True),
    "minlp": (NONLINEAR, True),
    "rmip": (LINEAR, False),
    "rmiqcp": (QUADRATIC, False),
    "rminlp": (NONLINEAR, False),
}
"""Type of an ordinary model -> the most that its functions may be, and whether integers may be in it."""

SYSTEMS = ("mcp", "cns", "mpec", "rmpec")
TYPES = (*CLASSES, *SYSTEMS)
WORDS = {LINEAR: "linear", QUADRATIC: "quadratic", NONLINEAR: "nonlinear"}
KINKED = (AbsExpression, Expr_ifExpression, MaxExpression, MinExpression)
STEPS = ("ceil", "floor")


@dataclass(frozen=True)
class Wanted:
    """The one ``modeltype`` of an annotation, its name in lower case."""

    name: str
    statement: ModelType


def wanted_type(info: EmpInfo, report: Report) -> Wanted | None:
    """The type that the annotation names; None without one, or after E17 or E23 was reported."""
    statements = [s for s in info.statements if isinstance(s, ModelType)]
    for again in statements[1:]:
        report.error("E17", "a second `modeltype`", again.span, f"the first one is on line {statements[0].span.line}")
    if not statements:
        return None
    name = statements[0].name.lower()
    if name in TYPES:
        return Wanted(name, statements[0])
    near = difflib.get_close_matches(name, TYPES, n=1)
    help = f"did you mean `{near[0]}`?" if near else "there are " + ", ".join(f"`{t}`" for t in TYPES)
    report.error("E23", f"no model type `{statements[0].name}`", statements[0].span, help)
    return None


def sole_optimiser(wanted: Wanted | None, plan: Outline, model: Any, excluded: ComponentSet) -> Draft | None:
    """The agent that ``modeltype mcp`` makes of an ordinary model with an objective: it owns all but ``excluded`` variables."""
    if wanted is None or wanted.name != "mcp" or plan.structure is not Structure.SINGLE:
        return None
    objectives = list(model.component_data_objects(pyo.Objective, active=True))
    if len(objectives) != 1 or next(model.component_data_objects(Complementarity, active=True), None) is not None:
        return None  # `check` says what is missing
    span = wanted.statement.span
    draft = Draft("min" if objectives[0].is_minimizing() else "max", span, objective=objectives[0], objective_kind="objective")
    draft.objective_span = span
    draft.name = f"{draft.kind} {objectives[0].name}"
    variables = model.component_data_objects(pyo.Var)
    draft.variables = [Listed(v, span) for v in variables if not v.fixed and v not in excluded]
    draft.rows = [Listed(c, span) for c in model.component_data_objects(pyo.Constraint, active=True)]
    return draft


def check_type(wanted: Wanted | None, plan: Outline, model: Any, info: EmpInfo, report: Report) -> None:
    """E23 where the model, as it is annotated, is not of the type that the annotation asserts."""
    if wanted is None:
        return
    look = _check_ordinary if wanted.name in CLASSES else _check_system
    for said, help in look(wanted.name, plan, model, any(isinstance(s, Disjunction) for s in info.statements)):
        report.error("E23", f"`modeltype {wanted.name}`: {said}", wanted.statement.span, help)


Finding = tuple[str, str]


def _check_ordinary(name: str, plan: Outline, model: Any, choices: bool) -> Iterator[Finding]:
    if plan.structure is not Structure.SINGLE:
        other = "mpec" if plan.structure is Structure.BILEVEL else "mcp"
        said = "the annotation has agents, and their conditions are complementarities"
        yield said, f"write `modeltype {other}`, or leave it out"
        return
    conditions = list(model.component_data_objects(Complementarity, active=True))
    if conditions:
        yield f"the model has complementarity conditions: {names_of(conditions)}", "write `modeltype mpec`, or leave it out"
        return
    most, integers_allowed = CLASSES[name]
    integers = _integers(model)
    curved = [c for c in _functions(model) if _degree(c) > most]
    kinked = [c for c in _functions(model) if _has_kinks(_expression(c))]
    why = []
    if not integers_allowed and (integers or choices):
        why.append(f"the model has integer variables: {names_of(integers)}" if integers else "disjunctions are integer choices")
    if curved:
        why.append(f"{names_of(curved)} {'is' if len(curved) == 1 else 'are'} not {WORDS[most]}")
    if kinked and name == "nlp":
        why.append(f"{names_of(kinked)} may have no derivative somewhere")
    if why:
        degree = max((_degree(c) for c in _functions(model)), default=LINEAR)
        relax = " relax them in the model (`core.relax_integer_vars`)," if integers and name.startswith("rm") else ""
        yield (
            "; ".join(why),
            f"write `modeltype {_fitting(degree, bool(integers or choices), bool(kinked))}`,{relax} or leave it out",
        )


def _integers(model: Any) -> list[Any]:
    return [v for v in model.component_data_objects(pyo.Var) if not v.fixed and not v.is_continuous()]


def _fitting(degree: int, integers: bool, kinked: bool) -> str:
    """The narrowest type for such a model."""
    if degree == NONLINEAR:
        return "minlp" if integers else "dnlp" if kinked else "nlp"
    return next(t for t, found in CLASSES.items() if found == (degree, integers))


def _check_system(name: str, plan: Outline, model: Any, choices: bool) -> Iterator[Finding]:
    """For ``mcp``, ``cns``, ``mpec`` and ``rmpec``. Only beside a leader may variables be integer."""
    if name == "rmpec":
        help = "write `modeltype mpec`; `--encoding scholtes` solves it by a sequence of NLPs"
        yield "the complementarities of an MPEC are not relaxed by this program", help
        return
    if choices and name != "mpec":
        yield "the annotation has disjunctions, which are integer choices", "leave it out"
    elif name != "mpec" and (integers := _integers(model)):
        mend = "leave it out, or relax them in the model (`core.relax_integer_vars`)"
        yield f"the model has integer variables: {names_of(integers)}; those of an MCP or a CNS are continuous", mend
    if plan.structure is Structure.BILEVEL and name != "mpec":
        yield "with a leader the problem is an MPEC", "write `modeltype mpec`, or leave it out"
    if plan.structure is Structure.EQUILIBRIUM and name != "mcp":
        yield "without a leader the agents' conditions are an MCP", "write `modeltype mcp`, or leave it out"
    if plan.structure is Structure.SINGLE:
        yield from _check_model(name, model)


def _check_model(name: str, model: Any) -> Iterator[Finding]:
    conditions = list(model.component_data_objects(Complementarity, active=True))
    objectives = list(model.component_data_objects(pyo.Objective, active=True))
    if name == "mpec":
        if not conditions:
            yield "the model has no complementarity conditions", "leave it out; to solve by KKT conditions, write `modeltype mcp`"
        return
    if name == "cns" and conditions:
        yield f"the model has complementarity conditions: {names_of(conditions)}", "write `modeltype mcp`, or leave it out"
    if objectives and (conditions or name == "cns"):
        what = f"the model has an objective: {names_of(objectives)}"
        yield what, "deactivate it, or write `modeltype mpec`" if conditions else "deactivate it, or write `modeltype nlp`"
    elif not objectives:
        yield from _check_square(name, model, conditions)


def _check_square(name: str, model: Any, conditions: list[Any]) -> Iterator[Finding]:
    """A system without objective: as many equations and conditions as variables."""
    rows = list(model.component_data_objects(pyo.Constraint, active=True))
    loose = [] if name == "mcp" and conditions else [c for c in rows if not c.equality]
    if loose:
        said = f"{names_of(loose)} {'is' if len(loose) == 1 else 'are'} no equation"
        yield said, "match it with a variable by pyomo.mpec, or leave the type out"
    used: ComponentSet = ComponentSet()
    for component in (*rows, *conditions):
        expressions = component._args if component.ctype is Complementarity else (component.body,)
        for expression in expressions:
            used.update(variables_in(expression))
    count = len(rows) + len(conditions)
    if count != len(used):
        said = f"{count} equations and conditions for {len(used)} variables"
        yield said, "a square system has as many of the one as of the other: add or fix some, or leave the type out"


def _functions(model: Any) -> Iterator[Any]:
    """The active objectives and rows."""
    yield from model.component_data_objects(pyo.Objective, active=True)
    yield from model.component_data_objects(pyo.Constraint, active=True)


def _expression(component: Any) -> Any:
    return component.expr if component.ctype is pyo.Objective else component.body


def _degree(component: Any) -> int:
    expression = _expression(component)
    if expression.__class__ in native_types:
        return LINEAR
    degree = expression.polynomial_degree()
    return NONLINEAR if degree is None or degree > 2 else max(LINEAR, degree)


def _has_kinks(expression: Any) -> bool:
    stack = [expression]
    while stack:
        node = stack.pop()
        if node.__class__ in native_types or not node.is_expression_type():
            continue
        kinked = isinstance(node, KINKED) or (isinstance(node, UnaryFunctionExpression) and node.getname() in STEPS)
        if kinked and next(variables_in(node), None) is not None:
            return True
        stack.extend(node.args)
    return False
