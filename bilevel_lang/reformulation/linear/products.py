"""Products of a binary column and another one, replaced exactly by a column of their own."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import numpy as np
import scipy.sparse as sp

from bilevel_lang.solvers.matrix import Indicator, MatrixProgram

Parts = list[tuple[int, float]]
"""A product as a sum of (column, factor)."""


@dataclass
class _Growth:
    lower: list[float] = field(default_factory=list)
    upper: list[float] = field(default_factory=list)
    rows: list[tuple[dict[int, float], float, float]] = field(default_factory=list)
    indicators: list[Indicator] = field(default_factory=list)


class BinaryProducts:
    """Grows ``base`` by columns w = b v. With bounds lo <= v <= up the rows are McCormick's::

        lo b <= w <= up b,    v - up (1 - b) <= w <= v - lo (1 - b)

    Without, v = v+ - v- and for each part w = b v+ by ``b = 0 forces w <= 0``, ``b = 1 forces v+ - w <= 0``, 0 <= w <= v+.
    """

    def __init__(self, base: MatrixProgram) -> None:
        self.base = base
        self._growth = _Growth()
        self._known: dict[tuple[int, int], Parts] = {}
        self._parts: dict[int, Parts] = {}

    def column(self, i: int, j: int) -> Parts | None:
        """The product of columns i and j as a sum of columns; None where neither is binary."""
        binary, other = (i, j) if self._is_binary(i) else (j, i)
        if not self._is_binary(binary):
            return None
        if binary == other:
            return [(binary, 1.0)]
        if (binary, other) not in self._known:
            lower, upper = float(self.base.lower[other]), float(self.base.upper[other])
            bounded = math.isfinite(lower) and math.isfinite(upper)
            self._known[binary, other] = (
                self._mccormick(binary, other, lower, upper) if bounded else self._by_indicators(binary, other, lower)
            )
        return self._known[binary, other]

    def program(self) -> MatrixProgram:
        """The grown program."""
        base, growth = self.base, self._growth
        added = len(growth.lower)
        columns = base.columns + added
        matrix = sp.csr_matrix((base.matrix.data, base.matrix.indices, base.matrix.indptr), shape=(base.rows, columns))
        starts = np.cumsum([0, *(len(terms) for terms, _, _ in growth.rows)])
        flat = [(j, c) for terms, _, _ in growth.rows for j, c in terms.items()]
        extra = sp.csr_matrix(
            (np.array([c for _, c in flat], dtype=float), np.array([j for j, _ in flat], dtype=np.int64), starts),
            shape=(len(growth.rows), columns),
        )
        quadratic = base.quadratic
        if quadratic is not None:
            quadratic = sp.csc_matrix(sp.block_diag([quadratic, sp.csc_matrix((added, added))]))
        return replace(
            base,
            lower=np.concatenate([base.lower, growth.lower]),
            upper=np.concatenate([base.upper, growth.upper]),
            integer=np.concatenate([base.integer, np.zeros(added, dtype=bool)]),
            cost=np.concatenate([base.cost, np.zeros(added)]),
            matrix=sp.vstack([matrix, extra], format="csr"),
            row_lower=np.concatenate([base.row_lower, [low for _, low, _ in growth.rows]]),
            row_upper=np.concatenate([base.row_upper, [up for _, _, up in growth.rows]]),
            quadratic=quadratic,
            indicators=(*base.indicators, *growth.indicators),
        )

    def notes(self) -> tuple[str, ...]:
        """What was linearised, in words."""
        if not self._known:
            return ()
        by_indicators = f", {len(self._growth.indicators)} indicators for those without bounds" if self._growth.indicators else ""
        return (f"{len(self._known)} products with binary variables linearised exactly{by_indicators}",)

    def _is_binary(self, j: int) -> bool:
        return bool(self.base.integer[j] and self.base.lower[j] >= 0 and self.base.upper[j] <= 1)

    def _new(self, lower: float, upper: float) -> int:
        self._growth.lower.append(lower)
        self._growth.upper.append(upper)
        return self.base.columns + len(self._growth.lower) - 1

    def _add(self, terms: dict[int, float], lower: float, upper: float) -> None:
        self._growth.rows.append((terms, lower, upper))

    def _mccormick(self, b: int, v: int, lower: float, upper: float) -> Parts:
        w = self._new(min(lower, 0.0), max(upper, 0.0))
        self._add({w: 1.0, b: -lower}, 0.0, math.inf)
        self._add({w: 1.0, b: -upper}, -math.inf, 0.0)
        self._add({w: 1.0, v: -1.0, b: -upper}, -upper, math.inf)
        self._add({w: 1.0, v: -1.0, b: -lower}, -math.inf, -lower)
        return [(w, 1.0)]

    def _by_indicators(self, b: int, v: int, lower: float) -> Parts:
        found: Parts = []
        for part, factor in self._nonnegative_parts(v, lower):
            w, rest = self._new(0.0, math.inf), self._new(0.0, math.inf)
            self._add({part: 1.0, w: -1.0, rest: -1.0}, 0.0, 0.0)
            self._growth.indicators += [Indicator(b, 0, w), Indicator(b, 1, rest)]
            found.append((w, factor))
        return found

    def _nonnegative_parts(self, v: int, lower: float) -> Parts:
        """v itself where it is >= 0, else v = plus - minus."""
        if lower >= 0:
            return [(v, 1.0)]
        if v not in self._parts:
            plus, minus = self._new(0.0, math.inf), self._new(0.0, math.inf)
            self._add({v: 1.0, plus: -1.0, minus: 1.0}, 0.0, 0.0)
            self._parts[v] = [(plus, 1.0), (minus, -1.0)]
        return self._parts[v]
