"""Definiteness of a sparse symmetric matrix, block by block: the test behind every claim that a quadratic is convex."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

PSD_TOLERANCE = 1e-12
"""An eigenvalue above ``-PSD_TOLERANCE * (the largest one)`` of a Hessian scaled to unit diagonal counts as non-negative.

That is what rounding does to squares that were multiplied out. The scaling matters: without it, ``1e9 x**2 - 0.1 y**2`` would
pass for any tolerance that the sum of a few squares needs.
"""

LARGEST_BLOCK = 3000
"""Coupled variables in one block of a Hessian: beyond that the dense eigenvalues would take gigabytes and minutes."""

Terms = Iterable[tuple[Any, Any, float]]


@dataclass(frozen=True, slots=True)
class Definiteness:
    """Of a symmetric matrix: proofs up to :data:`PSD_TOLERANCE`.

    ``least`` and ``largest`` are its extreme eigenvalues, not scaled; None where a block is larger than :data:`LARGEST_BLOCK` or
    a number is not finite.
    """

    positive: bool
    negative: bool
    least: float | None
    largest: float | None


def definiteness(terms: Terms) -> Definiteness:
    """Of the Hessian of sum c*a*b over ``terms`` (a, b, c), at least one; a and b are told apart by identity."""
    matrix = _hessian(terms)
    if not np.all(np.isfinite(matrix.data)):
        return Definiteness(False, False, None, None)
    positive = negative = True
    least, largest = np.inf, -np.inf
    for blocks in _blocks(matrix):
        if blocks is None:
            return Definiteness(False, False, None, None)
        positive = positive and _semidefinite(blocks)
        negative = negative and _semidefinite(-blocks)
        eigenvalues = np.linalg.eigvalsh(blocks)
        least, largest = min(least, eigenvalues.min()), max(largest, eigenvalues.max())
    return Definiteness(positive, negative, float(least), float(largest))


def is_sum_of_squares(quadratic: Terms, linear: Iterable[tuple[Any, float]], constant: float) -> bool:
    """Whether a quadratic is a sum of squares of affine functions: then its root is a norm, and convex.

    That is so where the Hessian, bordered by the linear part and twice the constant, is positive semidefinite.
    """
    one = object()
    terms = [*quadratic, *((v, one, c) for v, c in linear)]
    return constant >= 0 and definiteness([*terms, (one, one, constant)]).positive


def _hessian(terms: Terms) -> Any:
    index: dict[int, int] = {}
    rows, columns, data, kept = [], [], [], []
    for a, b, c in terms:
        rows.append(index.setdefault(id(a), len(index)))
        columns.append(index.setdefault(id(b), len(index)))
        data.append(c)
        kept += [a, b]  # an object that is gone could lend its id to the next one
    half = sp.coo_matrix((np.asarray(data, dtype=float), (rows, columns)), shape=(len(index), len(index))).tocsr()
    return (half + half.T).tocoo()


def _blocks(matrix: Any) -> Iterator[Any]:
    """The sets of coupled variables as dense matrices, those of a size together: (blocks, size, size). None: one is too large."""
    count, label = connected_components(sp.coo_matrix((np.ones(len(matrix.data)), (matrix.row, matrix.col)), matrix.shape), False)
    sizes = np.bincount(label, minlength=count)
    order = np.argsort(label, kind="stable")
    place = np.empty(len(label), dtype=int)
    place[order] = np.arange(len(label)) - (np.cumsum(sizes) - sizes)[label[order]]
    for size in np.unique(sizes):
        if size > LARGEST_BLOCK:
            yield None
            return
        number = np.cumsum(sizes == size) - 1
        mine = sizes[label[matrix.row]] == size
        rows, columns = matrix.row[mine], matrix.col[mine]
        dense = np.zeros((int(np.sum(sizes == size)), size, size))
        np.add.at(dense, (number[label[rows]], place[rows], place[columns]), matrix.data[mine])
        yield dense


def _semidefinite(blocks: Any) -> bool:
    """Whether all of some symmetric matrices of one size are positive semidefinite."""
    diagonal = np.diagonal(blocks, axis1=1, axis2=2)
    # A zero on the diagonal next to other entries makes the determinant of a 2 x 2 minor negative.
    if np.any(diagonal < 0) or (blocks.shape[1] > 1 and np.any(diagonal == 0)):
        return False
    scale = 1.0 / np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
    eigenvalues = np.linalg.eigvalsh(blocks * scale[:, :, None] * scale[:, None, :])
    return bool(np.all(eigenvalues[:, 0] >= -PSD_TOLERANCE * eigenvalues[:, -1]))
