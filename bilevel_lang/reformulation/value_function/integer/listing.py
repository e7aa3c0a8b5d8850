"""Small programs without a search: all decisions of the leader and all answers of the follower, written out.

Every column has to be whole, and their boxes small. A decision's best value is that of the first answer, in the order of value,
that the follower's rows admit; the leader then has the choice among the answers of that value which its own rows admit. All of it
is arithmetic on arrays, and done before a solver would have been started.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp

from bilevel_lang.reformulation.value_function.integer.arrays import BilevelProgram
from bilevel_lang.reformulation.value_function.integer.tightening import propagated
from bilevel_lang.solvers.matrix import Flags, Ints, MatrixProgram, MatrixRun
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.solver import Termination

NAME = "enumeration"

PAIRS = 2**21
"""Decisions times answers up to which listing them takes less than a tenth of a second or so."""

LONGEST = 2**15
"""Decisions, and answers, at the most."""

CHUNK = 2**18
"""Pairs that are looked at in one go."""

TOLERANCE = 1e-9
"""What a row may be violated by, relative to max(1, |side|): all columns are whole, so only rounding is."""

TIED = 1e-8
"""Answers whose values differ by less, relative to max(1, |value|), are the same to the follower."""


@dataclass(frozen=True, slots=True)
class Boxes:
    """Bounds of all columns (n,): of the leader's what the relaxation admits, of the follower's what its own rows do.

    ``empty``: there is no such point.
    """

    lower: Floats
    upper: Floats
    empty: bool


def small_boxes(source: BilevelProgram) -> Boxes | None:
    """The boxes where they are small enough to be written out; None where they are not."""
    relaxation, own = source.relaxation, source.follower
    if not relaxation.integer.all():
        return None
    narrow, empty = propagated(relaxation)
    lower, upper = np.where(own, relaxation.lower, narrow.lower), np.where(own, relaxation.upper, narrow.upper)
    if not _is_small(narrow.lower[~own], narrow.upper[~own]):
        return None
    # A leader's row bounds no answer of the follower: its box comes from its own rows alone.
    mine = np.flatnonzero(source.follower_rows)
    answers = replace(
        relaxation,
        lower=lower,
        upper=upper,
        matrix=sp.csr_matrix(relaxation.matrix[mine]),
        row_lower=relaxation.row_lower[mine],
        row_upper=relaxation.row_upper[mine],
    )
    narrow, without = propagated(answers)
    if not _is_small(narrow.lower[own], narrow.upper[own]):
        return None
    lower, upper = np.ceil(narrow.lower - TOLERANCE), np.floor(narrow.upper + TOLERANCE)
    # A product over nothing is 1: somebody without columns has one way of doing nothing.
    if np.prod(np.maximum(0.0, upper - lower + 1)) > PAIRS:
        return None
    return Boxes(lower, upper, bool(empty or without or (lower > upper).any()))


def _is_small(lower: Floats, upper: Floats) -> bool:
    finite = np.isfinite(lower).all() and np.isfinite(upper).all()
    return bool(finite and np.prod(np.maximum(0.0, upper - lower + 1)) <= LONGEST)


def listed(source: BilevelProgram, boxes: Boxes) -> MatrixRun:
    """The best solution of the optimistic position; INFEASIBLE where there is none."""
    if boxes.empty:
        return MatrixRun(
            Termination.INFEASIBLE, NAME, message="no point satisfies the rows of leader and follower", nodes=0, follower_solves=0
        )
    found = _Lists(source, boxes)
    best = found.best()
    said = f"{len(found.decisions)} decisions and {len(found.answers)} answers, all of them looked at"
    if best is None:
        return MatrixRun(Termination.INFEASIBLE, NAME, message=f"{said}: no solution", nodes=0, follower_solves=0)
    objective = source.relaxation.objective_at(best)
    return MatrixRun(
        Termination.OPTIMAL, NAME, x=best, objective=objective, bound=objective, message=said, nodes=0, follower_solves=0
    )


class _Lists:
    """``decisions`` (D, n) and ``answers`` (A, n) in the order of their value; the other's columns are 0."""

    def __init__(self, source: BilevelProgram, boxes: Boxes) -> None:
        relaxation, own = source.relaxation, source.follower
        self._relaxation = relaxation
        holds_own = np.asarray((relaxation.matrix[:, np.flatnonzero(own)] != 0).sum(axis=1)).ravel() > 0
        holds_other = np.asarray((relaxation.matrix[:, np.flatnonzero(~own)] != 0).sum(axis=1)).ravel() > 0
        theirs, both = source.follower_rows, holds_own & holds_other
        decisions, answers = _points(boxes, ~own), _points(boxes, own)
        self.decisions = decisions[_hold(relaxation, np.flatnonzero(~holds_own), decisions)]
        answers = answers[_hold(relaxation, np.flatnonzero(theirs & ~holds_other), answers)]
        values = answers @ source.follower_cost
        order = np.argsort(values, kind="stable")
        self.answers, self._values = answers[order], values[order]
        self._binding: Ints = np.flatnonzero(theirs & both)
        # The leader's rows decide which of the best answers it may count on, those without columns of its own too.
        self._admitting: Ints = np.flatnonzero(~theirs & holds_own)
        self._sums = relaxation.matrix @ self.decisions.T, relaxation.matrix @ self.answers.T
        cost = relaxation.sense * relaxation.cost
        self._costs = self.decisions @ cost, self.answers @ cost

    def best(self) -> Floats | None:
        """The best solution (n,), None where there is none."""
        first = self._first_answers()
        some = np.flatnonzero(first >= 0)
        best, point = math.inf, None
        values = self._values[first[some]]
        last = np.searchsorted(self._values, values + TIED * np.maximum(1.0, np.abs(values)), side="right")
        for d, a in _pairs(some, first[some], last):
            holds = self._hold(self._binding, d, a) & self._hold(self._admitting, d, a)
            cost = np.where(holds, self._costs[0][d] + self._costs[1][a], math.inf)
            k = int(np.argmin(cost))
            if cost[k] < best:
                best, point = float(cost[k]), self.decisions[d[k]] + self.answers[a[k]]
        return point

    def _first_answers(self) -> Ints:
        """(D,): the best answer to each decision, -1 where there is none."""
        first = np.full(len(self.decisions), -1, dtype=np.int64)
        open_, start, width = np.arange(len(first)), 0, 16
        while open_.size and start < len(self.answers):
            stop = min(len(self.answers), start + max(1, min(width, CHUNK // open_.size)))
            d, a = np.repeat(open_, stop - start), np.tile(np.arange(start, stop), open_.size)
            holds = self._hold(self._binding, d, a).reshape(open_.size, stop - start)
            done = holds.any(axis=1)
            first[open_[done]] = start + np.argmax(holds[done], axis=1)
            open_, start, width = open_[~done], stop, 2 * width
        return first

    def _hold(self, rows: Ints, d: Ints, a: Ints) -> Flags:
        """Whether ``rows`` hold for the pairs of decisions ``d`` and answers ``a``."""
        holds = np.ones(len(d), dtype=bool)
        low, up = _sides(self._relaxation, rows)
        for i, lower, upper in zip(rows.tolist(), low.tolist(), up.tolist(), strict=True):
            body = self._sums[0][i][d] + self._sums[1][i][a]
            holds &= (body >= lower) & (body <= upper)
        return holds


def _pairs(decisions: Ints, first: Ints, last: Ints) -> Iterator[tuple[Ints, Ints]]:
    """All (decision, answer) with an answer from ``first`` up to ``last``, in chunks."""
    counts = last - first
    chunk = np.cumsum(counts) // CHUNK
    for number in np.unique(chunk):
        part = np.flatnonzero(chunk == number)
        count = counts[part]
        start = np.repeat(np.cumsum(count) - count, count)
        yield np.repeat(decisions[part], count), np.repeat(first[part], count) + np.arange(count.sum()) - start


def _points(boxes: Boxes, part: Flags) -> Floats:
    """Every whole point of the box of some columns; 0 in the others."""
    columns = np.flatnonzero(part)
    ranges = [np.arange(a, b + 1) for a, b in zip(boxes.lower[columns], boxes.upper[columns], strict=True)]
    grid = np.stack(np.meshgrid(*ranges, indexing="ij"), axis=-1).reshape(-1, len(columns)) if len(columns) else np.zeros((1, 0))
    found = np.zeros((len(grid), len(part)))
    found[:, columns] = grid
    return found


def _hold(relaxation: MatrixProgram, rows: Ints, points: Floats) -> Flags:
    """(points,): whether ``rows`` hold."""
    low, up = _sides(relaxation, rows)
    body = relaxation.matrix[rows] @ points.T
    found: Flags = np.asarray(((body >= low[:, None]) & (body <= up[:, None])).all(axis=0))
    return found


def _sides(relaxation: MatrixProgram, rows: Ints) -> tuple[Floats, Floats]:
    """The sides, let out by the tolerance."""
    low, up = relaxation.row_lower[rows], relaxation.row_upper[rows]
    return low - TOLERANCE * np.maximum(1.0, np.abs(low)), up + TOLERANCE * np.maximum(1.0, np.abs(up))
