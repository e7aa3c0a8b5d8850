"""A linear program with alternatives: in each disjunction, one of several sets of bounds has to hold.

Best-first branching on the most violated disjunction, an LP in HiGHS at each node: exact without any big-M.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import linprog

NODES = 2000
"""LPs after which a search is given up."""

HOLDS = 1e-7
"""How far a column may lie outside the bounds of an alternative that holds; columns are expected to be of size 1."""

Bounds = tuple[int, float, float]
"""Column, lower, upper."""

Alternative = tuple[Bounds, ...]


class GivenUpError(Exception):
    """More than :data:`NODES` LPs, or HiGHS failed at one."""


@dataclass(frozen=True, eq=False)
class LinearProgram:
    """``min cost'z`` subject to ``equal z = equal_to`` and ``lower <= z <= upper`` (n columns, sparse ``equal``)."""

    cost: Any
    equal: Any
    equal_to: Any
    lower: Any
    upper: Any


def first_below(lp: LinearProgram, disjunctions: Sequence[Sequence[Alternative]], target: float) -> Any:
    """A point that keeps one alternative of every disjunction and costs at most ``target``; None if there is none.

    Raises GivenUpError where that could not be decided.
    """
    waiting: list[tuple[float, int, Any, Any, Any]] = []
    solved = 0

    def add(lower: Any, upper: Any) -> None:
        nonlocal solved
        solved += 1
        if solved > NODES:
            raise GivenUpError(f"more than {NODES} linear programs")
        if np.any(lower > upper):
            return
        found = linprog(lp.cost, A_eq=lp.equal, b_eq=lp.equal_to, bounds=np.column_stack([lower, upper]), method="highs")
        if found.status == 2:
            return
        if found.status != 0:
            raise GivenUpError(f"HiGHS: {found.message}")
        if found.fun <= target:
            heapq.heappush(waiting, (float(found.fun), solved, found.x, lower, upper))

    add(np.array(lp.lower, dtype=float), np.array(lp.upper, dtype=float))
    while waiting:
        _, _, point, lower, upper = heapq.heappop(waiting)
        violated, worst = max(((_violation(point, d), k) for k, d in enumerate(disjunctions)), default=(0.0, -1))
        if violated <= HOLDS:
            return point
        for alternative in disjunctions[worst]:
            add(*_narrowed(lower, upper, alternative))
    return None


def _violation(point: Any, disjunction: Sequence[Alternative]) -> float:
    """By how much the nearest alternative is missed."""
    return min(
        max((max(low - point[column], point[column] - up) for column, low, up in alternative), default=0.0)
        for alternative in disjunction
    )


def _narrowed(lower: Any, upper: Any, alternative: Alternative) -> tuple[Any, Any]:
    lower, upper = lower.copy(), upper.copy()
    for column, low, up in alternative:
        lower[column], upper[column] = max(lower[column], low), min(upper[column], up)
    return lower, upper
