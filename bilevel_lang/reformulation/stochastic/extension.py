"""Columns and rows put to a two-stage program: what measures of risk and chance constraints need beside the modeller's own."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import scipy.sparse as sp

from bilevel_lang.reformulation.stochastic.arrays import Coupling, TwoStageArrays, Varying
from bilevel_lang.solvers.program import Floats


@dataclass(frozen=True, slots=True)
class _Column:
    lower: float
    upper: float
    cost: float
    integer: bool = False


@dataclass(frozen=True, slots=True)
class _Row:
    first: Mapping[int, float]
    second: Mapping[int, float]
    lower: float
    upper: float


@dataclass
class Extension:
    """Collects what is new; :meth:`finished` gives the longer program. New columns are numbered on from the old ones."""

    arrays: TwoStageArrays
    first_columns: list[_Column] = field(default_factory=list)
    second_columns: list[_Column] = field(default_factory=list)
    rows: list[_Row] = field(default_factory=list)
    entries: list[tuple[int, int, Floats]] = field(default_factory=list)
    couplings: list[tuple[Mapping[int, float], Mapping[int, float], float, float]] = field(default_factory=list)

    def first_column(self, lower: float = -math.inf, upper: float = math.inf, cost: float = 0.0) -> int:
        """A real column of the first stage; its number."""
        self.first_columns.append(_Column(lower, upper, cost))
        return len(self.arrays.first.lower) + len(self.first_columns) - 1

    def second_column(self, lower: float = 0.0, upper: float = math.inf, cost: float = 0.0, integer: bool = False) -> int:
        """A column of the second stage; its number."""
        self.second_columns.append(_Column(lower, upper, cost, integer))
        return len(self.arrays.lower) + len(self.second_columns) - 1

    def row(self, first: Mapping[int, float], second: Mapping[int, float], lower: float, upper: float = math.inf) -> None:
        """A row in every scenario, by columns."""
        self.rows.append(_Row(first, second, lower, upper))

    def entry(self, row: int, column: int, values: Floats) -> None:
        """``values`` (S,) of a new second-stage column in an old row."""
        self.entries.append((row, column, values))

    def couple(self, first: Mapping[int, float], second: Mapping[int, float], lower: float, upper: float) -> None:
        """A row over all scenarios; the second-stage terms count with their expected value."""
        self.couplings.append((first, second, lower, upper))

    def finished(self) -> TwoStageArrays:
        """The program with everything that was put to it."""
        old = self.arrays
        n1, n2 = len(old.first.lower) + len(self.first_columns), len(old.lower) + len(self.second_columns)
        technology, first_varying = self._technology(n1)
        recourse, second_varying = self._recourse(n2)
        varying = {name: v for name, v in old.varying.items() if name not in ("technology", "recourse")}
        varying |= {"technology": first_varying} if first_varying else {}
        varying |= {"recourse": second_varying} if second_varying else {}
        return replace(
            old,
            first=self._first(n1),
            first_cost=_padded(old.first_cost, [0.0] * len(self.first_columns)),
            lower=_padded(old.lower, [c.lower for c in self.second_columns]),
            upper=_padded(old.upper, [c.upper for c in self.second_columns]),
            integer=np.concatenate([old.integer, np.array([c.integer for c in self.second_columns], dtype=bool)]),
            cost=_padded(old.cost, [c.cost for c in self.second_columns]),
            technology=technology,
            recourse=recourse,
            row_lower=_padded(old.row_lower, [r.lower for r in self.rows]),
            row_upper=_padded(old.row_upper, [r.upper for r in self.rows]),
            varying=varying,
            couplings=(*(_longer(c, n1, n2) for c in old.couplings), *(self._coupling(n1, n2, *c) for c in self.couplings)),
        )

    def _first(self, n1: int) -> Any:
        first = self.arrays.first
        wider = sp.csr_matrix((first.matrix.data, first.matrix.indices, first.matrix.indptr), shape=(first.rows, n1))
        return replace(
            first,
            lower=_padded(first.lower, [c.lower for c in self.first_columns]),
            upper=_padded(first.upper, [c.upper for c in self.first_columns]),
            integer=np.concatenate([first.integer, np.zeros(len(self.first_columns), dtype=bool)]),
            cost=_padded(first.cost, [c.cost for c in self.first_columns]),
            matrix=wider,
        )

    def _technology(self, width: int) -> tuple[sp.csr_matrix, Varying | None]:
        added = [(i, j, value) for i, row in enumerate(self.rows) for j, value in row.first.items()]
        return self._longer(self.arrays.technology, "technology", [], added, width)

    def _recourse(self, width: int) -> tuple[sp.csr_matrix, Varying | None]:
        added = [(i, j, value) for i, row in enumerate(self.rows) for j, value in row.second.items()]
        return self._longer(self.arrays.recourse, "recourse", self.entries, added, width)

    def _longer(
        self, old: sp.csr_matrix, name: str, entries: Any, added: Any, width: int
    ) -> tuple[sp.csr_matrix, Varying | None]:
        """The matrix with entries put into old rows (they may vary) and with new rows; what varies moves to its new place."""
        m, known = old.shape[0], old.tocoo()
        row = np.concatenate([known.row, [e[0] for e in entries], [m + a[0] for a in added]]).astype(np.int64)
        column = np.concatenate([known.col, [e[1] for e in entries], [a[1] for a in added]]).astype(np.int64)
        data = np.concatenate([known.data, [e[2][0] for e in entries], [a[2] for a in added]])
        order = np.lexsort((column, row))
        starts = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=m + len(self.rows)))])
        matrix = sp.csr_matrix((data[order], column[order], starts), shape=(m + len(self.rows), width))
        place = np.empty(len(order), dtype=np.int64)
        place[order] = np.arange(len(order))
        before = self.arrays.varying.get(name)
        places = [place[before.places]] if before is not None else []
        values = [before.values] if before is not None else []
        if entries:
            places.append(place[known.nnz : known.nnz + len(entries)])
            values.append(np.column_stack([e[2] for e in entries]))
        return matrix, Varying(np.concatenate(places), np.hstack(values)) if places else None

    def _coupling(self, n1: int, n2: int, first: Any, second: Any, lower: float, upper: float) -> Coupling:
        return Coupling(_dense(first, n1), _dense(second, n2), lower, upper)


def _padded(values: Floats, more: list[float]) -> Floats:
    return np.concatenate([values, np.array(more, dtype=float)])


def _dense(entries: Mapping[int, float], width: int) -> Floats:
    values = np.zeros(width)
    for place, value in entries.items():
        values[place] += value
    return values


def _longer(coupling: Coupling, n1: int, n2: int) -> Coupling:
    first = _padded(coupling.first, [0.0] * (n1 - len(coupling.first)))
    return replace(coupling, first=first, second=_padded(coupling.second, [0.0] * (n2 - len(coupling.second))))
