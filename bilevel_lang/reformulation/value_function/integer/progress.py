"""Lines on stderr that show how the search is getting on, at a readable rate."""

from __future__ import annotations

import sys

from bilevel_lang.solvers.tree_judge import TreeState

HEADER = "   time    nodes     left        incumbent            bound      gap    cuts  follower solves"

FIRST_EVERY = 1.0
"""Seconds between lines; the distance grows with the time, so that an hour is a screenful."""


class Progress:
    """Writes a line of a :class:`TreeState` now and then, if ``verbose``."""

    def __init__(self, verbose: bool) -> None:
        self._next = 0.0 if verbose else float("inf")
        self._begun = False

    def tell(self, state: TreeState, cuts: int, solves: int) -> None:
        """Write a line, if it is time for one."""
        if state.seconds < self._next:
            return
        if not self._begun:
            sys.stderr.write(HEADER + "\n")
            self._begun = True
        self._next = state.seconds + max(FIRST_EVERY, 0.05 * state.seconds)
        sys.stderr.write(line(state, cuts, solves) + "\n")


def line(state: TreeState, cuts: int, solves: int) -> str:
    """One line of the log."""
    gap = "-"
    if state.incumbent is not None and state.bound is not None:
        gap = f"{100 * abs(state.incumbent - state.bound) / max(1.0, abs(state.incumbent)):.2f}%"
    numbers = [f"{value:16.8g}" if value is not None else f"{'-':>16}" for value in (state.incumbent, state.bound)]
    return f"{state.seconds:6.1f}s {state.nodes:8d} {state.left:8d} {' '.join(numbers)} {gap:>8} {cuts:7d} {solves:16d}"
