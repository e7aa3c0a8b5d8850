"""Small bilevel programs with answers by hand."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from bilevel_lang.reformulation.value_function.integer.arrays import BilevelProgram
from bilevel_lang.reformulation.value_function.integer.extended import Extended, extend
from bilevel_lang.solvers.matrix import MatrixProgram

INF = np.inf


def program(
    cost: list[float],
    rows: list[list[float]],
    sides: list[tuple[float, float]],
    follower_cost: list[float],
    boxes: list[tuple[float, float]],
    own: int | None = None,
    integer: list[bool] | None = None,
    sense: int = 1,
) -> BilevelProgram:
    """The follower has the last columns, one for each entry of ``follower_cost``, and the first ``own`` rows (None: all)."""
    n, m = len(cost), len(rows)
    relaxation = MatrixProgram(
        lower=np.array([b[0] for b in boxes], dtype=float),
        upper=np.array([b[1] for b in boxes], dtype=float),
        integer=np.ones(n, dtype=bool) if integer is None else np.array(integer),
        cost=np.array(cost, dtype=float),
        matrix=sp.csr_matrix(np.array(rows, dtype=float).reshape(m, n)),
        row_lower=np.array([s[0] for s in sides], dtype=float),
        row_upper=np.array([s[1] for s in sides], dtype=float),
        sense=sense,
    )
    follower = np.arange(n) >= n - len(follower_cost)
    costs = np.zeros(n)
    costs[follower] = follower_cost
    return BilevelProgram(relaxation, follower, np.arange(m) < (m if own is None else own), costs)


def moore90() -> BilevelProgram:
    """Moore and Bard 1990: min -x - 10y, the follower min y; -22 at (2, 2), by enumeration of all integer points."""
    rows = [[-25.0, 20.0], [1.0, 2.0], [2.0, -1.0], [-2.0, -10.0]]
    return program([-1, -10], rows, [(-INF, 30), (-INF, 10), (-INF, 15), (-INF, -15)], [1], [(0, INF), (0, INF)])


def knapsack() -> BilevelProgram:
    """Interdiction: the leader forbids one of three items (profits 6, 5, 4; weights 2, 2, 2; capacity 4) to hurt the follower.

    Without item 1 the follower gets 9, without item 2 10, without item 3 11: the leader's optimum is 9.
    """
    rows = [[0, 0, 0, 2, 2, 2], [1, 0, 0, 1, 0, 0], [0, 1, 0, 0, 1, 0], [0, 0, 1, 0, 0, 1], [1, 1, 1, 0, 0, 0]]
    sides = [(-INF, 4)] + [(-INF, 1)] * 4
    return program([0, 0, 0, 6, 5, 4], rows, sides, [-6, -5, -4], [(0, 1)] * 6, own=4)


def moore90_extended() -> Extended:
    """:func:`moore90` with its columns for activities and value."""
    return extend(moore90())


def random_interdiction(seed: int) -> BilevelProgram:
    """Up to four items with two resources; the leader may forbid some of them."""
    random = np.random.default_rng(seed)
    n = int(random.integers(2, 5))
    profits, weights = random.integers(1, 9, n).astype(float), random.integers(1, 5, (2, n)).astype(float)
    rows = [[*np.zeros(n), *w] for w in weights] + [[*np.eye(n)[j], *np.eye(n)[j]] for j in range(n)]
    sides = [(-INF, float(random.integers(2, 9))) for _ in range(2)] + [(-INF, 1.0)] * n
    return program([*np.zeros(n), *profits], [list(r) for r in rows], sides, list(-profits), [(0, 1)] * (2 * n))
