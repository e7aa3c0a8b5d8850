"""Whether linear equations leave a single point: then nobody has to look for the ends of the set.

As many independent equations as variables. An optimal answer of an LP without dual degeneracy is of this kind: the rows and
bounds with a multiplier are those of its basis, which is regular (Mangasarian, Uniqueness of solution in linear programming,
Linear Algebra and its Applications 25 (1979) 151-162).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.sparse as sp

SMALLEST_PIVOT = 1e-9
"""A pivot of the scaled equations below this is taken for zero: then nothing is claimed."""


def is_one_point(equations: Sequence[Sequence[tuple[Any, float]]], free: Sequence[Any]) -> bool:
    """Whether ``equations``, each the terms (variable, factor) of a constant sum, determine all variables in ``free``.

    Others count as constants. False where that is not proven: there may be fewer or more equations than variables, and the
    factorisation may have a pivot near zero.
    """
    if not free:
        return True
    if len(equations) != len(free):
        return False
    column = {id(v): k for k, v in enumerate(free)}
    rows, columns, data = [], [], []
    for k, terms in enumerate(equations):
        for variable, factor in terms:
            place = column.get(id(variable))
            if place is not None:
                rows.append(k)
                columns.append(place)
                data.append(float(factor))
    matrix = sp.csr_matrix((data, (rows, columns)), shape=(len(free), len(free)))
    return is_regular(matrix)


def is_regular(matrix: sp.csr_matrix) -> bool:
    """Whether all pivots of the matrix, its rows and then its columns scaled to a largest entry of 1, are well above zero."""
    for _ in range(2):
        largest = abs(matrix).max(axis=1).toarray().ravel()
        if not np.all((largest > 0) & np.isfinite(largest)):
            return False
        matrix = sp.csr_matrix((sp.diags(1 / largest) @ matrix).T)
    try:
        factors = sp.linalg.splu(matrix.tocsc())
    except RuntimeError:  # what SuperLU raises for an exactly singular matrix
        return False
    return bool(abs(factors.U.diagonal()).min() > SMALLEST_PIVOT)
