"""Tiny random bilevel programs with continuous linking columns, and their optimum by looking at everything that can happen."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp

from bilevel_lang.reformulation.value_function.integer.arrays import BilevelProgram
from tests.reformulation.value_function.integer.enumeration import random_program


def on_a_grid(seed: int) -> tuple[BilevelProgram, BilevelProgram]:
    """A random program with whole columns, and the same with its leader's columns as continuous ones on grids.

    In the second each column k of the leader in the first has become a continuous one that a row of the leader ties to step * k,
    and stands in all other rows and the objective in its place.
    """
    whole = random_program(seed)
    box = whole.relaxation
    random = np.random.default_rng([seed, 1])
    moved = np.flatnonzero(~whole.follower)
    steps = random.choice([0.25, 0.5, 1.0, 3.0], len(moved))
    n, count = box.columns, len(moved)
    matrix = box.matrix.toarray()
    swapped = np.hstack([matrix, np.zeros((box.rows, count))])
    swapped[:, n:] = matrix[:, moved] / steps
    swapped[:, moved] = 0.0
    ties = np.zeros((count, n + count))
    ties[np.arange(count), moved] = -steps
    ties[np.arange(count), n + np.arange(count)] = 1.0
    cost = np.append(box.cost, box.cost[moved] / steps)
    cost[moved] = 0.0
    relaxation = replace(
        box,
        lower=np.append(box.lower, box.lower[moved] * steps),
        upper=np.append(box.upper, box.upper[moved] * steps),
        integer=np.append(box.integer, np.zeros(count, dtype=bool)),
        cost=cost,
        matrix=sp.csr_matrix(np.vstack([swapped, ties])),
        row_lower=np.append(box.row_lower, np.zeros(count)),
        row_upper=np.append(box.row_upper, np.zeros(count)),
    )
    relaxation.matrix.eliminate_zeros()
    tied = BilevelProgram(
        relaxation,
        np.append(whole.follower, np.zeros(count, dtype=bool)),
        np.append(whole.follower_rows, np.zeros(count, dtype=bool)),
        np.append(whole.follower_cost, np.zeros(count)),
    )
    return whole, tied


def with_continuous_column(seed: int) -> BilevelProgram:
    """:func:`random_program` with the leader's first column continuous."""
    found = random_program(seed)
    integer = found.relaxation.integer.copy()
    integer[0] = False
    return replace(found, relaxation=replace(found.relaxation, integer=integer))


@dataclass(frozen=True)
class Infimum:
    """``value`` in the program's sense; ``attained`` whether a solution has it."""

    value: float
    attained: bool


def infimum(program: BilevelProgram) -> Infimum | None:
    """Of a program with column 0 continuous, all others whole; None without a solution.

    For given whole columns every row holds on an interval of column 0. Between two ends of such intervals nothing changes: it is
    enough to look at the ends and at one point of each gap, and the objective is linear.
    """
    box = program.relaxation
    others = np.array(list(itertools.product(*(np.arange(a, b + 1) for a, b in zip(box.lower[1:], box.upper[1:], strict=True)))))
    matrix = box.matrix.toarray()
    low, up = _intervals(others @ matrix[:, 1:].T, matrix[:, 0], box.row_lower, box.row_upper)
    own = program.follower_rows
    low, up = np.maximum(low, box.lower[0]), np.minimum(up, box.upper[0])
    low_own, up_own = low[:, own].max(axis=1, initial=-np.inf), up[:, own].min(axis=1, initial=np.inf)
    low_all, up_all = low.max(axis=1, initial=box.lower[0]), up.min(axis=1, initial=box.upper[0])
    worth = others @ program.follower_cost[1:]
    goal = box.sense * (others @ box.cost[1:])
    slope = box.sense * box.cost[0]
    best, attained = np.inf, False
    leaders = others[:, ~program.follower[1:]]
    for key in np.unique(leaders, axis=0):
        mine = np.flatnonzero((leaders == key).all(axis=1))
        marks = np.concatenate([low_own[mine], up_own[mine], low_all[mine], up_all[mine]])
        marks = np.unique(np.round(np.clip(marks[np.isfinite(marks)], box.lower[0], box.upper[0]), 9))
        for x, ends in _pieces(marks):
            feasible = mine[(low_own[mine] <= x + 1e-8) & (x <= up_own[mine] + 1e-8)]
            if not feasible.size:
                continue
            answers = feasible[worth[feasible] <= worth[feasible].min() + 1e-9]
            allowed = answers[(low_all[answers] <= x + 1e-8) & (x <= up_all[answers] + 1e-8)]
            for k in allowed:
                for end in ends:
                    value = goal[k] + slope * end
                    reached = len(ends) == 1 or slope == 0
                    if value < best - 1e-9:
                        best, attained = value, reached
                    elif value <= best + 1e-9:
                        attained = attained or reached
    return None if not np.isfinite(best) else Infimum(box.sense * best + box.constant, attained)


def _pieces(marks: np.ndarray) -> list[tuple[float, tuple[float, ...]]]:
    """(a point, the ends) of each mark and of each gap between two."""
    points = [(float(x), (float(x),)) for x in marks]
    gaps = [(float((a + b) / 2), (float(a), float(b))) for a, b in itertools.pairwise(marks)]
    return points + gaps


def _intervals(rest: np.ndarray, slope: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(N, m): between which values of column 0 each row holds; an empty interval where it never does."""
    with np.errstate(divide="ignore", invalid="ignore"):
        a, b = (lower - rest) / slope, (upper - rest) / slope
    low, up = np.where(slope > 0, a, b), np.where(slope > 0, b, a)
    holds = (rest >= lower - 1e-9) & (rest <= upper + 1e-9)
    flat = slope == 0
    return np.where(flat, np.where(holds, -np.inf, np.inf), low), np.where(flat, np.where(holds, np.inf, -np.inf), up)


def with_continuous_columns_of_both(seed: int) -> BilevelProgram:
    """:func:`random_program` with the leader's first column and the follower's last one continuous."""
    found = random_program(seed)
    integer = found.relaxation.integer.copy()
    integer[[0, -1]] = False
    return replace(found, relaxation=replace(found.relaxation, integer=integer))


def solutions_on_a_grid(program: BilevelProgram, steps: int = 240) -> list[float]:
    """The leader's objective at solutions of :func:`with_continuous_columns_of_both` with column 0 on a grid.

    For given other columns the follower's last one lies in an interval, and takes the end that its cost wants; without a cost
    the leader chooses.
    """
    box = program.relaxation
    middle = list(itertools.product(*(np.arange(a, b + 1) for a, b in zip(box.lower[1:-1], box.upper[1:-1], strict=True))))
    matrix, own, n = box.matrix.toarray(), program.follower_rows, box.columns
    leader = ~program.follower[1:-1]
    found: list[float] = []
    for x in np.linspace(box.lower[0], box.upper[0], steps + 1):
        z = np.array([[x, *m] for m in middle]).reshape(len(middle), n - 1)
        low, up = _intervals(z @ matrix[:, :-1].T, matrix[:, -1], box.row_lower, box.row_upper)
        ends = []
        for rows in (own, np.ones(len(own), dtype=bool)):
            least = np.maximum(low[:, rows].max(axis=1, initial=-np.inf), box.lower[-1])
            most = np.minimum(up[:, rows].min(axis=1, initial=np.inf), box.upper[-1])
            ends.append((least, most))
        (least, most), (least_all, most_all) = ends
        cost, goal = program.follower_cost[-1], box.sense * box.cost[-1]
        end = np.where(least <= most + 1e-9, least if cost >= 0 else most, 0.0)
        best = np.where(least <= most + 1e-9, z @ program.follower_cost[:-1] + cost * end, np.inf)
        for key in {tuple(row) for row in z[:, 1:][:, leader]}:
            mine = np.flatnonzero((z[:, 1:][:, leader] == np.array(key)).all(axis=1))
            answers = mine[(best[mine] < np.inf) & (best[mine] <= best[mine].min() + 1e-9)]
            for k in answers:
                a, b = (least_all[k], most_all[k]) if cost == 0 else (least[k], least[k]) if cost > 0 else (most[k], most[k])
                if a <= b + 1e-9 and least_all[k] <= a + 1e-9 and b <= most_all[k] + 1e-9:
                    w = a if goal >= 0 else b
                    found.append(float(z[k] @ box.cost[:-1] + w * box.cost[-1]) + box.constant)
    return found
