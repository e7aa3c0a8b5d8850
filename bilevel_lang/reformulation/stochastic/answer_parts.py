"""The whole answers of a second stage, part by part: columns that no row ties to others are listed by themselves.

Three tasks of three periods each have 27 answers in a period and 19,683 in all; of parts only the 81 are looked at.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

from bilevel_lang.reformulation.linear.bounds.box import Box
from bilevel_lang.reformulation.linear.bounds.propagation import propagate
from bilevel_lang.reformulation.stochastic.arrays import TwoStageArrays
from bilevel_lang.solvers.matrix import Flags, Ints
from bilevel_lang.solvers.program import Floats

MOST_CELLS = 200_000
"""Whole points within the bounds that are looked at to find the answers of a part."""

MOST_ANSWERS = 5_000
"""Of a part."""

MOST_NUMBERS = 20_000_000
"""Of tables that every scenario has for itself, where costs, bounds or the matrix are random."""

FEASIBILITY = 1e-9
"""How far a row may be missed, relative to max(1, |side|), where a bound is proven."""

_NO_PAIRS = (np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))


@dataclass(frozen=True, eq=False)
class Part:
    """``answers`` (c, columns) of some ``columns``; their ``rows`` are those that depend on a decision or on random data."""

    columns: Ints
    rows: Ints
    answers: Floats


def listed_answers(arrays: TwoStageArrays) -> tuple[Part, ...] | None:
    """Every whole answer that some decision and scenario may admit; None where listing does not pay.

    It does where all columns of the second stage are whole and bounded, by themselves or by rows, what a decision takes of the
    rows is the same in every scenario, and few points are left in each part.
    """
    if not len(arrays.lower) or not arrays.integer.all() or "technology" in arrays.varying:
        return None
    widest = _Widest(arrays)
    if not (np.isfinite(widest.lower).all() and np.isfinite(widest.upper).all()):
        return None
    parts: list[Part] = []
    for columns, rows in _components(arrays.recourse):
        answers = _answers(arrays, widest, columns, rows)
        if answers is None:
            return None
        parts.append(Part(columns, rows[~widest.settled[rows]], answers))
    own = any(name in arrays.varying for name in ("cost", "lower", "upper", "recourse"))
    if own and arrays.scenarios * sum(p.answers.shape[0] * (1 + len(p.rows)) for p in parts) > MOST_NUMBERS:
        return None
    return tuple(parts)


class _Widest:
    """Over all scenarios and the first stage's box, tightened by each other: ``lower`` and ``upper`` (n2,) whole bounds, the
    sides ``row_lower`` and ``row_upper`` (m2,) less what a decision may take of them.

    ``alike`` (m2,): rows of the same coefficients in every scenario; ``settled``: those whose sides are the same everywhere, too.
    """

    def __init__(self, arrays: TwoStageArrays) -> None:
        self.alike = ~_varying_rows(arrays)
        self.row_lower, self.row_upper = self._tightened(arrays)
        decided = np.diff(arrays.technology.indptr) > 0
        random = np.zeros(len(decided), dtype=bool)
        for name in ("row_lower", "row_upper"):
            if name in arrays.varying:
                random[arrays.varying[name].places] = True
        self.settled: Flags = self.alike & ~decided & ~random

    def _tightened(self, arrays: TwoStageArrays) -> tuple[Floats, Floats]:
        first, n1 = arrays.first, len(arrays.first.lower)
        ends = {name: arrays.everywhere(name) for name in ("lower", "upper", "row_lower", "row_upper")}
        low, up = ends["row_lower"].min(axis=0), ends["row_upper"].max(axis=0)
        box = Box(
            np.concatenate([first.lower, ends["lower"].min(axis=0)]), np.concatenate([first.upper, ends["upper"].max(axis=0)])
        )
        matrix = sp.csr_matrix(sp.hstack([arrays.technology, arrays.recourse]))
        propagate(box, matrix[self.alike], low[self.alike], up[self.alike], _NO_PAIRS)
        self.lower, self.upper = np.ceil(box.lower[n1:] - 1e-6) + 0.0, np.floor(box.upper[n1:] + 1e-6)
        least, most = box.lower[:n1], box.upper[:n1]
        plus, minus = arrays.technology.maximum(0), arrays.technology.minimum(0)
        with np.errstate(invalid="ignore"):
            shift_low = np.nan_to_num(plus @ least + minus @ most, nan=-np.inf)
            shift_up = np.nan_to_num(plus @ most + minus @ least, nan=np.inf)
        return low - shift_up, up - shift_low


def _varying_rows(arrays: TwoStageArrays) -> Flags:
    """(m2,): rows of the recourse matrix with a random coefficient."""
    found = np.zeros(arrays.recourse.shape[0], dtype=bool)
    if "recourse" in arrays.varying:
        found[np.searchsorted(arrays.recourse.indptr, arrays.varying["recourse"].places, side="right") - 1] = True
    return found


def _components(recourse: sp.csr_matrix) -> list[tuple[Ints, Ints]]:
    """Columns and rows of each part; rows without a column are one part, with no columns."""
    rows, columns = recourse.shape
    graph = sp.bmat([[None, recourse != 0], [(recourse != 0).T, None]], format="csr") if columns else None
    assert graph is not None
    _, label = connected_components(graph, directed=False)
    row_label, column_label = label[:rows], label[rows:]
    parts = [(np.flatnonzero(column_label == k), np.flatnonzero(row_label == k)) for k in np.unique(column_label)]
    alone = np.flatnonzero(~np.isin(row_label, column_label))
    return parts + ([(np.zeros(0, dtype=np.int64), alone)] if len(alone) else [])


def _answers(arrays: TwoStageArrays, widest: _Widest, columns: Ints, rows: Ints) -> Floats | None:
    """(c, columns) of one part; None where there are too many."""
    lower, upper = widest.lower[columns], widest.upper[columns]
    if math.prod(np.maximum(0, upper - lower + 1).tolist()) > MOST_CELLS:
        return None
    axes = [np.arange(low, up + 1) for low, up in zip(lower, upper, strict=True)]
    cells = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(axes)) if axes else np.zeros((1, 0))
    alike = rows[widest.alike[rows]]
    activity = np.asarray(arrays.recourse[alike][:, columns] @ cells.T)
    low, up = widest.row_lower[alike][:, None], widest.row_upper[alike][:, None]
    # What is compared with each decision's sides again may stay; what is settled here is held to the rows themselves.
    settled = widest.settled[alike][:, None]
    slack_low = np.where(settled, FEASIBILITY * np.maximum(1.0, np.abs(low)), 1e-6 * np.maximum(1.0, np.abs(activity)))
    slack_up = np.where(settled, FEASIBILITY * np.maximum(1.0, np.abs(up)), 1e-6 * np.maximum(1.0, np.abs(activity)))
    kept = ((activity >= low - slack_low) & (activity <= up + slack_up)).all(axis=0)
    return cells[kept] if kept.sum() <= MOST_ANSWERS else None
