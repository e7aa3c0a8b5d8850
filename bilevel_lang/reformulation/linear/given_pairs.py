"""Complementarities that the modeller wrote with ``pyomo.mpec``, as columns of an MPEC on arrays.

What a condition of which form states is known to :mod:`bilevel_lang.reformulation.complementarity.pairs`; parts of mixed
conditions become variables of a block of our own, which is no part of the model.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyomo.environ as pyo
import scipy.sparse as sp

from bilevel_lang.components.forms import Affine, Columns
from bilevel_lang.reformulation.complementarity.pairs import Pair, conditions, pairs_of
from bilevel_lang.reformulation.linear.conditions import Conditions
from bilevel_lang.reformulation.linear.mpec import Side

NOBODY = -1
"""The number of the agent in the labels of these pairs."""


@dataclass(frozen=True, eq=False)
class GivenPair:
    """``0 <= left _|_ right >= 0`` over the modeller's columns."""

    label: Pair
    left: Affine
    right: Affine


@dataclass(frozen=True, eq=False)
class GivenPairs:
    """``rows``: what the conditions state besides, equalities as constraints."""

    pairs: tuple[GivenPair, ...]
    rows: tuple[Any, ...]

    def add_to(self, conditions: Conditions) -> None:
        """A pair of columns each. A side that is a variable is its own column, >= 0 from now on; others become slacks."""
        taken: set[int] = {*conditions.left, *conditions.right}
        for pair in self.pairs:
            conditions.left.append(_column(pair.left, conditions, taken))
            conditions.right.append(_column(pair.right, conditions, taken))
            conditions.labels.append(Side(NOBODY, pair.label, None, ""))


def read_pairs(model: Any, columns: Columns) -> GivenPairs:
    """The active complementarities of ``model``. Raises NotQuadraticError for one that is not linear.

    RefusedError for a condition that is none of the forms of ``pyomo.mpec``.
    """
    block = pyo.Block(concrete=True)
    block.part = pyo.Var(pyo.Any, domain=pyo.NonNegativeReals, dense=False)
    block.row = pyo.Constraint(pyo.Any)
    found: list[Pair] = []
    for condition in conditions(model):
        found += pairs_of(str(condition.name), condition, block)
    read = [GivenPair(pair, _form(pair.left, columns, pair), _form(pair.right, columns, pair)) for pair in found]
    return GivenPairs(tuple(read), tuple(block.row.values()))


def _form(expression: Any, columns: Columns, pair: Pair) -> Affine:
    return columns.affine(expression, f"complementarity `{pair.name}`")


def _column(form: Affine, conditions: Conditions, taken: set[int]) -> int:
    """The column that is equal to ``form`` and >= 0, in no pair yet."""
    own = _own_column(form, conditions)
    if own is not None and own not in taken:
        taken.add(own)
        conditions.lower[own] = 0.0
        return own
    slack = int(conditions.new_columns(1, 0.0, np.inf)[0])
    entries = ([*form.coefficients, -1.0], ([0] * (len(form.columns) + 1), [*form.columns, slack]))
    level = np.array([-form.constant])
    conditions.add_rows(sp.coo_matrix(entries, shape=(1, conditions.columns)), level, level)
    return slack


def _own_column(form: Affine, conditions: Conditions) -> int | None:
    """The column where ``form`` is just one, whose bounds allow 0."""
    if len(form.columns) != 1 or form.coefficients[0] != 1 or form.constant != 0:
        return None
    column = form.columns[0]
    return column if conditions.lower[column] <= 0 else None
