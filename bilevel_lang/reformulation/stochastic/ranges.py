"""What variables and rows can be worth in each scenario, by propagation of bounds: the source of every big-M here."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from bilevel_lang.reformulation.linear.bounds.box import Box, product_interval
from bilevel_lang.reformulation.linear.bounds.propagation import propagate
from bilevel_lang.reformulation.stochastic.arrays import TwoStageArrays
from bilevel_lang.solvers.program import Floats

_NO_PAIRS = (np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))


def column_ranges(arrays: TwoStageArrays, without: tuple[int, ...] = ()) -> tuple[Floats, Floats]:
    """Least and largest values (S, n1 + n2) of all columns; rows ``without`` (of the second stage) do not count.

    Infinite where nothing bounds a column. The rows of the first stage and of the scenario itself are used.
    """
    lows, ups = [], []
    kept = np.setdiff1d(np.arange(len(arrays.row_lower)), np.array(without, dtype=np.int64))
    first = arrays.first
    for number in range(arrays.scenarios):
        part = arrays.scenario(number)
        padded = sp.hstack([first.matrix, sp.csr_matrix((first.rows, len(arrays.lower)))])
        matrix = sp.vstack([padded, sp.hstack([part.technology, part.recourse]).tocsr()[kept]]).tocsr()
        box = Box(np.concatenate([first.lower, part.lower]), np.concatenate([first.upper, part.upper]))
        low, up = np.concatenate([first.row_lower, part.row_lower[kept]]), np.concatenate([first.row_upper, part.row_upper[kept]])
        propagate(box, matrix, low, up, _NO_PAIRS)
        lows.append(box.lower)
        ups.append(box.upper)
    return np.array(lows), np.array(ups)


def row_ranges(arrays: TwoStageArrays, rows: tuple[int, ...], ranges: tuple[Floats, Floats]) -> tuple[Floats, Floats]:
    """Least and largest values (S, len(rows)) of second-stage rows over the :func:`column_ranges`."""
    least = np.zeros((arrays.scenarios, len(rows)))
    most = np.zeros((arrays.scenarios, len(rows)))
    low, up = ranges
    for number in range(arrays.scenarios):
        part = arrays.scenario(number)
        matrix = sp.hstack([part.technology, part.recourse]).tocsr()[list(rows)]
        least[number], most[number] = product_interval(matrix, low[number], up[number])
    return least, most
