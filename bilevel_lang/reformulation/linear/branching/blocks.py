"""A linear program with complementarity in two parts that share no row: what costs something, and the rest.

Rows connect columns; what no row connects falls apart. Of the KKT system of an LP follower, the decisions with their slacks are
one part (the objective is there) and the multipliers another: only pairs lead from one to the other. Its LP relaxation is then
two small LPs instead of one large, and one of them is a mere question of feasibility.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

from bilevel_lang.solvers.matrix import Flags, Ints, MatrixProgram
from bilevel_lang.solvers.program import Floats


@dataclass(frozen=True, eq=False)
class Block:
    """A part of a program as a program of its own (a minimisation). ``columns``: its columns' numbers in the whole.

    It may fall apart further: ``part_of_row`` and ``part_of_column`` number its connected ``parts``.
    """

    columns: Ints
    program: MatrixProgram
    parts: int
    part_of_row: Ints
    part_of_column: Ints


@dataclass(frozen=True, eq=False)
class Blocks:
    """``main`` has the objective, ``rest`` has none.

    Pair k is (``first[k]``, ``second[k]``). ``first`` is always a column of ``main``; ``second`` one of ``rest``, or of ``main``
    where ``inner[k]``. Both number columns within their block.
    """

    main: Block
    rest: Block
    first: Ints
    second: Ints
    inner: Flags

    def joined(self, x: Floats, y: Floats) -> Floats:
        """The whole program's columns from those of ``main`` and ``rest``."""
        whole = np.empty(len(x) + len(y))
        whole[self.main.columns], whole[self.rest.columns] = x, y
        return whole


def split(program: MatrixProgram, left: Ints, right: Ints) -> Blocks:
    """The blocks of a linear, continuous ``program`` with pairs ``0 <= z[left] _|_ z[right] >= 0``."""
    of_row, of_column = _components(program.matrix)
    costly = np.zeros(int(max(of_row.max(initial=-1), of_column.max(initial=-1))) + 1, dtype=bool)
    costly[of_column[program.cost != 0]] = True
    # A pair within the rest would leave complementarity to something that only knows LPs: such parts go to the main block.
    while (outside := np.flatnonzero(~costly[of_column[left]] & ~costly[of_column[right]])).size:
        costly[of_column[left[outside[0]]]] = True
    in_main = costly[of_column]
    main = _block(program, costly[of_row], in_main, of_row, of_column)
    rest = _block(program, ~costly[of_row], ~in_main, of_row, of_column)
    place = np.empty(program.columns, dtype=np.int64)
    place[main.columns], place[rest.columns] = np.arange(len(main.columns)), np.arange(len(rest.columns))
    swap = ~in_main[left]
    first, second = np.where(swap, right, left), np.where(swap, left, right)
    return Blocks(main, rest, place[first], place[second], in_main[second])


def _components(matrix: sp.csr_matrix) -> tuple[Ints, Ints]:
    """The number of the connected part of every row and of every column."""
    rows, columns = matrix.shape
    links = sp.coo_matrix(matrix)
    graph = sp.coo_matrix((np.ones(links.nnz), (links.row, links.col + rows)), shape=(rows + columns, rows + columns))
    _, part = connected_components(graph, directed=False)
    return part[:rows].astype(np.int64), part[rows:].astype(np.int64)


def _block(program: MatrixProgram, rows: Flags, in_block: Flags, of_row: Ints, of_column: Ints) -> Block:
    columns = np.flatnonzero(in_block)
    part = MatrixProgram(
        lower=program.lower[columns],
        upper=program.upper[columns],
        integer=np.zeros(len(columns), dtype=bool),
        cost=program.sense * program.cost[columns],
        matrix=sp.csr_matrix(program.matrix)[np.flatnonzero(rows)][:, columns],
        row_lower=program.row_lower[rows],
        row_upper=program.row_upper[rows],
    )
    numbers, parts = np.unique(np.concatenate([of_row[rows], of_column[columns]]), return_inverse=True)
    count = int(rows.sum())
    return Block(columns, part, len(numbers), parts[:count].astype(np.int64), parts[count:].astype(np.int64))
