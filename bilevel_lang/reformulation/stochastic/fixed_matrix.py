"""Scenario data taken out of the recourse matrix, by new units for rows and columns.

Demand d times the share y of it that is served, in the matrix, is the flow u = d y with 1 in its place: the data move to sides,
bounds and costs, which a warm LP takes without a new factorisation. In general there are positive factors r and c of rows and
columns in every scenario with W_s = diag(r_s) W diag(c_s): potentials on the graph of the matrix's entries, r_i c_j for each of
them. They exist or not, whatever order they are looked for in. Only for linear second stages: a scaled integer is none.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from bilevel_lang.reformulation.stochastic.arrays import TwoStageArrays, Varying
from bilevel_lang.solvers.matrix import Ints
from bilevel_lang.solvers.program import Floats

SAME = 1e-12
"""Relative difference of an entry from what the factors make of it, which is rounding."""

WIDEST = 1e8
"""Factors farther from 1 than this would spoil the tolerances of the solver: the matrix is left as it is."""


@dataclass(frozen=True, eq=False)
class _Factors:
    rows: Floats
    columns: Floats


def with_fixed_matrix(arrays: TwoStageArrays) -> TwoStageArrays | None:
    """The same costs of the second stage at every first-stage decision, with one matrix for all scenarios; None where no
    factors give it.

    Multipliers of the rows are those of the scaled rows, which with the scaled technology matrix give the same subgradients.
    """
    if "recourse" not in arrays.varying:
        return arrays
    factors = _factors(arrays)
    return None if factors is None else _scaled(arrays, factors)


def _factors(arrays: TwoStageArrays) -> _Factors | None:
    """Factors (S, m2) and (S, n2), from a walk through the entries; None where there are none."""
    matrix, varying = arrays.recourse, arrays.varying["recourse"]
    ratio = np.ones((arrays.scenarios, matrix.nnz))
    base = matrix.data[varying.places]
    if (base == 0).any() or (varying.values * np.sign(base) <= 0).any():
        return None
    ratio[:, varying.places] = varying.values / base
    row_of = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    factors = _walked(row_of, matrix.indices, ratio, matrix.shape)
    made = factors.rows[:, row_of] * factors.columns[:, matrix.indices]
    good = np.abs(made - ratio) <= SAME * ratio
    both = np.concatenate([factors.rows.ravel(), factors.columns.ravel()])
    return factors if good.all() and both.max() <= WIDEST and both.min() >= 1 / WIDEST else None


def _walked(row_of: Ints, column_of: Ints, ratio: Floats, shape: tuple[int, int]) -> _Factors:
    """From a first row of each connected part, whose factor is 1, along entries that need no new choice."""
    rows, columns = np.ones((len(ratio), shape[0])), np.ones((len(ratio), shape[1]))
    known_row, known_column = np.zeros(shape[0], dtype=bool), np.zeros(shape[1], dtype=bool)
    todo = np.ones(len(row_of), dtype=bool)
    while todo.any():
        from_row = todo & known_row[row_of] & ~known_column[column_of]
        from_column = todo & known_column[column_of] & ~known_row[row_of]
        todo &= ~(known_row[row_of] & known_column[column_of])
        if from_row.any():
            _, first = np.unique(column_of[from_row], return_index=True)
            at = np.flatnonzero(from_row)[first]
            columns[:, column_of[at]] = ratio[:, at] / rows[:, row_of[at]]
            known_column[column_of[at]] = True
        elif from_column.any():
            _, first = np.unique(row_of[from_column], return_index=True)
            at = np.flatnonzero(from_column)[first]
            rows[:, row_of[at]] = ratio[:, at] / columns[:, column_of[at]]
            known_row[row_of[at]] = True
        elif todo.any():
            known_row[row_of[np.flatnonzero(todo)[0]]] = True
    return _Factors(rows, columns)


def _scaled(arrays: TwoStageArrays, factors: _Factors) -> TwoStageArrays:
    """Rows divided by their factors, and columns in units that are 1 / their factor of the old ones."""
    technology = arrays.technology
    row_of = np.repeat(np.arange(technology.shape[0]), np.diff(technology.indptr))
    full = {
        "cost": arrays.everywhere("cost") / factors.columns,
        "lower": arrays.everywhere("lower") * factors.columns,
        "upper": arrays.everywhere("upper") * factors.columns,
        "row_lower": arrays.everywhere("row_lower") / factors.rows,
        "row_upper": arrays.everywhere("row_upper") / factors.rows,
        "technology": arrays.everywhere("technology") / factors.rows[:, row_of],
    }
    varying = {name: found for name, values in full.items() if (found := _varying(values)) is not None}
    kept = {name: v for name, v in arrays.varying.items() if name not in full and name != "recourse"}
    bases = {name: values[0] for name, values in full.items() if name != "technology"}
    scaled = technology.copy()
    scaled.data = full["technology"][0].copy()
    return replace(arrays, technology=scaled, varying={**kept, **varying}, **bases)


def _varying(values: Floats) -> Varying | None:
    places = np.flatnonzero((values != values[0]).any(axis=0))
    return Varying(places, np.ascontiguousarray(values[:, places])) if places.size else None
