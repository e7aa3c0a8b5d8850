"""Tiny random bilevel programs with whole columns, and their optimum by looking at every point."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import scipy.sparse as sp

from bilevel_lang.reformulation.value_function.integer.arrays import BilevelProgram
from bilevel_lang.solvers.matrix import MatrixProgram


def random_program(seed: int) -> BilevelProgram:
    """1 to 3 leader's and 1 to 3 follower's columns in boxes of at most 5 points; rows of all kinds on both levels."""
    random = np.random.default_rng(seed)
    leaders, followers = int(random.integers(1, 4)), int(random.integers(1, 4))
    n = leaders + followers
    lower = random.integers(-2, 2, n).astype(float)
    upper = lower + random.integers(0, 5, n)
    follower = np.arange(n) >= leaders
    own, foreign = int(random.integers(1, 4)), int(random.integers(0, 3))
    matrix = random.integers(-3, 4, (own + foreign, n)) * (random.random((own + foreign, n)) < 0.75)
    if random.random() < 0.3:
        matrix = matrix * random.choice([0.5, 0.1, 2.0], (own + foreign, 1))
    # Sides near the row's value at a random point, so that most rows matter and most programs have points.
    middle = matrix @ np.array([random.integers(a, b + 1) for a, b in zip(lower, upper, strict=True)], dtype=float)
    kind = random.choice(["<=", ">=", "range", "=="], own + foreign, p=[0.45, 0.3, 0.15, 0.1])
    low = np.where(kind == "<=", -np.inf, middle - np.where(kind == "==", 0, random.integers(0, 3, own + foreign)))
    up = np.where(kind == ">=", np.inf, middle + np.where(kind == "==", 0, random.integers(0, 3, own + foreign)))
    relaxation = MatrixProgram(
        lower=lower,
        upper=upper,
        integer=np.ones(n, dtype=bool),
        cost=random.integers(-5, 6, n).astype(float),
        matrix=sp.csr_matrix(matrix.astype(float)),
        row_lower=low,
        row_upper=up,
        constant=float(random.integers(-3, 4)),
        sense=int(random.choice([1, -1])),
    )
    relaxation.matrix.eliminate_zeros()
    # Many zeros and ones: several best answers, which the leader's rows tell apart.
    cost = np.where(follower, random.integers(-2, 3, n), 0).astype(float)
    return BilevelProgram(relaxation, follower, np.arange(own + foreign) < own, cost)


def random_opposed(seed: int) -> BilevelProgram:
    """:func:`random_program` with a leader who wants to hurt the follower and whose rows hold none of its columns."""
    found = random_program(seed)
    box, own = found.relaxation, found.follower
    matrix = box.matrix.toarray()
    matrix[np.ix_(~found.follower_rows, own)] = 0.0
    factor = -box.sense * (1 + seed % 3)
    cost = np.where(own, factor * found.follower_cost, box.cost)
    return replace(found, relaxation=replace(box, cost=cost, matrix=sp.csr_matrix(matrix)))


def points(program: BilevelProgram) -> np.ndarray:
    """Every whole point of the box."""
    box = program.relaxation
    ranges = [np.arange(a, b + 1) for a, b in zip(box.lower, box.upper, strict=True)]
    return np.array(list(itertools.product(*ranges)), dtype=float)


def solutions(program: BilevelProgram) -> tuple[np.ndarray, np.ndarray]:
    """The points that satisfy all rows and whose value no answer of the follower beats; the points that satisfy its own rows."""
    box = program.relaxation
    z = points(program)
    body = z @ box.matrix.toarray().T
    holds = (body >= box.row_lower - 1e-9) & (body <= box.row_upper + 1e-9)
    own = holds[:, program.follower_rows].all(axis=1)
    value = z @ program.follower_cost
    best: dict[bytes, float] = {}
    keys = [row.tobytes() for row in z[:, ~program.follower]]
    for key, feasible, v in zip(keys, own, value, strict=True):
        if feasible:
            best[key] = min(best.get(key, np.inf), v)
    solved = [k for k in range(len(z)) if holds[k].all() and value[k] <= best[keys[k]] + 1e-9]
    return z[solved], z[own]


def best_by_enumeration(program: BilevelProgram) -> float | None:
    """The optimum of the optimistic position, None without a solution."""
    box = program.relaxation
    found = [float(z @ box.cost) + box.constant for z in solutions(program)[0]]
    if not found:
        return None
    return min(found) if box.sense > 0 else max(found)


def sure_by_enumeration(program: BilevelProgram) -> float | None:
    """The optimum of the pessimistic position, None without a solution.

    What the follower sees are the linking columns; the leader's others are chosen before its answer is known, so every point of
    the leader counts by the worst of the best answers, and has to satisfy the rows with all of them.
    """
    box = program.relaxation
    z = points(program)
    body = z @ box.matrix.toarray().T
    holds = (body >= box.row_lower - 1e-9) & (body <= box.row_upper + 1e-9)
    value, goal = z @ program.follower_cost, box.sense * (z @ box.cost)
    answers: dict[bytes, list[int]] = {}
    for k, row in enumerate(z[:, ~program.follower]):
        if holds[k, program.follower_rows].all():
            answers.setdefault(row.tobytes(), []).append(k)
    worst = []
    for known in answers.values():
        least = min(value[known])
        best = [k for k in known if value[k] <= least + 1e-9]
        if holds[best].all():
            worst.append(max(goal[best]))
    return None if not worst else box.sense * min(worst) + box.constant
