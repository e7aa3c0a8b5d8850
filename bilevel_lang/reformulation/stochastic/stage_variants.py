"""Scenarios that differ in sides, bounds and costs alone, at many first-stage decisions: variants of one LP.

Rows with a single column of the second stage (y <= capacity x) are bounds of it here, so that the LP has the other rows alone;
the column's reduced cost is then the multiplier of the row that is the tightest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp

from bilevel_lang.errors import RefusedError, SolverFailedError
from bilevel_lang.reformulation.stochastic.arrays import TwoStageArrays
from bilevel_lang.reformulation.stochastic.proven_costs import proven_costs, usable
from bilevel_lang.solvers.hot_variants import VariantSolver
from bilevel_lang.solvers.matrix import Flags, Ints, MatrixProgram
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.solver import SolverOptions, Termination
from bilevel_lang.solvers.variants import Variants

CROSSED = 1e-9
"""Bounds that miss each other by less (relative to max(1, |bound|)) are one: what a row's tolerance would have given."""


@dataclass(frozen=True, eq=False)
class _Data:
    """Of k variants: the second stage's data (k, ...), each with what its decision leaves of the sides."""

    lower: Floats
    upper: Floats
    row_lower: Floats
    row_upper: Floats
    cost: Floats
    constant: Floats


class StageVariants:
    """``arrays`` must have the same recourse matrix in every scenario. ``size``: columns and rows of the LP; ``told``: columns
    whose costs by themselves are wanted."""

    def __init__(self, arrays: TwoStageArrays, told: Ints | None = None) -> None:
        self.arrays = arrays
        self._told = np.zeros(0, dtype=np.int64) if told is None else told
        matrix = sp.csr_matrix(arrays.recourse)
        matrix.eliminate_zeros()
        self._matrix = matrix
        entries = np.diff(matrix.indptr)
        self._single = np.flatnonzero(entries == 1)
        self._others = np.flatnonzero(entries != 1)
        self._column = matrix.indices[matrix.indptr[self._single]]
        self._weight = matrix.data[matrix.indptr[self._single]]
        self._layers = _layers(self._column)
        first = arrays.scenario(0)
        self.base = MatrixProgram(
            first.lower,
            first.upper,
            np.zeros(len(first.cost), dtype=bool),
            arrays.sense * first.cost,
            sp.csr_matrix(matrix[self._others]),
            first.row_lower[self._others],
            first.row_upper[self._others],
        )
        self.size = self.base.columns + self.base.rows
        self._solver = VariantSolver(self.base, SolverOptions())
        moving = self._moving("row_lower", "row_upper") | (np.diff(arrays.technology.indptr) > 0)
        self._rows = _indices(moving[self._others])
        bounds = self._moving("lower", "upper")
        bounds[self._column] = True
        self._columns = _indices(bounds)
        self._costly = _indices(self._moving("cost"))

    def solve(self, scenario: Ints, points: Floats) -> tuple[Floats, Floats, Floats, Floats]:
        """Values (k,), what multipliers prove of them (k,), +inf without an answer, slopes (k, n1), NaN without, and what the
        columns ``told`` cost (k,), 0 without, of ``scenario`` (k,) at ``points`` (k, n1).

        Raises RefusedError for an unbounded one, SolverFailedError where HiGHS gives up.
        """
        data = self._data(scenario, points)
        lower, upper, tight_low, tight_up = self._bounds(data)
        row_lower, row_upper = data.row_lower[:, self._others], data.row_upper[:, self._others]
        variants = Variants(
            len(points),
            rows=self._rows,
            row_lower=_part(row_lower, self._rows),
            row_upper=_part(row_upper, self._rows),
            columns=self._columns,
            lower=_part(lower, self._columns),
            upper=_part(upper, self._columns),
            costly=self._costly,
            cost=_part(data.cost, self._costly),
        )
        answers = self._solver.solve(variants)
        good = np.array([t is Termination.OPTIMAL for t in answers.terminations], dtype=bool)
        for at in np.flatnonzero(~good).tolist():
            _refuse(answers.terminations[at], int(scenario[at]))
        assert answers.row_duals is not None
        values = np.where(good, (data.cost * answers.x).sum(axis=1) + data.constant, np.inf)
        reduced = data.cost - np.asarray((self.base.matrix.T @ answers.row_duals.T).T)
        duals = np.zeros((len(points), len(self.arrays.row_lower)))
        duals[:, self._others] = answers.row_duals
        self._spread(duals, reduced, tight_low, tight_up)
        sides, bounds = (data.row_lower, data.row_upper), (data.lower, data.upper)
        duals = usable(duals, sides)
        least = proven_costs(data.cost, self._matrix, duals, sides, bounds) + data.constant
        told = np.where(good, (data.cost[:, self._told] * answers.x[:, self._told]).sum(axis=1), 0.0)
        return values, np.where(good, least, np.inf), self._slopes(duals, scenario, good, points.shape), told

    def _moving(self, *slots: str) -> Flags:
        """Where something differs from scenario to scenario."""
        moving = np.zeros(len(self.arrays.slot(slots[0])), dtype=bool)
        for name in slots:
            if (found := self.arrays.varying.get(name)) is not None:
                moving[found.places] = True
        return moving

    def _data(self, scenario: Ints, points: Floats) -> _Data:
        k, arrays = len(points), self.arrays
        m, n = len(arrays.row_lower), len(arrays.lower)
        low, up, lower, upper, cost = np.empty((k, m)), np.empty((k, m)), np.empty((k, n)), np.empty((k, n)), np.empty((k, n))
        constant = np.empty(k)
        for number in np.unique(scenario).tolist():
            part, mine = arrays.scenario(number), scenario == number
            shift = np.asarray((part.technology @ points[mine].T).T)
            low[mine], up[mine] = part.row_lower - shift, part.row_upper - shift
            lower[mine], upper[mine] = part.lower, part.upper
            cost[mine], constant[mine] = arrays.sense * part.cost, arrays.sense * part.constant
        return _Data(lower, upper, low, up, cost, constant)

    def _bounds(self, data: _Data) -> tuple[Floats, Floats, Ints, Ints]:
        """Bounds with the single rows in them, and which single row each one comes from; -1 for the column's own."""
        lower, upper = data.lower.copy(), data.upper.copy()
        tight_low, tight_up = np.full(lower.shape, -1), np.full(lower.shape, -1)
        for layer in self._layers:
            row, j, weight = self._single[layer], self._column[layer], self._weight[layer]
            ends = data.row_lower[:, row] / weight, data.row_upper[:, row] / weight
            low, up = np.where(weight > 0, ends[0], ends[1]), np.where(weight > 0, ends[1], ends[0])
            tight_low[:, j] = np.where(low > lower[:, j], layer, tight_low[:, j])
            tight_up[:, j] = np.where(up < upper[:, j], layer, tight_up[:, j])
            lower[:, j], upper[:, j] = np.maximum(low, lower[:, j]), np.minimum(up, upper[:, j])
        nearly = (lower > upper) & (lower - upper <= CROSSED * np.maximum(1.0, np.abs(upper)))
        upper[nearly] = lower[nearly]
        return lower, upper, tight_low, tight_up

    def _spread(self, duals: Floats, reduced: Floats, tight_low: Ints, tight_up: Ints) -> None:
        """Reduced costs to the single rows that they are multipliers of."""
        for tight, side in ((tight_low, reduced > 0), (tight_up, reduced < 0)):
            at, j = np.nonzero(side & (tight >= 0))
            k = tight[at, j]
            duals[at, self._single[k]] = reduced[at, j] / self._weight[k]

    def _slopes(self, duals: Floats, scenario: Ints, good: np.ndarray, shape: tuple[int, ...]) -> Floats:
        slopes = np.full(shape, np.nan)
        for number in np.unique(scenario).tolist():
            mine = good & (scenario == number)
            slopes[mine] = -np.asarray((self.arrays.scenario(number).technology.T @ duals[mine].T).T)
        return slopes


def _layers(columns: Ints) -> list[Ints]:
    """Places of ``columns``, each column at most once in a layer."""
    order = np.argsort(columns, kind="stable")
    starts = np.concatenate([[True], columns[order][1:] != columns[order][:-1]]) if len(columns) else np.zeros(0, dtype=bool)
    begin = np.flatnonzero(starts)
    number = np.arange(len(columns)) - np.repeat(begin, np.diff(np.append(begin, len(columns))))
    return [order[number == k] for k in range(int(number.max(initial=-1)) + 1)]


def _indices(flags: Flags) -> Any:
    """Places as HiGHS counts them."""
    return np.flatnonzero(flags).astype(np.int32)


def _part(values: Floats, places: Ints) -> Floats:
    return np.ascontiguousarray(values[:, places])


def _refuse(termination: Termination, number: int) -> None:
    if termination is Termination.UNBOUNDED:
        raise without_limit(number)
    if termination not in (Termination.INFEASIBLE, Termination.INFEASIBLE_OR_UNBOUNDED):
        raise SolverFailedError(
            f"HiGHS could not solve the second stage in scenario {number + 1}: {termination.value}", help="rescale the model"
        )


def without_limit(number: int) -> RefusedError:
    """The error for a scenario (from 0) whose second stage is unbounded."""
    return RefusedError(
        f"the second stage costs less and less without end in scenario {number + 1}",
        help="give its variables bounds, or look for a cost of the wrong sign",
    )
