"""The box in which decisions are drawn, and which of them are whole numbers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from bilevel_lang.errors import Diagnostic, RefusedError
from bilevel_lang.surrogate.dataset import Bools, Floats

NAMED = 5
"""Unbounded inputs that a message names, at most."""


@dataclass(frozen=True, eq=False)
class InputSpace:
    """n inputs by ``names`` with ``lower`` <= ``upper`` (n,), infinite where there is no bound; ``integer`` (n,).

    Bounds of whole inputs are moved inwards to whole numbers. Raises ValueError for shapes that do not fit or bounds that cross.
    """

    names: tuple[str, ...]
    lower: Floats
    upper: Floats
    integer: Bools

    def __post_init__(self) -> None:
        n = len(self.names)
        if not self.lower.shape == self.upper.shape == self.integer.shape == (n,):
            raise ValueError(f"bounds and flags do not fit {n} inputs")
        object.__setattr__(self, "lower", np.where(self.integer, _up(self.lower), self.lower))
        object.__setattr__(self, "upper", np.where(self.integer, -_up(-self.upper), self.upper))
        crossed = np.flatnonzero(~(self.lower <= self.upper))
        if crossed.size:
            j = int(crossed[0])
            raise ValueError(f"input {self.names[j]} has no value between {self.lower[j]:g} and {self.upper[j]:g}")

    def __len__(self) -> int:
        return len(self.names)

    @property
    def bounded(self) -> bool:
        """Whether every input has both bounds."""
        return bool(np.isfinite(self.lower).all() and np.isfinite(self.upper).all())

    @property
    def binary(self) -> Bools:
        """(n,): which inputs are 0 or 1."""
        found: Bools = self.integer & (self.lower >= 0) & (self.upper <= 1)
        return found

    def require_bounds(self) -> None:
        """Raises RefusedError that names the inputs without a bound, one message for each."""
        loose = np.flatnonzero(~(np.isfinite(self.lower) & np.isfinite(self.upper)))
        if not loose.size:
            return
        help = "give the variable bounds in the model: nothing can be drawn from an infinite range"
        found = [Diagnostic("R1", f"`{self.names[j]}` {self._what_is_missing(j)}", help) for j in loose[:NAMED].tolist()]
        if loose.size > NAMED:
            found.append(Diagnostic("R1", f"so have {loose.size - NAMED} more inputs", help))
        raise RefusedError(found)

    def _what_is_missing(self, j: int) -> str:
        sides = [side for side, bound in (("lower", self.lower[j]), ("upper", self.upper[j])) if not np.isfinite(bound)]
        return f"has no {' and no '.join(sides)} bound"

    def within(self, lower: Floats, upper: Floats) -> InputSpace:
        """The same inputs in the part of the box between ``lower`` and ``upper`` (n,). Raises ValueError where that is empty."""
        return InputSpace(self.names, np.maximum(self.lower, lower), np.minimum(self.upper, upper), self.integer)

    def from_unit(self, unit: Floats) -> Floats:
        """Points (k, n) for ``unit`` in [0, 1): every whole number of a whole input has the same share.

        Raises RefusedError where a bound is missing.
        """
        self.require_bounds()
        width = self.upper - self.lower + self.integer
        points = self.lower + np.minimum(unit, np.nextafter(1.0, 0.0)) * width
        return self.rounded(np.where(self.integer, np.floor(points), points))

    def rounded(self, points: Floats) -> Floats:
        """``points`` (k, n) with whole inputs rounded, then moved into the box."""
        found: Floats = np.clip(np.where(self.integer, np.rint(points), points), self.lower, self.upper)
        return found

    def contains(self, points: Floats, tolerance: float = 1e-9) -> Bools:
        """(k,): which ``points`` lie in the box, whole where they have to, up to ``tolerance`` relative to max(1, |bound|)."""
        slack_low = tolerance * np.maximum(1.0, np.abs(np.where(np.isfinite(self.lower), self.lower, 1.0)))
        slack_up = tolerance * np.maximum(1.0, np.abs(np.where(np.isfinite(self.upper), self.upper, 1.0)))
        inside = (points >= self.lower - slack_low) & (points <= self.upper + slack_up)
        whole = ~self.integer | (np.abs(points - np.rint(points)) <= tolerance)
        return np.asarray((inside & whole).all(axis=1), dtype=bool)


def box(names: Iterable[str], lower: float = 0.0, upper: float = 1.0, integer: bool = False) -> InputSpace:
    """A box with the same bounds for every input."""
    found = tuple(names)
    n = len(found)
    return InputSpace(found, np.full(n, lower), np.full(n, upper), np.full(n, integer))


def _up(bounds: Floats) -> Floats:
    """The next whole number, or the bound itself up to rounding."""
    with np.errstate(invalid="ignore"):
        found: Floats = np.where(np.isfinite(bounds), np.ceil(bounds - 1e-9), bounds)
    return found
