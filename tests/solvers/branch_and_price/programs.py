"""Random MILPs with knapsacks in them, and their answers by scipy."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import scipy.sparse as sp
from scipy.optimize import LinearConstraint, milp

from bilevel_lang.solvers.matrix import MatrixProgram


def assignment(seed: int, bins: int = 3, items: int = 5, whole: bool = True) -> MatrixProgram:
    """Items into bins, each at most once, dear where left out; weights have a decimal where not ``whole``.

    Columns: items bin by bin, then one a left-out item. Rows: rooms, items, and one bound a column of an item.
    """
    draw = np.random.default_rng(seed)
    weight = draw.integers(2, 9, (bins, items)) * (1.0 if whole else 0.7)
    n = bins * items + items
    rooms = sp.hstack([sp.block_diag(list(weight[:, None, :])), sp.csr_matrix((bins, items))])
    once = sp.hstack([sp.eye(items)] * (bins + 1))
    single = sp.hstack([sp.eye(bins * items), sp.csr_matrix((bins * items, items))])
    room = draw.integers(4, 16, bins) * (1.0 if whole else 0.7)
    return MatrixProgram(
        lower=np.zeros(n),
        upper=np.ones(n),
        integer=np.ones(n, dtype=bool),
        cost=np.concatenate([draw.integers(1, 20, bins * items), np.full(items, 40)]).astype(float),
        matrix=sp.csr_matrix(sp.vstack([rooms, once, single])),
        row_lower=np.concatenate([np.full(bins, -np.inf), np.ones(items), np.full(bins * items, -np.inf)]),
        row_upper=np.concatenate([room, np.full(items, np.inf), np.ones(bins * items)]),
    )


def mixed(seed: int) -> MatrixProgram:
    """As :func:`assignment`, and a general integer, a free column, a continuous one, rows of them all, an empty row."""
    base, draw = assignment(seed), np.random.default_rng(seed + 1000)
    n, m = base.columns, base.rows
    more = sp.csr_matrix(np.vstack([draw.integers(-2, 3, (3, n)), np.zeros((1, n))]).astype(float))
    own = sp.csr_matrix([[1.0, 0.0, 1.0], [-2.0, 1.0, 0.0], [1.0, -1.0, 1.0], [0.0, 0.0, 0.0]])
    matrix = sp.vstack([sp.hstack([base.matrix, sp.csr_matrix((m, 3))]), sp.hstack([more, own])])
    side = draw.integers(-1, 5, 3).astype(float)
    return replace(
        base,
        lower=np.append(base.lower, [-3.0, -np.inf, 0.0]),
        upper=np.append(base.upper, [4.0, np.inf, np.inf]),
        integer=np.append(base.integer, [True, False, False]),
        cost=np.append(base.cost, [float(draw.integers(-6, 7)), 2.0, 3.0]),
        matrix=sp.csr_matrix(matrix),
        row_lower=np.concatenate([base.row_lower, side, [-1.0]]),
        row_upper=np.concatenate([base.row_upper, [side[0], np.inf, np.inf, 1.0]]),
    )


def turned(program: MatrixProgram) -> MatrixProgram:
    """The same with every row multiplied by -1."""
    return replace(program, matrix=-program.matrix, row_lower=-program.row_upper, row_upper=-program.row_lower)


def moved(program: MatrixProgram, seed: int) -> MatrixProgram:
    """Another program with the same matrix: some rooms and items are shut, some sides and costs differ."""
    draw = np.random.default_rng(seed)
    upper = np.where((draw.random(program.columns) < 0.1) & (program.upper == 1), 0.0, program.upper)
    shift = np.where(draw.random(program.rows) < 0.2, draw.integers(-3, 3, program.rows), 0)
    cost = program.cost + np.where(draw.random(program.columns) < 0.1, 1.0, 0.0)
    return replace(program, upper=upper, row_lower=program.row_lower + shift, row_upper=program.row_upper + shift, cost=cost)


def known(program: MatrixProgram) -> Any:
    """scipy's answer at no gap."""
    return milp(
        program.cost,
        integrality=program.integer.astype(int),
        bounds=(program.lower, program.upper),
        constraints=LinearConstraint(program.matrix, program.row_lower, program.row_upper),
        options={"mip_rel_gap": 0.0},
    )
