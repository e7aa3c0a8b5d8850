"""A program of arrays as a SCIP model, without an expression tree in between."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import scipy.sparse as sp

from bilevel_lang.solvers.matrix import MatrixProgram, QuadraticRow


def add_arrays(scip: Any, program: MatrixProgram) -> list[Any]:
    """Put ``program`` into the empty model ``scip``; its columns, in the order of the program's."""
    kinds = "CI"
    bounds = zip(program.lower.tolist(), program.upper.tolist(), program.integer.tolist(), strict=True)
    columns = [scip.addVar(lb=_or_none(low), ub=_or_none(up), vtype=kinds[whole]) for low, up, whole in bounds]
    writer = _Writer(scip, columns)
    writer.linear_rows(program)
    for row in program.quadratic_rows:
        writer.quadratic_row(row)
    for left, right in program.sos1.tolist():
        scip.addConsSOS1([columns[left], columns[right]], weights=[1.0, 2.0])
    for each in program.indicators:
        scip.addConsIndicator(columns[each.column] <= 0, binvar=columns[each.binary], activeone=bool(each.value))
    writer.objective(program)
    return columns


class _Writer:
    """Builds SCIP's expressions from coefficient maps; its own operators would copy a growing sum for every term."""

    def __init__(self, scip: Any, columns: list[Any]) -> None:
        from pyscipopt import scip as library

        self._scip = scip
        self._library = library
        self._columns = columns
        self._terms = [library.Term(column) for column in columns]

    def linear_rows(self, program: MatrixProgram) -> None:
        matrix = sp.csr_matrix(program.matrix)
        starts, indices, data = matrix.indptr.tolist(), matrix.indices.tolist(), matrix.data.tolist()
        sides = zip(program.row_lower.tolist(), program.row_upper.tolist(), strict=True)
        terms = self._terms
        for i, (low, up) in enumerate(sides):
            part = slice(starts[i], starts[i + 1])
            self._add({terms[j]: c for j, c in zip(indices[part], data[part], strict=True)}, low, up)

    def quadratic_row(self, row: QuadraticRow) -> None:
        sums = {self._terms[j]: c for j, c in zip(row.columns.tolist(), row.coefficients.tolist(), strict=True)}
        sums.update(self._products(row.pairs, row.products))
        self._add(sums, row.lower, row.upper)

    def objective(self, program: MatrixProgram) -> None:
        used = np.flatnonzero(program.cost)
        goal = self._library.Expr({self._terms[j]: float(program.cost[j]) for j in used})
        if program.quadratic is not None and program.quadratic.nnz:
            # SCIP's objectives are linear: the rest is bounded from its bad side by a column of its own.
            column = self._scip.addVar(lb=None, ub=None)
            upper = sp.triu(program.quadratic, format="coo")
            pairs = np.column_stack([upper.row, upper.col])
            factors = np.where(upper.row == upper.col, 0.5, 1.0) * upper.data
            sums = self._products(pairs, factors)
            sums[self._library.Term(column)] = -1.0
            self._add(sums, *((-math.inf, 0.0) if program.sense > 0 else (0.0, math.inf)))
            goal = goal + column
        self._scip.setObjective(goal, "minimize" if program.sense > 0 else "maximize")
        self._scip.addObjoffset(program.constant)

    def _products(self, pairs: Any, factors: Any) -> dict[Any, float]:
        sums: dict[Any, float] = {}
        for (i, j), c in zip(pairs.tolist(), factors.tolist(), strict=True):
            term = self._library.Term(self._columns[i], self._columns[j])
            sums[term] = sums.get(term, 0.0) + c
        return sums

    def _add(self, sums: dict[Any, float], lower: float, upper: float) -> None:
        if not sums:
            return  # an empty row that contradicts itself was found before
        self._scip.addCons(self._library.ExprCons(self._library.Expr(sums), _or_none(lower), _or_none(upper)))


def _or_none(bound: float) -> float | None:
    return bound if math.isfinite(bound) else None
