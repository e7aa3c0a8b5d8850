"""Complementarity conditions of any form as pairs ``0 <= left _|_ right >= 0``."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyomo.environ as pyo
from pyomo.core.expr.numvalue import is_potentially_variable
from pyomo.core.expr.relational_expr import RangedExpression
from pyomo.mpec import Complementarity
from pyomo.repn import generate_standard_repn

from bilevel_lang.errors import RefusedError
from bilevel_lang.reformulation.rewrite import free_name


@dataclass(frozen=True, eq=False)
class Pair:
    """``left >= 0``, ``right >= 0``, ``left * right = 0``; ``name`` says where it comes from."""

    name: str
    left: Any
    right: Any
    condition: Any


def take_pairs(model: Any) -> tuple[Any, tuple[Pair, ...]]:
    """Read every active condition as pairs and deactivate it; whatever else they state becomes rows of a new block.

    Returns the block (named ``encoding``, made unique) and the pairs, each with a name of its own. Raises RefusedError for a
    condition that is none of the forms of ``pyomo.mpec``.
    """
    block = pyo.Block()
    model.add_component(free_name(model, "encoding"), block)
    block.part = pyo.Var(pyo.Any, domain=pyo.NonNegativeReals, dense=False)
    block.row = pyo.Constraint(pyo.Any)
    pairs: list[Pair] = []
    taken: set[str] = set()
    for condition in list(conditions(model)):
        name = _label(condition)
        # Two conditions of one label would overwrite each other in the components that encodings index by name.
        name = name if name not in taken else str(condition.name)
        taken.add(name)
        pairs += pairs_of(name, condition, block)
        condition.deactivate()
    return block, tuple(pairs)


def conditions(model: Any) -> Iterator[Any]:
    """The active complementarity conditions of a model."""
    return model.component_data_objects(Complementarity, active=True, descend_into=(pyo.Block,))  # type: ignore[no-any-return]


def pairs_of(name: str, condition: Any, block: Any) -> list[Pair]:
    """The forms of ``pyomo.mpec``: two one-sided inequalities, a two-sided one with a free expression, or an equality.

    ``block`` takes what else they state: rows in ``block.row``, parts of free expressions in ``block.part``.
    ``y >= lo _|_ F`` with a free F means F >= 0, as in the mixed form with an infinite upper bound.
    """
    first, second = (_finite_sides(condition._canonical_expression(side)) for side in condition._args)
    for side in (first, second):
        if len(side) == 2:
            block.row[name] = side[0] == side[1]
            return []
    if first[0] is None and first[2] is None and not _is_range(condition._args[0]):
        first, second = second, first
    low, body, up = first
    if low is None and up is None and not any(_is_range(side) for side in condition._args):
        said = f"complementarity `{condition.name}` has no bound on either side"
        raise RefusedError(said, "write `>= 0` or `<= 0` on the sides, or `lo <= y <= up` on one of them")
    if second[0] is None and second[2] is None:
        return _mixed(name, low, body, up, second[1], condition, block)
    if (low is not None and up is not None) or (second[0] is not None and second[2] is not None):
        said = f"complementarity `{condition.name}` has more than two sides"
        raise RefusedError(said, "state it as two one-sided inequalities, or as `lo <= y <= up` and a free expression")
    return [Pair(name, _one_side(first), _one_side(second), condition)]


def _is_range(argument: Any) -> bool:
    return isinstance(argument, RangedExpression)


def _finite_sides(side: tuple[Any, ...]) -> tuple[Any, ...]:
    """The canonical form with infinite bounds left out: ``-inf <= y <= 3`` is ``y <= 3``."""
    if len(side) == 2:
        return side
    low, body, up = side
    return (_finite(low), body, _finite(up))


def _finite(bound: Any) -> Any:
    return None if bound is None or not math.isfinite(_number(bound)) else bound


def _number(bound: Any) -> float:
    """A bound's value. Pyomo calls ``2 + 0*x`` fixed, whether x has a value or not."""
    if is_potentially_variable(bound):
        return float(pyo.value(generate_standard_repn(bound).constant))
    return float(pyo.value(bound))


def _one_side(side: tuple[Any, Any, Any]) -> Any:
    low, body, up = side
    return (body - low if _not_zero(low) else body) if low is not None else up - body


def _not_zero(side: Any) -> bool:
    return not (side.__class__ in (int, float) and side == 0) and _number(side) != 0


def _mixed(name: str, low: Any, body: Any, up: Any, force: Any, condition: Any, block: Any) -> list[Pair]:
    """``lo <= y <= up _|_ F``: F = plus - minus, plus pairs with y - lo, minus with up - y."""
    if low is None and up is None:
        block.row[name] = force == 0
        return []
    if up is None:
        return [Pair(name, _one_side((low, body, None)), force, condition)]
    if low is None:
        return [Pair(name, up - body, -force, condition)]
    plus, minus = block.part[f"{name}.lower"], block.part[f"{name}.upper"]
    block.row[name] = force == plus - minus
    return [
        Pair(f"{name}.lower", _one_side((low, body, None)), plus, condition),
        Pair(f"{name}.upper", up - body, minus, condition),
    ]


def _label(condition: Any) -> str:
    """The condition's own label within our ``kkt`` block, its full name elsewhere."""
    parent = condition.parent_component()
    ours = parent.local_name == "complementarity" and parent.parent_block().component("bound_multiplier") is not None
    if ours:
        return str(condition.index())
    return str(condition.name)


def as_variable(block: Any, name: str, expression: Any) -> Any:
    """A variable >= 0 that equals ``expression``: the expression itself where it is one already, else a slack with its row."""
    if is_nonnegative_variable(expression):
        return expression
    if block.component("slack") is None:
        block.slack = pyo.Var(pyo.Any, domain=pyo.NonNegativeReals, dense=False)
        block.slack_row = pyo.Constraint(pyo.Any)
    slack = block.slack[name]
    block.slack_row[name] = slack == expression
    return slack


def is_nonnegative_variable(expression: Any) -> bool:
    """Whether an expression is a variable >= 0 already, so that it needs no slack."""
    return getattr(expression, "ctype", None) is pyo.Var and expression.lb is not None and expression.lb >= 0
