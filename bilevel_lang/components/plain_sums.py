"""Sums of ``number * variable``, which large models consist of, read and made directly."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pyomo.core.base.var import ScalarVar, VarData
from pyomo.core.expr.numeric_expr import (
    LinearExpression,
    MonomialTermExpression,
    NegationExpression,
    ProductExpression,
    SumExpression,
)

_SUMS = frozenset({SumExpression, LinearExpression})
_NUMBERS = frozenset[Any]({int, float})
_VARIABLES = frozenset({VarData, ScalarVar})
_LINEAR = frozenset({MonomialTermExpression, VarData, ScalarVar})


def coefficients(expression: Any) -> list[tuple[Any, float]] | None:
    """(variable, coefficient), each unfixed variable once, in the order of the text, without zeros; None for any other form."""
    terms = expression._args_[: expression._nargs] if expression.__class__ in _SUMS else (expression,)
    found: dict[int, tuple[Any, float]] = {}
    for term in terms:
        kind = term.__class__
        if kind is MonomialTermExpression:
            factor, variable = term._args_
            if factor.__class__ not in _NUMBERS:
                return None
        elif kind in _NUMBERS:
            continue
        elif kind in _VARIABLES:
            factor, variable = 1, term
        else:
            nested = _nested(expression)
            return None if nested is None else _joined_terms(nested[1])
        if variable._fixed:
            continue
        key = id(variable)
        found[key] = (variable, found[key][1] + factor) if key in found else (variable, factor)
    return [pair for pair in found.values() if pair[1] != 0]


def _joined_terms(terms: Iterable[tuple[float, Any]]) -> list[tuple[Any, float]]:
    found: dict[int, tuple[Any, float]] = {}
    for factor, variable in terms:
        if not variable._fixed:
            key = id(variable)
            found[key] = (variable, found[key][1] + factor) if key in found else (variable, factor)
    return [pair for pair in found.values() if pair[1] != 0]


def plain_terms(expression: Any) -> tuple[float, list[tuple[float, Any]]] | None:
    """(constant, (factor, variable) of each term as it is written, fixed variables too); None for any other form."""
    found: list[tuple[float, Any]] = []
    constant = 0.0
    for term in expression._args_[: expression._nargs] if expression.__class__ in _SUMS else (expression,):
        kind = term.__class__
        if kind is MonomialTermExpression and term._args_[0].__class__ in _NUMBERS:
            found.append(term._args_)
        elif kind in _NUMBERS:
            constant += term
        elif kind in _VARIABLES:
            found.append((1, term))
        else:
            return _nested(expression)
    return constant, found


def _nested(expression: Any) -> tuple[float, list[tuple[float, Any]]] | None:
    """The same with sums in sums, their negatives and multiples: ``a + b >= c + d`` is stored with ``-(a + b)``."""
    found: list[tuple[float, Any]] = []
    constant = 0.0
    waiting: list[tuple[float, Any]] = [(1, expression)]
    while waiting:
        weight, node = waiting.pop()
        kind = node.__class__
        if kind is MonomialTermExpression and node._args_[0].__class__ in _NUMBERS:
            found.append((weight * node._args_[0], node._args_[1]))
        elif kind in _NUMBERS:
            constant += weight * node
        elif kind in _VARIABLES:
            found.append((weight, node))
        elif kind in _SUMS:
            waiting += [(weight, term) for term in reversed(node._args_[: node._nargs])]
        elif kind is NegationExpression:
            waiting.append((-weight, node._args_[0]))
        elif kind is ProductExpression and node._args_[0].__class__ in _NUMBERS:
            waiting.append((weight * node._args_[0], node._args_[1]))
        else:
            return None
    return constant, found


def total(terms: Iterable[Any]) -> Any:
    """The same as ``sum(terms)``; 0 without any. A list may become part of the sum: nothing is to be changed in it later."""
    terms = terms if terms.__class__ is list else list(terms)
    if len(terms) > 1 and (_LINEAR.issuperset(map(type, terms)) or _LINEAR.issuperset(map(type, terms[1:]))):
        head = terms[0].__class__
        if head in _LINEAR or (head in _NUMBERS and terms[0]):
            return LinearExpression(terms)
    first: Any = 0
    kept: list[Any] = []
    for place, term in enumerate(terms):
        if term.__class__ in _NUMBERS:
            if kept and term != 0:
                kept.append(term)
            elif not kept:
                first += term
        elif term.__class__ in _LINEAR:
            kept.append(term)
        else:
            return sum(terms[place:], _joined(first, kept))
    return _joined(first, kept)


def _joined(first: Any, kept: list[Any]) -> Any:
    """Pyomo's own form of a sum of a number and plain terms."""
    if first:
        kept = [first, *kept]
    if len(kept) < 2:
        return kept[0] if kept else first
    return LinearExpression(kept)
