"""Good decisions by the network alone: descent from many points, one step of one input (or a swap of two) at a time.

The forward pass of all neighbours at once costs less than one node of a branch and bound. What comes out are questions to the
judge and starts of the solver, not answers.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import scipy.sparse as sp

from bilevel_lang.reformulation.value_function.integer.arrays import BilevelProgram
from bilevel_lang.solvers.matrix import Flags, Ints, MatrixProgram
from bilevel_lang.solvers.program import Floats
from bilevel_lang.surrogate.bounds.input_set import InputSet

STEPS = (0.2, 0.05, 0.01)
"""Of continuous inputs, as shares of their width."""

MOST_STEPS = 60
SWAPS = 400
"""Pairs of binary inputs that may trade places, at most, in one step."""


class InputRows:
    """The rows of the problem that hold inputs alone: what a proposal has to satisfy."""

    def __init__(self, source: BilevelProgram, inputs: Ints) -> None:
        program = source.relaxation
        others = np.ones(program.columns, dtype=bool)
        others[inputs] = False
        held = np.asarray((program.matrix != 0).astype(np.int64) @ others.astype(np.int64))
        rows = np.flatnonzero(held == 0)
        self.matrix: sp.csr_matrix = program.matrix[rows][:, inputs]
        self.lower, self.upper = program.row_lower[rows], program.row_upper[rows]

    def program(self, domain: InputSet) -> MatrixProgram:
        """The box and these rows, without an objective."""
        return MatrixProgram(
            lower=domain.lower,
            upper=domain.upper,
            integer=domain.integer,
            cost=np.zeros(domain.inputs),
            matrix=self.matrix,
            row_lower=self.lower,
            row_upper=self.upper,
        )

    def satisfied(self, points: Floats) -> Flags:
        """(k,): which ``points`` (k, n) satisfy them, up to 1e-9 relative to max(1, |side|)."""
        if not len(self.lower):
            return np.ones(len(points), dtype=bool)
        body = np.asarray((self.matrix @ points.T).T)
        size = np.maximum(1.0, np.abs(np.where(np.isfinite(self.lower), self.lower, 1.0)))
        above = np.maximum(1.0, np.abs(np.where(np.isfinite(self.upper), self.upper, 1.0)))
        inside = (body >= self.lower - 1e-9 * size) & (body <= self.upper + 1e-9 * above)
        return np.asarray(inside.all(axis=1))


def proposals(merit: Callable[[Floats], Floats], starts: Floats, domain: InputSet, rows: InputRows, count: int) -> Floats:
    """At most ``count`` distinct local minima (k, n) of ``merit``, which takes points (k, n) and gives (k,), the best first."""
    ends: dict[bytes, tuple[float, Floats]] = {}
    for start in starts:
        x = start.copy()
        value = float(merit(x[None, :])[0])
        for _ in range(MOST_STEPS):
            around = moves(x, domain)
            around = around[rows.satisfied(around)]
            if not len(around):
                break
            values = merit(around)
            best = int(np.argmin(values))
            if values[best] >= value - 1e-9 * max(1.0, abs(value)):
                break
            x, value = around[best], float(values[best])
        ends[(x + 0.0).tobytes()] = (value, x)
    order = sorted(ends.values(), key=lambda end: end[0])[:count]
    return np.array([x for _, x in order]).reshape(-1, domain.inputs)


def moves(x: Floats, domain: InputSet) -> Floats:
    """Points (k, n) one move away from ``x`` (n,) in the box: whole inputs by 1, continuous ones by :data:`STEPS`, swaps."""
    n, width = len(x), domain.upper - domain.lower
    steps = [np.diag(np.where(domain.integer, sign, 0.0)) for sign in (-1.0, 1.0)]
    steps += [np.diag(np.where(domain.integer, 0.0, sign * share * width)) for share in STEPS for sign in (-1.0, 1.0)]
    found = np.clip(x + np.vstack(steps), domain.lower, domain.upper)
    found = found[(found != x).any(axis=1)]
    binary = domain.integer & (width == 1.0)
    on, off = np.flatnonzero(binary & (x > domain.lower)), np.flatnonzero(binary & (x < domain.upper))
    if on.size and off.size and on.size * off.size <= SWAPS * 4:
        swapped = np.repeat(x[None, :], on.size * off.size, axis=0)
        one, other = (a.ravel() for a in np.meshgrid(on, off))
        swapped[np.arange(len(one)), one] -= 1.0
        swapped[np.arange(len(one)), other] += 1.0
        found = np.vstack([found, swapped])
    return np.asarray(found.reshape(-1, n))
