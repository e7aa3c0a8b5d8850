"""Whether the leader could gain at a decision at all: a bound from below by one LP, before the follower is solved there.

With x held, min F over all rows and ``f(x, y) <= u(x)``, without integrality, where u(x) is the best value of those answers of
the follower seen so far that are feasible at x: the follower can do at least as well, so the truth is not below. No decision is
lost by leaving out those whose bound does not beat the best point known, and an LP costs a small part of an integer follower.
Where the leader gets what the follower loses, ``F = c'x + a f`` with a < 0, no LP is needed: ``c'x + a u(x)`` is a bound.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from bilevel_lang.reformulation.nn_embed.answers import as_minimisation, with_row
from bilevel_lang.reformulation.nn_embed.target import value_factor
from bilevel_lang.reformulation.value_function.integer.arrays import BilevelProgram
from bilevel_lang.solvers.matrix import Ints
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.solver import SolverOptions, Termination
from bilevel_lang.solvers.warm_lp import WarmLp

TOLERANCE = 1e-7
"""Of a row, relative to max(1, |side|): an answer that misses it by more is not feasible."""

SEEN = 5000
"""Answers that are remembered."""

AT_ONCE = 128
"""Answers, the follower's best first, that are looked at together: most decisions leave one of the first feasible."""


class Room:
    """Bounds at decisions of the linear problem ``source``."""

    def __init__(self, source: BilevelProgram, inputs: Ints, options: SolverOptions, deadline: float | None = None) -> None:
        program = source.relaxation
        self.inputs, self._program = inputs, program
        relaxed = replace(as_minimisation(program), integer=np.zeros(program.columns, dtype=bool))
        self._lp = WarmLp(with_row(relaxed, source.follower_cost), options, primal=False, deadline=deadline)
        rows, own = np.flatnonzero(source.follower_rows), np.flatnonzero(source.follower)
        self._seen_by_rows, self._own_rows = program.matrix[rows][:, inputs], program.matrix[rows][:, own]
        self._lower = program.row_lower[rows] - TOLERANCE * _size(program.row_lower[rows])
        self._upper = program.row_upper[rows] + TOLERANCE * _size(program.row_upper[rows])
        self._cost = source.follower_cost[own]
        self._bodies, self._values = np.zeros((0, len(rows))), np.zeros(0)
        self._known: set[bytes] = set()
        self._new: list[Floats] = []
        self._opposed = _opposed(source, inputs)

    @property
    def solves(self) -> int:
        """LPs solved so far."""
        return self._lp.solves

    def learn(self, response: Floats | None) -> None:
        """A ``response`` (m,) of the follower to some decision; None: it had none there."""
        if response is None or len(self._known) >= SEEN or response.tobytes() in self._known:
            return
        self._known.add(response.tobytes())
        self._new.append(response)

    def ceiling(self, x: Floats) -> float:
        """u(x): the best value of the answers seen that are feasible at ``x`` (n,); inf without any."""
        self._sort()
        moved = self._seen_by_rows @ x
        lower, upper = self._lower - moved, self._upper - moved
        for start in range(0, len(self._values), AT_ONCE):
            bodies = self._bodies[start : start + AT_ONCE]
            feasible = ((bodies >= lower) & (bodies <= upper)).all(axis=1)
            if feasible.any():
                return float(self._values[start + int(np.argmax(feasible))])
        return math.inf

    def bound(self, x: Floats, enough: float = math.inf) -> float:
        """What the leader gets at ``x`` (n,) is not below this (as a minimisation); inf where no point satisfies the rows.

        No better bound is looked for than ``enough``.
        """
        program, most = self._program, self.ceiling(x)
        if self._opposed is not None and math.isfinite(most):
            factor, costs = self._opposed
            least = float(factor * (most + TOLERANCE * max(1.0, abs(most))) + costs @ x + program.sense * program.constant)
            if least >= enough:
                return least
        lower, upper = program.lower.copy(), program.upper.copy()
        lower[self.inputs] = upper[self.inputs] = x
        self._lp.set_bounds(lower, upper)
        side = most + TOLERANCE * max(1.0, abs(most)) if math.isfinite(most) else math.inf
        self._lp.set_sides(np.append(program.row_lower, -math.inf), np.append(program.row_upper, side))
        found = self._lp.solve()
        if found.termination is Termination.OPTIMAL:
            return float(found.objective + program.sense * program.constant)
        return math.inf if found.termination is Termination.INFEASIBLE else -math.inf

    def _sort(self) -> None:
        """The answers by their values, those learned since the last time among them."""
        if not self._new:
            return
        new = np.array(self._new)
        self._new.clear()
        values = np.append(self._values, new @ self._cost)
        order = np.argsort(values, kind="stable")
        self._bodies = np.vstack([self._bodies, np.asarray((self._own_rows @ new.T).T)])[order]
        self._values = values[order]


def _opposed(source: BilevelProgram, inputs: Ints) -> tuple[float, Floats] | None:
    """(a, c) with ``F = c'x + a f`` and a < 0 at the ``inputs`` x, both as minimisations; None where it is not so."""
    factor, program = value_factor(source), source.relaxation
    free = np.flatnonzero(~source.follower & (program.cost != 0))
    if factor is None or factor >= 0 or len(np.setdiff1d(free, inputs)):
        return None
    return factor, np.asarray(program.sense * program.cost[inputs])


def _size(sides: Floats) -> Floats:
    return np.maximum(1.0, np.abs(np.where(np.isfinite(sides), sides, 1.0)))
