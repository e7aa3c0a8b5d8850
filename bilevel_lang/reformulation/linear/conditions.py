"""The optimality conditions of agents whose gradients and rows are linear, added as columns, rows and pairs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp

from bilevel_lang.components.forms import Affine, Columns, Quadratic, Stack
from bilevel_lang.oracle.traits import is_pinned
from bilevel_lang.problem import Agent, DualMap
from bilevel_lang.reformulation.linear.mpec import AgentSystem, ReportedMultiplier, Side
from bilevel_lang.solvers.features import is_semidefinite
from bilevel_lang.solvers.matrix import Ints
from bilevel_lang.solvers.program import Floats


@dataclass(frozen=True, slots=True)
class AgentRows:
    """What was read of an agent: the bodies of its rows, its objective, or the functions of a VI by variable."""

    rows: Stack
    objective: Quadratic | None
    functions: list[tuple[Any, Affine]]

    def uses(self, column: int) -> bool:
        """Whether ``column`` stands anywhere in the agent."""
        objective = self.objective is not None and column in self.objective.columns()
        return objective or self.rows.uses(column) or any(column in form.columns for _, form in self.functions)


class Conditions:
    """Grows the columns, rows and pairs of one MPEC; ``primal`` columns with bounds ``lower`` and ``upper`` are there already."""

    def __init__(self, primal: int, lower: Floats, upper: Floats) -> None:
        self.primal = primal
        self.lower, self.upper = lower, upper
        self.columns = primal
        self.left: list[int] = []
        self.right: list[int] = []
        self.labels: list[Side] = []
        self.systems: list[AgentSystem] = []
        self.reported: list[ReportedMultiplier] = []
        self._new_lower: list[float] = []
        self._new_upper: list[float] = []
        self._blocks: list[tuple[sp.coo_matrix, Floats, Floats]] = []

    def all_lower(self) -> Floats:
        """Lower bounds of all columns."""
        return np.concatenate([self.lower, np.array(self._new_lower, dtype=float)])

    def all_upper(self) -> Floats:
        """Upper bounds of all columns."""
        return np.concatenate([self.upper, np.array(self._new_upper, dtype=float)])

    def rows(self) -> tuple[sp.csr_matrix, Floats, Floats]:
        """The rows added, and their sides."""
        if not self._blocks:
            return sp.csr_matrix((0, self.columns)), np.zeros(0), np.zeros(0)
        wide = [sp.coo_matrix((b.data, (b.row, b.col)), shape=(b.shape[0], self.columns)) for b, _, _ in self._blocks]
        matrix = sp.vstack(wide, format="csr")
        return matrix, np.concatenate([low for _, low, _ in self._blocks]), np.concatenate([up for _, _, up in self._blocks])

    def add(self, agent: Agent, number: int, read: AgentRows, maps: tuple[DualMap, ...], columns: Columns) -> None:
        """One agent's stationarity, rows and bounds."""
        _AgentConditions(self, agent, number, read, maps, columns).add()

    def new_columns(self, count: int, lower: float, upper: Floats | float) -> Ints:
        """``count`` columns with these bounds."""
        first = self.columns
        self.columns += count
        self._new_lower += [lower] * count
        self._new_upper += np.broadcast_to(upper, count).tolist()
        return np.arange(first, first + count, dtype=np.int64)

    def add_rows(self, matrix: sp.coo_matrix, lower: Floats, upper: Floats) -> None:
        """Rows over the columns that there are."""
        self._blocks.append((sp.coo_matrix(matrix), lower, upper))


class _AgentConditions:
    """One agent. ``body`` (r, n) and ``shift`` (r,) are its rows over the modeller's columns."""

    def __init__(
        self, all: Conditions, agent: Agent, number: int, read: AgentRows, maps: tuple[DualMap, ...], columns: Columns
    ) -> None:
        self.all = all
        self.agent = agent
        self.number = number
        self.maps = {id(m.row): m for m in maps}
        self.column_of = columns.find
        free = [v for v in agent.variables if not v.fixed and not is_pinned(v)]
        self.owned = np.array([columns.find(v) for v in free], dtype=np.int64)
        self.variables = free
        self.body = read.rows.matrix(all.primal)
        self.shift = read.rows.shifts()
        self.read = read

    def add(self) -> None:
        gradient, constant = self._gradient()
        lower, upper = self._sides_of_rows()
        own = self._own_rows()
        plain = ~own
        if plain.any():
            # Rows that hold others' variables alone: constraints whose multiplier means nothing.
            self.all.add_rows(self.body[plain].tocoo(), lower[plain], upper[plain])
        equal = own & (lower == upper)
        nu = self._equalities(np.flatnonzero(equal), lower)
        sides, levels, kappa, pairs = self._inequalities(np.flatnonzero(own & ~equal), lower, upper)
        equalities = self.body[equal]
        self._stationarity(gradient, constant, sides, kappa, equalities, nu)
        hessian = gradient[:, self.owned]
        optimises = self.agent.objective is not None
        self.all.systems.append(
            AgentSystem(
                owned=self.owned,
                gradient=gradient,
                gradient_constant=constant,
                pairs=pairs,
                sides=sides,
                side_levels=levels,
                multipliers=kappa,
                equalities=equalities,
                equality_levels=lower[equal],
                equality_multipliers=nu,
                optimises=optimises,
                convex=not optimises or hessian.nnz == 0 or is_semidefinite(hessian),
                quadratic=hessian.nnz > 0,
            )
        )

    def _gradient(self) -> tuple[sp.csr_matrix, Floats]:
        """d(objective of the min problem)/d(owned), or the functions of the VI: (k, n) and (k,)."""
        n, k = self.all.primal, len(self.owned)
        place = {int(j): i for i, j in enumerate(self.owned)}
        constant = np.zeros(k)
        rows: list[int] = []
        cols: list[int] = []
        data: list[float] = []
        objective = self.read.objective
        if objective is not None:
            sign = float(self.agent.sign)
            for j, c in zip(objective.affine.columns, objective.affine.coefficients, strict=True):
                if j in place:
                    constant[place[j]] += sign * c
            for (a, b), c in zip(objective.pairs, objective.products, strict=True):
                for mine, other in ((a, b), (b, a)):
                    if mine in place:
                        rows.append(place[mine])
                        cols.append(other)
                        data.append(sign * c)
        for variable, form in self.read.functions:
            i = place[self._column(variable)]
            constant[i] += form.constant
            rows += [i] * len(form.columns)
            cols += form.columns
            data += form.coefficients
        found = sp.csr_matrix((data, (rows, cols)), shape=(k, n), dtype=float)
        found.eliminate_zeros()
        return found, constant

    def _column(self, variable: Any) -> int:
        column = self.column_of(variable)
        assert column is not None, variable.name
        return column

    def _sides_of_rows(self) -> tuple[Floats, Floats]:
        rows = self.agent.rows
        lower = np.array([-math.inf if r.lower is None else r.lower for r in rows], dtype=float) - self.shift
        upper = np.array([math.inf if r.upper is None else r.upper for r in rows], dtype=float) - self.shift
        return lower, upper

    def _own_rows(self) -> Any:
        """Which rows have a multiplier: those with an owned variable, or a ``dualvar`` on them."""
        mine = np.zeros(self.all.primal, dtype=bool)
        mine[self.owned] = True
        own = self._touches(mine)
        for i, row in enumerate(self.agent.rows) if self.maps else ():
            own[i] = own[i] or id(row) in self.maps
        return own

    def _touches(self, mine: Any) -> Any:
        hits = np.concatenate([[0], np.cumsum(mine[self.body.indices])])
        return hits[self.body.indptr[1:]] > hits[self.body.indptr[:-1]]

    def _equalities(self, rows: Ints, level: Floats) -> Ints:
        nu = self.all.new_columns(len(rows), -math.inf, math.inf)
        if len(rows):
            self.all.add_rows(self.body[rows].tocoo(), level[rows], level[rows])
        for i, column in zip(rows.tolist(), nu.tolist(), strict=True):
            self._report(i, ((1.0, column),))
        return nu

    def _inequalities(self, rows: Ints, lower: Floats, upper: Floats) -> tuple[sp.csr_matrix, Floats, Ints, Ints]:
        """Slack, multiplier and pair of every side of a row and of every bound: ``sides z - levels = slack``."""
        first = len(self.all.left)
        row_lower, row_upper = lower[rows], upper[rows]
        low, up = rows[np.isfinite(row_lower)], rows[np.isfinite(row_upper)]
        row_of_low = self._row_slacks(low, lower, upper)
        row_of_up = self._row_slacks_above(low, row_of_low, up, lower, upper)
        column_low, column_up = self.all.lower[self.owned], self.all.upper[self.owned]
        with_low, with_up = np.flatnonzero(np.isfinite(column_low)), np.flatnonzero(np.isfinite(column_up))
        bound_low = self._bound_slacks(with_low)
        bound_up = self._bound_slacks_above(with_low, bound_low, with_up)
        slacks = np.concatenate([row_of_low, row_of_up, bound_low, bound_up])
        kappa = self.all.new_columns(len(slacks), 0.0, math.inf)
        self.all.left += slacks.tolist()
        self.all.right += kappa.tolist()
        self._label(low, up, with_low, with_up)
        self._report_inequalities(low, up, kappa)
        unit = sp.csr_matrix(
            (np.ones(len(self.owned)), (np.arange(len(self.owned)), self.owned)), shape=(len(self.owned), self.all.primal)
        )
        sides = sp.vstack([self.body[low], -self.body[up], unit[with_low], -unit[with_up]], format="csr")
        levels = np.concatenate([lower[low], -upper[up], column_low[with_low], -column_up[with_up]])
        return sides, levels, kappa, np.arange(first, len(self.all.left), dtype=np.int64)

    def _row_slacks(self, rows: Ints, lower: Floats, upper: Floats) -> Ints:
        """``body - slack = lower``; the slack of a range is bounded by its width."""
        slack = self.all.new_columns(len(rows), 0.0, upper[rows] - lower[rows])
        self._tie(self.body[rows], slack, -1.0, lower[rows])
        return slack

    def _row_slacks_above(self, low: Ints, slack_low: Ints, up: Ints, lower: Floats, upper: Floats) -> Ints:
        """``body + slack = upper``; of a range ``slack_low + slack = width``, which says the same with two entries."""
        slack = self.all.new_columns(len(up), 0.0, upper[up] - lower[up])
        both = np.isfinite(lower[up])
        self._tie(self.body[up[~both]], slack[~both], 1.0, upper[up[~both]])
        partner = dict(zip(low.tolist(), slack_low.tolist(), strict=True))
        others = np.array([partner[i] for i in up[both].tolist()], dtype=np.int64)
        self._tie_two(others, slack[both], upper[up[both]] - lower[up[both]])
        return slack

    def _bound_slacks(self, which: Ints) -> Ints:
        """The variable itself where its lower bound is 0, else ``variable - slack = lower bound``."""
        columns = self.owned[which]
        lower, upper = self.all.lower[columns], self.all.upper[columns]
        slack: Ints = columns.copy()
        shifted = lower != 0
        if shifted.any():
            slack[shifted] = self.all.new_columns(int(shifted.sum()), 0.0, (upper - lower)[shifted])
            self._tie_two(columns[shifted], slack[shifted], lower[shifted], -1.0)
        return slack

    def _bound_slacks_above(self, with_low: Ints, slack_low: Ints, with_up: Ints) -> Ints:
        columns = self.owned[with_up]
        lower, upper = self.all.lower[columns], self.all.upper[columns]
        slack = self.all.new_columns(len(with_up), 0.0, upper - lower)
        self._tie_two(columns, slack, upper)
        return slack

    def _tie(self, body: sp.csr_matrix, slack: Ints, factor: float, level: Floats) -> None:
        if len(slack):
            part = body.tocoo()
            m = len(slack)
            data = np.concatenate([part.data, np.full(m, factor)])
            rows = np.concatenate([part.row, np.arange(m)])
            cols = np.concatenate([part.col, slack])
            self.all.add_rows(sp.coo_matrix((data, (rows, cols)), shape=(m, self.all.columns)), level, level)

    def _tie_two(self, first: Ints, second: Ints, level: Floats, factor: float = 1.0) -> None:
        """``first + factor second = level``, row by row."""
        m = len(second)
        if m:
            data = np.concatenate([np.ones(m), np.full(m, factor)])
            rows = np.concatenate([np.arange(m), np.arange(m)])
            cols = np.concatenate([first, second])
            self.all.add_rows(sp.coo_matrix((data, (rows, cols)), shape=(m, self.all.columns)), level, level)

    def _label(self, low: Ints, up: Ints, with_low: Ints, with_up: Ints) -> None:
        rows, both = self.agent.rows, set(low.tolist()) & set(up.tolist())
        labels = self.all.labels
        labels += [Side(self.number, rows[i], None, "lower" if i in both else "") for i in low.tolist()]
        labels += [Side(self.number, rows[i], None, "upper" if i in both else "") for i in up.tolist()]
        labels += [Side(self.number, None, self.variables[i], "lower") for i in with_low.tolist()]
        labels += [Side(self.number, None, self.variables[i], "upper") for i in with_up.tolist()]

    def _report_inequalities(self, low: Ints, up: Ints, kappa: Ints) -> None:
        terms: dict[int, list[tuple[float, int]]] = {}
        for i, column in zip(low.tolist(), kappa[: len(low)].tolist(), strict=True):
            terms.setdefault(i, []).append((1.0, column))
        for i, column in zip(up.tolist(), kappa[len(low) : len(low) + len(up)].tolist(), strict=True):
            terms.setdefault(i, []).append((-1.0, column))
        for i in sorted(terms):
            self._report(i, tuple(terms[i]))

    def _report(self, i: int, internal: tuple[tuple[float, int], ...]) -> None:
        """Keep where the reported multiplier of row i is, and tie a ``dualvar`` variable to it."""
        row = self.agent.rows[i]
        sign = float(self.agent.sign)
        reported = tuple((sign * factor, column) for factor, column in internal)
        self.all.reported.append(ReportedMultiplier(row.name, reported, row.component))
        mapped = self.maps.get(id(row))
        if mapped is None:
            return
        cols = [self._column(mapped.variable), *(column for _, column in reported)]
        data = [1.0, *(-mapped.factor * factor for factor, _ in reported)]
        matrix = sp.coo_matrix((data, ([0] * len(cols), cols)), shape=(1, self.all.columns))
        self.all.add_rows(matrix, np.zeros(1), np.zeros(1))

    def _stationarity(
        self, gradient: sp.csr_matrix, constant: Floats, sides: sp.csr_matrix, kappa: Ints, equalities: sp.csr_matrix, nu: Ints
    ) -> None:
        """``gradient z - sides[:, owned]' kappa - equalities[:, owned]' nu = -constant``."""
        if not len(self.owned):
            return
        by_kappa = sides[:, self.owned].T.tocoo()
        by_nu = equalities[:, self.owned].T.tocoo()
        own = gradient.tocoo()
        data = np.concatenate([own.data, -by_kappa.data, -by_nu.data])
        rows = np.concatenate([own.row, by_kappa.row, by_nu.row])
        cols = np.concatenate([own.col, kappa[by_kappa.col], nu[by_nu.col]])
        matrix = sp.coo_matrix((data, (rows, cols)), shape=(len(self.owned), self.all.columns))
        self.all.add_rows(matrix, -constant, -constant)
