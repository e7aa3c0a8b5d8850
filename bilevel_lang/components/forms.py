"""Pyomo expressions as coefficients over numbered columns, quickly.

Sums of ``coefficient * variable`` are what large models consist of; they are read directly. Everything else goes to Pyomo's own
quadratic walker, so that the answer never depends on how an expression was written.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from pyomo.core.base import value
from pyomo.core.base.var import ScalarVar, VarData
from pyomo.core.expr.numeric_expr import LinearExpression, MonomialTermExpression, SumExpression

from bilevel_lang.components.walker import Walker

Floats: TypeAlias = npt.NDArray[np.float64]

_SUMS = frozenset({SumExpression, LinearExpression})
_NUMBERS = frozenset({int, float})
_VARIABLES = frozenset({VarData, ScalarVar})


@dataclass(frozen=True, slots=True)
class Affine:
    """``constant + sum coefficients[k] * column columns[k]``; a column may come several times."""

    constant: float
    columns: list[int]
    coefficients: list[float]


@dataclass(frozen=True, slots=True)
class Quadratic:
    """An :class:`Affine` form plus ``products[k] * column pairs[k][0] * column pairs[k][1]``."""

    affine: Affine
    pairs: list[tuple[int, int]]
    products: list[float]

    @property
    def is_affine(self) -> bool:
        """Whether there are no products."""
        return not self.pairs

    def columns(self) -> set[int]:
        """Every column in the form."""
        return {*self.affine.columns, *(j for pair in self.pairs for j in pair)}


class NotQuadraticError(Exception):
    """The expression is no polynomial of degree two (never reaches a user: the caller takes another route)."""


class Columns:
    """Numbers variables as they are met. Fixed variables are constants and get no column."""

    def __init__(self) -> None:
        self.variables: list[Any] = []
        self._number: dict[int, int] = {}
        self._walker = Walker()

    def __len__(self) -> int:
        return len(self.variables)

    def number(self, variable: Any) -> int:
        """The column of an unfixed ``variable``, a new one where it has none yet."""
        known = self._number.get(id(variable))
        if known is None:
            known = self._number[id(variable)] = len(self.variables)
            self.variables.append(variable)
        return known

    def find(self, variable: Any) -> int | None:
        """The column of ``variable``, None where it has none."""
        return self._number.get(id(variable))

    def quadratic(self, expression: Any, what: str) -> Quadratic:
        """``expression`` as a quadratic form. Raises NotQuadraticError; ModelFileError where it cannot be evaluated."""
        found = self._sum(expression)
        return Quadratic(found, [], []) if found is not None else self._walked(expression, what)

    def affine(self, expression: Any, what: str) -> Affine:
        """``expression`` as an affine form. Raises NotQuadraticError where it is none."""
        found = self._sum(expression)
        if found is not None:
            return found
        walked = self._walked(expression, what)
        if walked.pairs:
            raise NotQuadraticError(what)
        return walked.affine

    def _sum(self, expression: Any) -> Affine | None:
        """The form of a plain sum of terms; None for anything else."""
        terms = expression.args if expression.__class__ in _SUMS else (expression,)
        constant, columns, coefficients = 0.0, [], []
        number = self._number
        for term in terms:
            kind = term.__class__
            if kind is MonomialTermExpression:
                coefficient, variable = term._args_
                if coefficient.__class__ not in _NUMBERS:
                    coefficient = value(coefficient, exception=False)
                if coefficient is None or variable._fixed:
                    return None
            elif kind in _NUMBERS:
                constant += term
                continue
            elif kind in _VARIABLES and not term._fixed:
                coefficient, variable = 1.0, term
            else:
                return None
            column = number.get(id(variable))
            columns.append(self.number(variable) if column is None else column)
            coefficients.append(coefficient)
        return Affine(constant, columns, coefficients)

    def _walked(self, expression: Any, what: str) -> Quadratic:
        found = self._walker.walk(expression, what)
        if found.nonlinear is not None:
            raise NotQuadraticError(what)
        variable = self._walker.recorder.var_map
        linear = {self.number(variable[k]): c for k, c in found.linear.items()}
        products = {(self.number(variable[a]), self.number(variable[b])): c for (a, b), c in found.products.items() if c}
        return Quadratic(Affine(found.constant, list(linear), list(linear.values())), list(products), list(products.values()))


class Stack:
    """Rows collected one by one, then a sparse matrix."""

    def __init__(self) -> None:
        self.constants: list[float] = []
        self._starts: list[int] = [0]
        self._columns: list[int] = []
        self._data: list[float] = []

    def __len__(self) -> int:
        return len(self.constants)

    def add(self, form: Affine) -> int:
        """Append ``form``; its row number."""
        self._columns += form.columns
        self._data += form.coefficients
        self._starts.append(len(self._columns))
        self.constants.append(form.constant)
        return len(self.constants) - 1

    def uses(self, column: int) -> bool:
        """Whether ``column`` stands in a row."""
        return column in self._columns

    def matrix(self, columns: int) -> sp.csr_matrix:
        """All rows as a (rows, ``columns``) matrix, repeated columns summed up."""
        data = np.array(self._data, dtype=float)
        found = sp.csr_matrix((data, self._columns, self._starts), shape=(len(self), columns))
        found.sum_duplicates()
        found.eliminate_zeros()
        return found

    def shifts(self) -> Floats:
        """The rows' constants, (rows,)."""
        return np.array(self.constants, dtype=float)
