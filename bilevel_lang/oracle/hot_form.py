"""How a parametric agent goes to a warm solver: rows of one variable as bounds, rows of none as conditions, the rest as rows."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp

from bilevel_lang.oracle.parametric import MatrixEntries, ParametricAgent
from bilevel_lang.solvers.matrix import Flags, Ints, MatrixProgram
from bilevel_lang.solvers.program import CONSTANT_TOLERANCE, CROSSED_TOLERANCE, Floats
from bilevel_lang.solvers.variants import Variants


@dataclass(frozen=True, eq=False)
class BoundRows:
    """Rows ``row_lower <= factor y_column + slope'phi <= row_upper`` as bounds of that column; b of them.

    Row ``rows[i]`` of the agent is about ``columns[i]``; ``lower`` and ``upper`` (b,) are its sides divided by its factor, in the
    order that the sign of the factor makes of them; ``slope`` (b, q) is divided, too.
    """

    rows: Ints
    columns: Ints
    lower: Floats
    upper: Floats
    slope: sp.csr_matrix


@dataclass(frozen=True, eq=False)
class BoundsAt:
    """Bounds (k, m) at k points, and which :class:`BoundRows` set them: (k, m), -1 for the agent's own bound."""

    lower: Floats
    upper: Floats
    lower_row: Ints
    upper_row: Ints

    def subset(self, rows: Ints) -> BoundsAt:
        """The points ``rows``, in that order."""
        return BoundsAt(self.lower[rows], self.upper[rows], self.lower_row[rows], self.upper_row[rows])


@dataclass(frozen=True, eq=False)
class HotForm:
    """``program`` is the minimisation at phi = 0; ``rows`` (r',) of the agent are its rows.

    ``moving_rows`` and ``moving_columns`` are those whose sides and bounds depend on inputs, ``costly`` the columns whose costs
    do; ``conditions`` are rows without variables; ``entries`` have rows of the program.
    """

    agent: ParametricAgent
    program: MatrixProgram
    rows: Ints
    moving_rows: Ints
    bound_rows: BoundRows
    moving_columns: Ints
    costly: Ints
    conditions: Ints
    entries: MatrixEntries

    @property
    def costs_only(self) -> bool:
        """Whether inputs move nothing but the objective (and conditions)."""
        return not (self.moving_rows.size or self.moving_columns.size or len(self.entries))

    @property
    def sides_only(self) -> bool:
        """Whether inputs move nothing but sides and bounds (and what of the objective does not concern the responses)."""
        return not (self.costly.size or len(self.entries))

    def satisfied(self, features: Floats) -> Flags:
        """(k,): whether the conditions hold, to the tolerance for constant rows."""
        chosen, agent = self.conditions, self.agent
        body = np.asarray((agent.row_slope[chosen] @ features.T).T)
        low, up = agent.row_lower[chosen], agent.row_upper[chosen]
        below = body < low - CONSTANT_TOLERANCE * np.maximum(1.0, np.abs(np.where(np.isfinite(low), low, 1.0)))
        above = body > up + CONSTANT_TOLERANCE * np.maximum(1.0, np.abs(np.where(np.isfinite(up), up, 1.0)))
        return np.asarray(~(below | above).any(axis=1), dtype=bool)

    def bounds(self, features: Floats) -> BoundsAt:
        """All columns' bounds at ``features`` (k, q). Those that cross by rounding only are made equal."""
        k, bound = len(features), self.bound_rows
        lower, upper = np.tile(self.program.lower, (k, 1)), np.tile(self.program.upper, (k, 1))
        lower_row, upper_row = np.full(lower.shape, -1), np.full(lower.shape, -1)
        shift = np.asarray((bound.slope @ features.T).T)
        for i, j in enumerate(bound.columns.tolist()):
            low, up = bound.lower[i] - shift[:, i], bound.upper[i] - shift[:, i]
            higher, less = low > lower[:, j], up < upper[:, j]
            lower[higher, j], lower_row[higher, j] = low[higher], i
            upper[less, j], upper_row[less, j] = up[less], i
        with np.errstate(invalid="ignore"):
            touching = (lower > upper) & (lower - upper <= CROSSED_TOLERANCE * np.maximum(1.0, np.abs(lower)))
        lower[touching] = upper[touching]
        return BoundsAt(lower, upper, lower_row, upper_row)

    def variants(self, features: Floats, bounds: BoundsAt) -> Variants:
        """What differs from ``program`` at ``features`` (k, q)."""
        agent, moving = self.agent, self.rows[self.moving_rows]
        shift = np.asarray((agent.row_slope[moving] @ features.T).T)
        costs = agent.goal.sense * agent.goal.costs(features)[:, self.costly]
        entry_rows, entry_columns, coefficients = self._matrix(features)
        return Variants(
            count=len(features),
            rows=self.moving_rows.astype(np.int32),
            row_lower=agent.row_lower[moving] - shift if moving.size else None,
            row_upper=agent.row_upper[moving] - shift if moving.size else None,
            columns=self.moving_columns.astype(np.int32),
            lower=np.ascontiguousarray(bounds.lower[:, self.moving_columns]) if self.moving_columns.size else None,
            upper=np.ascontiguousarray(bounds.upper[:, self.moving_columns]) if self.moving_columns.size else None,
            costly=self.costly.astype(np.int32),
            cost=np.ascontiguousarray(costs) if self.costly.size else None,
            entry_rows=entry_rows,
            entry_columns=entry_columns,
            coefficients=coefficients,
        )

    def _matrix(self, features: Floats) -> tuple[Ints, Ints, Floats | None]:
        """Places in the matrix that depend on inputs, each once, and what stands there (k, e)."""
        entries, n = self.entries, self.program.columns
        if not len(entries):
            return entries.rows, entries.columns, None
        places, which = np.unique(entries.rows * n + entries.columns, return_inverse=True)
        rows, columns = places // n, places % n
        added = np.zeros((len(places), len(features)))
        np.add.at(added, which, (entries.coefficients * features[:, entries.features]).T)
        return rows, columns, np.asarray(self.program.matrix[rows, columns]).ravel() + added.T


def hot_form(agent: ParametricAgent) -> HotForm:
    """Sort the agent's rows; its objective must be linear or quadratic in the responses (Q must not depend on inputs)."""
    r, goal = len(agent.row_names), agent.goal
    moved = np.zeros(r, dtype=bool)
    moved[agent.entries.rows] = True
    entries_in_row = np.diff(agent.matrix.indptr)
    conditions = np.flatnonzero((entries_in_row == 0) & ~moved)
    single = np.flatnonzero((entries_in_row == 1) & ~moved)
    kept = np.flatnonzero((entries_in_row > 1) | moved)
    bound_rows = _bound_rows(agent, single)
    matrix = sp.csr_matrix(agent.matrix[kept])
    place = np.full(r, -1)
    place[kept] = np.arange(len(kept))
    program = MatrixProgram(
        lower=agent.lower,
        upper=agent.upper,
        integer=agent.integer,
        cost=goal.sense * goal.cost,
        matrix=matrix,
        row_lower=agent.row_lower[kept],
        row_upper=agent.row_upper[kept],
        quadratic=None if goal.quadratic is None else sp.csc_matrix(goal.sense * goal.quadratic),
    )
    still = np.flatnonzero(np.diff(bound_rows.slope.indptr) == 0)
    program = _with_bounds(program, bound_rows, still)
    moving = np.flatnonzero(np.diff(bound_rows.slope.indptr))
    return HotForm(
        agent=agent,
        program=program,
        rows=kept,
        moving_rows=np.flatnonzero(np.diff(agent.row_slope[kept].indptr)),
        bound_rows=_chosen(bound_rows, moving),
        moving_columns=np.unique(bound_rows.columns[moving]),
        costly=np.flatnonzero(np.diff(goal.cost_slope.indptr)),
        conditions=conditions,
        entries=MatrixEntries(
            place[agent.entries.rows], agent.entries.columns, agent.entries.features, agent.entries.coefficients
        ),
    )


def _bound_rows(agent: ParametricAgent, rows: Ints) -> BoundRows:
    own = sp.csr_matrix(agent.matrix[rows])
    factor = own.data
    low, up = agent.row_lower[rows] / factor, agent.row_upper[rows] / factor
    slope = sp.csr_matrix(sp.diags(1.0 / factor) @ agent.row_slope[rows]) if rows.size else agent.row_slope[rows]
    return BoundRows(rows, own.indices.astype(np.int64), np.minimum(low, up), np.maximum(low, up), sp.csr_matrix(slope))


def _chosen(bound: BoundRows, which: Ints) -> BoundRows:
    slope = sp.csr_matrix(bound.slope[which])
    return BoundRows(bound.rows[which], bound.columns[which], bound.lower[which], bound.upper[which], slope)


def _with_bounds(program: MatrixProgram, bound: BoundRows, which: Ints) -> MatrixProgram:
    """The bounds that do not depend on inputs."""
    lower, upper = program.lower.copy(), program.upper.copy()
    np.maximum.at(lower, bound.columns[which], bound.lower[which])
    np.minimum.at(upper, bound.columns[which], bound.upper[which])
    return replace(program, lower=lower, upper=upper)
