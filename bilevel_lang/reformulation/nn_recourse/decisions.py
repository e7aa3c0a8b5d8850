"""First-stage decisions: the part that the second stage sees, points to ask about, and the rest that goes with them best."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from bilevel_lang.errors import RefusedError
from bilevel_lang.reformulation.nn_embed.design import every_point, latin_hypercube, neighbours
from bilevel_lang.reformulation.stochastic.arrays import TwoStageArrays
from bilevel_lang.solvers.hot_milp import HotMilp
from bilevel_lang.solvers.matrix import Ints, MatrixProgram
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.solver import SolverOptions, Termination
from bilevel_lang.solvers.warm_lp import warm_relaxation
from bilevel_lang.surrogate.bounds.input_set import InputSet, box

BUDGET = 10_000_000
"""Simplex iterations for all bounds together: no limit in practice."""

WIDENED = 1e-12
"""Relative, of bounds that follow from rows. With more, corners of the box are not in it: x <= u and u <= 1 for a binary u do not
allow 1 + 1e-9."""


def seen_columns(arrays: TwoStageArrays) -> Ints:
    """The first stage's columns that stand in a row of the second."""
    return np.unique(arrays.technology.indices).astype(np.int64)


def domain_of(arrays: TwoStageArrays, names: tuple[str, ...], method: str = "nn-embed") -> InputSet:
    """The box of all first-stage columns over the rows of the first stage.

    Raises RefusedError, for the ``method``, that names one without bounds.
    """
    first = arrays.first
    warm = warm_relaxation(first, BUDGET)
    lower, upper = first.lower.copy(), first.upper.copy()
    for j in range(first.columns):
        for bounds, sign in ((lower, -1.0), (upper, 1.0)):
            found = warm.largest(np.array([j]), np.array([sign]))
            if found.value is not None:
                reached = sign * (found.value + WIDENED * max(1.0, abs(found.value)))
                bounds[j] = max(bounds[j], reached) if sign < 0 else min(bounds[j], reached)
    lower = np.where(first.integer, np.ceil(lower - 1e-6), lower)
    upper = np.where(first.integer, np.floor(upper + 1e-6), upper)
    for name, low, up in zip(names, lower.tolist(), upper.tolist(), strict=True):
        if not (np.isfinite(low) and np.isfinite(up)):
            raise RefusedError(
                f"{method}: `{name}` has no {'upper' if np.isfinite(low) else 'lower'} bound, and none follows from the rows of "
                "the first stage",
                f"give `{name}` bounds in the model: the second stage can only be sampled in a finite box",
            )
    return box(np.minimum(lower, upper), upper, first.integer, names)


PASSES, WHOLE = 2, 1e-6
"""Of tightening, over all rows; and how near to a whole number a bound counts as one."""


@dataclass(frozen=True, eq=False)
class _Row:
    """``lower <= data'x[columns] <= upper``."""

    columns: Ints
    data: Floats
    lower: float
    upper: float


def _rows_of(first: MatrixProgram) -> tuple[_Row, ...]:
    matrix = sp.csr_matrix(first.matrix)
    matrix.eliminate_zeros()
    parts = (slice(a, b) for a, b in zip(matrix.indptr[:-1].tolist(), matrix.indptr[1:].tolist(), strict=True))
    sides = zip(parts, first.row_lower.tolist(), first.row_upper.tolist(), strict=True)
    return tuple(_Row(matrix.indices[p].astype(np.int64), matrix.data[p], low, up) for p, low, up in sides)


class Decisions:
    """Of ``arrays``; ``cost`` (n1,) is that of the minimisation, ``domain`` the box of all first-stage columns."""

    def __init__(self, arrays: TwoStageArrays, cost: Floats, domain: InputSet, seed: int) -> None:
        self.seen = seen_columns(arrays)
        first, part = arrays.first, self.seen
        self.domain = domain
        names = tuple(domain.names[j] for j in part)
        self.inputs = box(domain.lower[part], domain.upper[part], domain.integer[part], names)
        self.generator = np.random.Generator(np.random.Philox(seed))
        program = MatrixProgram(domain.lower, domain.upper, first.integer, cost, first.matrix, first.row_lower, first.row_upper)
        self._rows, self._cost = first.rows, cost
        self._row_parts = _rows_of(first)
        self._first = HotMilp(program, SolverOptions())

    @property
    def binary(self) -> bool:
        """Whether all that the second stage sees is binary: then any function of it has a convex extension."""
        return bool(self.inputs.integer.all() and (self.inputs.upper - self.inputs.lower <= 1).all())

    @property
    def prices(self) -> Floats:
        """(inputs,): what one unit of each costs in the first stage, as a minimisation."""
        return np.asarray(self._cost[self.seen])

    def all(self, most: int) -> Floats | None:
        """Every decision (k, inputs), where there are no more than ``most``; None otherwise."""
        inside = self.inputs
        few = inside.integer.all() and np.prod(inside.upper - inside.lower + 1) <= most
        return every_point(inside) if few else None

    def sample(self, count: int) -> Floats:
        """(k, inputs) all over the box; each binary decision has a share of ones of its own."""
        points = latin_hypercube(self.inputs, count, self.generator)
        if self.binary:
            share = self.generator.random((count, 1))
            points = self.inputs.lower + (self.generator.random((count, len(self.seen))) < share)
        return np.asarray(np.clip(points, self.inputs.lower, self.inputs.upper))

    def around(self, point: Floats) -> Floats:
        """(k, inputs) around ``point``."""
        return neighbours(point, self.inputs, self.generator)

    def wide(self, points: Floats) -> Floats:
        """(k, n1): ``points`` (k, inputs) at their places among all columns, 0 elsewhere."""
        found = np.zeros((len(points), self.domain.inputs))
        found[:, self.seen] = points
        return found

    def floors(self, lower: Floats, upper: Floats) -> Floats:
        """(k,) proven of the first stage's costs between ``lower`` and ``upper`` (k, n1); +inf: no row allows it."""
        if not self._rows:
            return np.asarray(np.where(self._cost > 0, lower, upper) @ self._cost)
        found = np.full(len(lower), -np.inf)
        for k, (least, most) in enumerate(zip(lower, upper, strict=True)):
            self._first.set_bounds(least, most)
            answer = self._first.solve()
            if answer.termination is Termination.OPTIMAL:
                found[k] = answer.bound
            elif answer.termination in (Termination.INFEASIBLE, Termination.INFEASIBLE_OR_UNBOUNDED):  # bounds are finite
                found[k] = np.inf
        return found

    def tightened(self, lower: Floats, upper: Floats) -> tuple[Floats, Floats]:
        """``lower`` and ``upper`` (k, n1) without what the rows of the first stage do not allow; nothing is left where a
        lower bound is above its upper one.

        One row after the other, as in the presolve of a MILP (Savelsbergh 1994, section 1.1).
        """
        lower, upper = lower.copy(), upper.copy()
        for _ in range(PASSES):
            for row in self._row_parts:
                self._tighten(row, lower, upper)
        return lower, upper

    def _tighten(self, row: _Row, lower: Floats, upper: Floats) -> None:
        """By one row, in place."""
        columns, data = row.columns, row.data
        low, up = data * lower[:, columns], data * upper[:, columns]
        least, most = np.minimum(low, up), np.maximum(low, up)
        rest_low, rest_up = least.sum(axis=1, keepdims=True) - least, most.sum(axis=1, keepdims=True) - most
        ends = (row.upper - rest_low) / data, (row.lower - rest_up) / data
        above, below = np.where(data > 0, ends[0], ends[1]), np.where(data > 0, ends[1], ends[0])
        whole = self.domain.integer[columns]
        above, below = above + WIDENED * np.maximum(1.0, np.abs(above)), below - WIDENED * np.maximum(1.0, np.abs(below))
        upper[:, columns] = np.minimum(upper[:, columns], np.where(whole, np.floor(above + WHOLE), above))
        lower[:, columns] = np.maximum(lower[:, columns], np.where(whole, np.ceil(below - WHOLE), below))

    def completed(self, point: Floats) -> Floats | None:
        """The cheapest first stage (n1,) with ``point`` (inputs,) in it; None where no row allows it."""
        if len(self.seen) == self.domain.inputs and not self._rows:
            return np.asarray(np.clip(point, self.domain.lower, self.domain.upper))
        lower, upper = self.domain.lower.copy(), self.domain.upper.copy()
        lower[self.seen] = upper[self.seen] = np.clip(point, lower[self.seen], upper[self.seen])
        self._first.set_bounds(lower, upper)
        answer = self._first.solve()
        return answer.x if answer.termination is Termination.OPTIMAL else None
