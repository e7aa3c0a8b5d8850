"""Small linear programs with complementarity, and their optimum by enumeration."""

from __future__ import annotations

import itertools

import numpy as np
import scipy.sparse as sp
from scipy.optimize import linprog

from bilevel_lang.solvers.matrix import Ints, MatrixProgram

Lpcc = tuple[MatrixProgram, Ints, Ints]


def enumerated(program: MatrixProgram, left: Ints, right: Ints) -> float:
    """The least (sense * objective) over all ways to decide the pairs: inf if none has a point, -inf if unbounded."""
    matrix = program.matrix.toarray()
    equal = program.row_lower == program.row_upper
    below, above = np.isfinite(program.row_upper) & ~equal, np.isfinite(program.row_lower) & ~equal
    rows = {
        "A_ub": np.vstack([matrix[below], -matrix[above]]),
        "b_ub": np.concatenate([program.row_upper[below], -program.row_lower[above]]),
        "A_eq": matrix[equal],
        "b_eq": program.row_lower[equal],
    }
    best = np.inf
    for decided in itertools.product((False, True), repeat=len(left)):
        upper = program.upper.copy()
        upper[np.where(decided, right, left)] = 0.0
        found = linprog(program.sense * program.cost, bounds=np.column_stack([program.lower, upper]), **rows)
        if found.status == 3:
            return -np.inf
        if found.status == 0:
            best = min(best, float(found.fun))
    return best


def coupled(seed: int) -> Lpcc:
    """Rows that connect all columns, at random, both senses; with a point that is complementary most of the time."""
    r = np.random.default_rng((11, seed))
    n, m = int(r.integers(4, 9)), int(r.integers(1, 4))
    k = int(r.integers(1, n // 2 + 1))
    order = r.permutation(n)
    left, right = order[:k], order[k : 2 * k]
    point = np.where(r.random(n) < 0.6, 3 * r.random(n), 0.0)
    if r.random() < 0.8:
        point[np.where(r.random(k) < 0.5, left, right)] = 0.0
    matrix = np.where(r.random((m, n)) < 0.8, r.integers(-3, 4, (m, n)), 0).astype(float)
    here = matrix @ point
    equal = r.random(m) < 0.4
    program = MatrixProgram(
        lower=np.where(np.isin(np.arange(n), order[: 2 * k]), 0.0, -3.0),
        upper=np.full(n, 5.0),
        integer=np.zeros(n, dtype=bool),
        cost=np.where(r.random(n) < 0.7, r.integers(-3, 4, n), 0).astype(float),
        matrix=sp.csr_matrix(matrix),
        row_lower=np.where(equal, here, here - 2 * r.random(m)),
        row_upper=np.where(equal, here, here + 2 * r.random(m)),
        constant=1.5,
        sense=int(r.choice([-1, 1])),
    )
    return program, left, right


def bilevel(seed: int, followers: int = 1) -> Lpcc:
    """KKT systems of LP followers ``min d'y : B y + s = b - A x, 0 <= y, y + t = 6``, each with a leader's x in [0, 4].

    Columns: x (f), then for each follower y (2), s (2), t (2), multipliers of s, of t and of y >= 0 (2 each).
    """
    r = np.random.default_rng((13, seed))
    width, f = 12, followers
    n = f + f * width
    blocks, sides = [], []
    for i in range(f):
        a, b = r.integers(-3, 4, 2), r.integers(-2, 4, (2, 2))
        y, s, t, of_s, of_t, of_y = (f + width * i + 2 * np.arange(6))[:, None] + np.arange(2)
        rows = np.zeros((6, n))
        for k in range(2):
            rows[k, [i, *y, s[k]]] = [a[k], *b[k], 1]
            rows[2 + k, [y[k], t[k]]] = 1
            rows[4 + k, [*of_s, of_t[k], of_y[k]]] = [*b[:, k], 1, -1]
        blocks.append(rows)
        sides.append(np.concatenate([r.integers(2, 9, 2), [6, 6], -r.integers(-4, 4, 2)]))
    level = np.concatenate(sides).astype(float)
    cost = np.zeros(n)
    first = f + width * np.arange(f)
    cost[:f], cost[first], cost[first + 1] = r.integers(-4, 5, f), r.integers(-4, 5, f), r.integers(-4, 5, f)
    pairs = [(2, 6), (3, 7), (4, 8), (5, 9), (0, 10), (1, 11)]
    left = np.array([j + p for j in first for p, _ in pairs])
    right = np.array([j + q for j in first for _, q in pairs])
    program = MatrixProgram(
        lower=np.zeros(n),
        upper=np.concatenate([np.full(f, 4.0), np.full(f * width, np.inf)]),
        integer=np.zeros(n, dtype=bool),
        cost=cost,
        matrix=sp.csr_matrix(np.vstack(blocks)),
        row_lower=level,
        row_upper=level,
    )
    return program, left, right
