"""An answer of the follower as a rule: whole columns at a value, continuous ones affine in the leader's columns.

With its whole columns fixed the follower is a linear program, and the rows and bounds that hold its optimal vertex give that
vertex for other decisions of the leader, too::

    y(x) = base + gain x,    feasible wherever every condition ``coefficients'x <= limit`` holds

The conditions are the follower's rows and bounds at y(x) that depend on x. There are finitely many such rules, each of them
speaks of all decisions at once where it is feasible, and none loses a solution: y(x) is an answer like any other.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from bilevel_lang.reformulation.value_function.integer.arrays import BilevelProgram, NotIntegerError, integer_multiple
from bilevel_lang.solvers.matrix import MatrixProgram
from bilevel_lang.solvers.program import Floats

EPSILON = 1e-5
"""By how much, relative to max(1, |limit|), a condition with continuous columns is violated where it surely is."""

NOTHING = 1e-11
"""Coefficients up to this, relative to the largest of the row, are rounding of a gain."""


@dataclass(frozen=True, eq=False)
class Condition:
    """``coefficients'z <= limit`` (n,), which the leader may violate: then ``coefficients'z >= reach``, or ``>= sure``.

    ``reach`` is ``limit`` itself where the row may take any value, for what is greater is no closed set; ``sure`` is greater by
    :data:`EPSILON`. Where the row is whole, both are its next value above ``limit``.
    """

    coefficients: Floats
    limit: float
    reach: float
    sure: float


@dataclass(frozen=True, eq=False)
class Policy:
    """``value'z + worth`` is the follower's objective under the rule; ``conditions`` say where the rule is feasible."""

    value: Floats
    worth: float
    conditions: tuple[Condition, ...]

    def objective(self, z: Floats) -> float:
        """The follower's objective where the leader's columns are those of ``z`` (n,)."""
        return float(self.value @ z) + self.worth

    def excess(self, z: Floats) -> float:
        """How far the conditions are violated at ``z``: the largest distance to ``reach``, relative to max(1, |limit|)."""
        return max((float(c.coefficients @ z - c.reach) / max(1.0, abs(c.limit)) for c in self.conditions), default=-math.inf)


class Policies:
    """Makes policies of one follower's program."""

    def __init__(self, source: BilevelProgram) -> None:
        self._source = source
        relaxation = source.relaxation
        mine = np.flatnonzero(source.follower_rows)
        matrix = sp.csr_matrix(relaxation.matrix[mine])
        own = np.flatnonzero(source.follower)
        self._touched = np.flatnonzero(np.diff(sp.csr_matrix(matrix[:, own]).indptr) > 0)
        self._matrix = matrix[self._touched].toarray()
        self._sides = relaxation.row_lower[mine][self._touched], relaxation.row_upper[mine][self._touched]

    def policy(self, base: Floats, gain: sp.csr_matrix) -> Policy:
        """The rule with ``base`` (n,; 0 outside the follower's columns) and ``gain`` (n, n) from columns of the leader."""
        source, relaxation = self._source, self._source.relaxation
        whole = _whole_gain(gain)
        rows = np.where(source.follower, 0.0, self._matrix) + self._matrix @ gain
        fixed = self._matrix @ base
        found = []
        for row, before, start, low, up in zip(rows, self._matrix, fixed, *self._sides, strict=True):
            found += _conditions(_tidy(row, before), start, low, up, relaxation)
        for j in whole:
            row = gain[[j]].toarray().ravel()
            found += _conditions(row, base[j], relaxation.lower[j], relaxation.upper[j], relaxation)
        value = np.asarray(source.follower_cost @ gain).ravel()
        return Policy(_tidy(value, source.follower_cost), float(source.follower_cost @ base), tuple(found))


def _whole_gain(gain: sp.csr_matrix) -> list[int]:
    """The columns that depend on the leader."""
    return [int(j) for j in np.flatnonzero(np.diff(gain.indptr) > 0)]


def _tidy(row: Floats, scale: Floats) -> Floats:
    """``row`` without what is left where two numbers should have cancelled."""
    return np.where(np.abs(row) <= NOTHING * max(1e-300, float(np.abs(scale).max(initial=0.0))), 0.0, row)


def _conditions(row: Floats, start: float, low: float, up: float, program: MatrixProgram) -> list[Condition]:
    """``low <= row'z + start <= up``; nothing where the leader has no part in it, for then the rule keeps it by itself."""
    if not row.any():
        return []
    found = [_condition(row, up - start, program)] if math.isfinite(up) else []
    return found + ([_condition(-row, start - low, program)] if math.isfinite(low) else [])


def _condition(row: Floats, limit: float, program: MatrixProgram) -> Condition:
    used = np.flatnonzero(row)
    if program.integer[used].all():
        try:
            scale, _ = integer_multiple(row[used], used)
        except NotIntegerError:
            pass
        else:
            room = limit / scale
            after = scale * (math.floor(room + 1e-6 * max(1.0, 1e-3 * abs(room))) + 1)
            return Condition(row, limit, after, after)
    return Condition(row, limit, limit, limit + EPSILON * max(1.0, abs(limit)))
