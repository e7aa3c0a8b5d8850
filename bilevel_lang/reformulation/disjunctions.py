"""``disjunction``: alternatives of the leader's rows, stated with ``pyomo.gdp`` in the rewritten clone and transformed there.

Formulation: one ``Disjunct`` a branch in block ``disjunction``, exactly one of them chosen; a given indicator variable is linked
to its branch by an equality. ``chull`` and ``bigm`` are Pyomo's ``gdp.hull`` and ``gdp.bigm``. ``indic`` needs no bound: a slack
for each side of each row, and an SOS1 of slack and indicator, so that the slack is 0 where the branch is chosen.
Exactness: exact, but for a ``bigm`` whose given M is not proven large enough by the bounds of the variables (an approximation).
Reference: Grossmann and Trespalacios 2013, AIChE J. 59:3276.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyomo.environ as pyo
import pyomo.gdp as gdp
from pyomo.contrib.fbbt.expression_bounds_walker import ExpressionBoundsVisitor
from pyomo.gdp.disjunct import GDP_Error

from bilevel_lang.errors import Diagnostic, RefusedError
from bilevel_lang.problem import Disjunction, Row
from bilevel_lang.reformulation.rewrite import free_name
from bilevel_lang.solution import Exactness

UNDEFINED = (GDP_Error, ValueError, ArithmeticError, TypeError)
"""What Pyomo raises where a bound is missing, or a function has no value where a transformation needs one."""


@dataclass(frozen=True, slots=True)
class Stated:
    """What the disjunctions of a problem do to the promise of the rewrite, and what the user has to know of it."""

    exactness: Exactness = Exactness.EXACT
    warnings: tuple[str, ...] = ()


def state(model: Any, disjunctions: Sequence[Disjunction]) -> Stated:
    """Put the disjunctions, whose rows and indicators are ``model``'s, into ``model`` as mixed-integer rows.

    Raises RefusedError where a transformation lacks a bound.
    """
    if not disjunctions:
        return Stated()
    block = pyo.Block()
    model.add_component(free_name(model, "disjunction"), block)
    for name, component in (
        ("branch", gdp.Disjunct(pyo.Any)),
        ("choice", gdp.Disjunction(pyo.Any)),
        ("link", pyo.Constraint(pyo.Any)),
        ("indicator", pyo.Var(pyo.Any, dense=False, domain=pyo.Binary)),
        ("slack", pyo.Var(pyo.Any, dense=False, domain=pyo.NonNegativeReals)),
        ("row", pyo.Constraint(pyo.Any)),
        ("one", pyo.Constraint(pyo.Any)),
    ):
        block.add_component(name, component)
    doubts: list[str] = []
    pairs: dict[str, list[Any]] = {}
    for number, disjunction in enumerate(disjunctions, start=1):
        for disjunct in disjunction.disjuncts:
            for row in disjunct.rows:
                row.component.deactivate()
        if disjunction.reform == "indic":
            pairs |= _by_sos1(block, number, disjunction)
        else:
            doubts += _by_gdp(model, block, number, disjunction)
    if pairs:
        block.sos1 = pyo.SOSConstraint(list(pairs), rule=lambda b, name: pairs[name], sos=1)
    return Stated(Exactness.APPROXIMATION if doubts else Exactness.EXACT, tuple(doubts))


def _by_gdp(model: Any, block: Any, number: int, disjunction: Disjunction) -> list[str]:
    """``gdp.hull`` or ``gdp.bigm``; the doubts about a given M."""
    branches = []
    for position, disjunct in enumerate(disjunction.disjuncts, start=1):
        branch = block.branch[f"{number}.{position}"]
        branch.row = pyo.Constraint(pyo.Any)
        for row in disjunct.rows:
            branch.row[row.name] = _stated(row, row.body)
        if disjunct.indicator is not None:
            _link(block, f"{number}.{position}", disjunct.indicator, disjunct.negated, branch.binary_indicator_var)
        branches.append(branch)
    block.choice[number] = branches
    doubts = _doubts(disjunction) if disjunction.reform == "bigm" and disjunction.value is not None else []
    hull = disjunction.reform == "chull"
    options = {} if disjunction.value is None else {"EPS" if hull else "bigM": disjunction.value}
    try:
        pyo.TransformationFactory("gdp.hull" if hull else "gdp.bigm").apply_to(model, targets=[block.choice[number]], **options)
    except UNDEFINED as error:
        raise RefusedError(_refusal(disjunction, error)) from error
    return doubts


def _by_sos1(block: Any, number: int, disjunction: Disjunction) -> dict[str, list[Any]]:
    """The rows with their slacks; the pairs of slack and indicator of which one is 0."""
    indicators = []
    pairs = {}
    for position, disjunct in enumerate(disjunction.disjuncts, start=1):
        key = f"{number}.{position}"
        indicator = block.indicator[key]
        indicators.append(indicator)
        if disjunct.indicator is not None:
            _link(block, key, disjunct.indicator, disjunct.negated, indicator)
        for row in disjunct.rows:
            for side, bound, sign in (("lower", row.lower, 1), ("upper", row.upper, -1)):
                if bound is None:
                    continue
                name = f"{key} {row.name}.{side}"
                slack = block.slack[name]
                block.row[name] = sign * (row.body - bound) + slack >= 0
                pairs[name] = [slack, indicator]
    block.one[number] = sum(indicators) == 1
    return pairs


def _link(block: Any, key: str, told: Any, negated: bool, indicator: Any) -> None:
    block.link[key] = (1 - told if negated else told) == indicator


def _stated(row: Row, body: Any) -> Any:
    return body == row.lower if row.is_equality else (row.lower, body, row.upper)


def _doubts(disjunction: Disjunction) -> list[str]:
    """Rows for which the given M is not shown to be large enough by the bounds of their variables."""
    assert disjunction.value is not None
    said = []
    for disjunct in disjunction.disjuncts:
        for row in disjunct.rows:
            needed = _needed(row)
            if needed > disjunction.value:
                why = (
                    "the bounds of its variables prove none"
                    if math.isinf(needed)
                    else f"the bounds of its variables allow {needed:g}"
                )
                given = f"M = {disjunction.value:g} of `{row.name}` was given, not proven"
                said.append(f"{given} ({why}): optimality holds only if no solution needs more")
    return said


def _needed(row: Row) -> float:
    """The largest violation of the row that the bounds of its variables allow; inf where they allow any."""
    try:
        lower, upper = ExpressionBoundsVisitor(use_fixed_var_values_as_bounds=True).walk_expression(row.body)
    except UNDEFINED:
        return math.inf
    above = upper - row.upper if row.upper is not None else 0.0
    below = row.lower - lower if row.lower is not None else 0.0
    return max(float(above), float(below), 0.0)


def _refusal(disjunction: Disjunction, error: Exception) -> list[Diagnostic]:
    words = " ".join(str(error).split())
    reform = disjunction.reform
    said = f"`{reform}` cannot state the {disjunction.name}: {words}"
    help = "bound the variables of its rows, or write `disjunction indic ...`, which needs no bound"
    if reform == "chull":
        help += "; with a bound of your own, `disjunction bigm M ...`"
    return [Diagnostic("R1", said, help)]
