"""A MILP seen as knapsacks, the rows that tie them together, and the columns that are in none."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.sparse as sp

from bilevel_lang.solvers.branch_and_price.knapsacks import Knapsacks, knapsacks_of
from bilevel_lang.solvers.highs_instance import whole_bounds
from bilevel_lang.solvers.matrix import Flags, Ints, MatrixProgram, no_pairs
from bilevel_lang.solvers.program import CROSSED_TOLERANCE, Floats

WHOLE = 1e-6
"""How far a column may be off a whole number and counts as one."""


@dataclass(frozen=True, eq=False)
class BlockForm:
    """``program`` with its ``knapsacks``. ``free`` columns are in none of them.

    Rows of one column are bounds: row ``single[i]`` is ``factor[i] y[column[i]]``. All other rows are ``linking`` (l,); below
    them, ``matrix`` (l + g, n) has g rows that count the columns of one price (:func:`one_price`).
    """

    program: MatrixProgram
    knapsacks: Knapsacks
    linking: Ints
    matrix: sp.csc_matrix
    single: Ints
    column: Ints
    factor: Floats
    free: Ints

    @property
    def counts(self) -> int:
        """g, the rows that count."""
        return int(self.matrix.shape[0]) - len(self.linking)

    @cached_property
    def columns(self) -> sp.csr_matrix:
        """``matrix`` transposed (n, l + g), which each pricing multiplies by its duals."""
        return sp.csr_matrix(self.matrix.T)

    def bounds(self, lower: Floats, upper: Floats, row_lower: Floats, row_upper: Floats) -> tuple[Floats, Floats]:
        """Bounds (n,) with those of the single rows, whole for whole columns; they cross where there is no answer."""
        low, up = lower.copy(), upper.copy()
        ends = row_lower[self.single] / self.factor, row_upper[self.single] / self.factor
        np.maximum.at(low, self.column, np.where(self.factor > 0, ends[0], ends[1]))
        np.minimum.at(up, self.column, np.where(self.factor > 0, ends[1], ends[0]))
        low, up = whole_bounds(low, up, self.program.integer)
        with np.errstate(invalid="ignore"):
            touching = (low > up) & (low - up <= CROSSED_TOLERANCE * np.maximum(1.0, np.abs(low)))
        up[touching] = low[touching]
        return low, up


def block_form(program: MatrixProgram) -> BlockForm | None:
    """The form, or None where fewer than half of the whole columns are in knapsacks."""
    matrix = sp.csr_matrix(program.matrix, copy=True)
    matrix.eliminate_zeros()
    entries = np.diff(matrix.indptr)
    knapsacks = knapsacks_of(program, matrix)
    if knapsacks is None or 2 * int((knapsacks.weights > 0).sum()) < int(program.integer.sum()):
        return None
    single = np.flatnonzero(entries == 1)
    linking = np.setdiff1d(np.flatnonzero(entries != 1), knapsacks.rows)
    inside = np.zeros(program.columns + 1, dtype=bool)
    inside[knapsacks.items] = True
    counting = one_price(program.integer, program.cost)
    rows = [matrix[linking]]
    if counting.size:
        ones = (np.ones(len(counting)), (np.zeros(len(counting), dtype=np.int64), counting))
        rows.append(sp.csr_matrix(ones, shape=(1, program.columns)))
    return BlockForm(
        program=program,
        knapsacks=knapsacks,
        linking=linking,
        matrix=sp.csc_matrix(sp.vstack(rows)),
        single=single,
        column=matrix.indices[matrix.indptr[single]].astype(np.int64),
        factor=matrix.data[matrix.indptr[single]],
        free=np.flatnonzero(~inside[:-1]),
    )


def one_price(integer: Flags, cost: Floats) -> Ints:
    """The ``integer`` columns (n,) of ``cost`` (n,) that share the highest price which several have.

    Often they are penalties, of which a relaxation takes a part.

    How many of them there are is worth more as a branching than any single one, as the others take over what one may not.
    """
    whole = np.flatnonzero(integer & (cost != 0))
    prices, which, count = np.unique(cost[whole], return_inverse=True, return_counts=True)
    several = np.flatnonzero(count > 1)
    if not several.size:
        return no_pairs()[:, 0]
    found: Ints = whole[which == several[np.abs(prices[several]).argmax()]]
    return found
