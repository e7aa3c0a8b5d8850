"""Many programs that differ in some numbers, as arrays; their answers; and whether an answer can be believed."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from bilevel_lang.solvers.matrix import Flags, Ints, MatrixProgram
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.solver import Termination

FEASIBILITY = 1e-6
"""How far an answer may be off a row or bound, relative to max(1, |side|)."""

GAP = 1e-6
"""How far the value of an LP or QP may be above what its multipliers prove, relative to max(1, the size of its terms)."""

NO_MULTIPLIER = 1e-7
"""Up to this size, relative to the largest cost (or 1), a multiplier of a side that is not there counts as rounding."""


def _none() -> Ints:
    return np.zeros(0, dtype=np.int32)


@dataclass(frozen=True, slots=True)
class Variants:
    """k variants: in variant i the sides of ``rows`` (a,) are row i of ``row_lower`` and ``row_upper`` (k, a), and so on.

    ``columns`` (b,) with ``lower`` and ``upper`` (k, b); ``costly`` (c,) with ``cost`` (k, c); the matrix has ``coefficients``
    (k, e) at (``entry_rows``, ``entry_columns``) (e,), each place once. What is not listed is the program's own.
    """

    count: int
    rows: Ints = field(default_factory=_none)
    row_lower: Floats | None = None
    row_upper: Floats | None = None
    columns: Ints = field(default_factory=_none)
    lower: Floats | None = None
    upper: Floats | None = None
    costly: Ints = field(default_factory=_none)
    cost: Floats | None = None
    entry_rows: Ints = field(default_factory=_none)
    entry_columns: Ints = field(default_factory=_none)
    coefficients: Floats | None = None

    def program(self, base: MatrixProgram, i: int) -> MatrixProgram:
        """Variant ``i`` as a program of its own."""
        matrix = base.matrix
        if self.coefficients is not None:
            matrix = matrix.tolil()
            matrix[self.entry_rows, self.entry_columns] = self.coefficients[i]
            matrix = matrix.tocsr()
        return replace(
            base,
            matrix=matrix,
            row_lower=_with(base.row_lower, self.rows, self.row_lower, i),
            row_upper=_with(base.row_upper, self.rows, self.row_upper, i),
            lower=_with(base.lower, self.columns, self.lower, i),
            upper=_with(base.upper, self.columns, self.upper, i),
            cost=_with(base.cost, self.costly, self.cost, i),
        )

    def subset(self, chosen: Ints) -> Variants:
        """The variants ``chosen``, in that order."""
        arrays = ("row_lower", "row_upper", "lower", "upper", "cost", "coefficients")
        found = {name: array[chosen] for name in arrays if (array := getattr(self, name)) is not None}
        return replace(self, count=len(chosen), **found)


@dataclass(frozen=True, slots=True)
class Answers:
    """``terminations`` (k,); NaN where there is nothing: ``x`` (k, n), ``row_duals`` (k, m).

    The duals are d(minimum)/d(side), as in :class:`~bilevel_lang.solvers.warm_lp.LpAnswer`; None for a MILP. ``x`` is optimal at
    OPTIMAL and the best point known at LIMIT. ``again`` counts the variants that were solved twice.
    """

    terminations: list[Termination]
    x: Floats
    row_duals: Floats | None
    again: int = 0


def feasible(base: MatrixProgram, variants: Variants, x: Floats) -> Flags:
    """(k,): whether ``x`` (k, n) satisfies its variant's rows and bounds to :data:`FEASIBILITY`; integrality is not looked at."""
    activity = _activity(base, variants, x)
    row_lower, row_upper = _sides(base, variants)
    lower, upper = _bounds(base, variants)
    return inside(activity, row_lower, row_upper) & inside(x, lower, upper)


def proven(base: MatrixProgram, variants: Variants, x: Floats, row_duals: Floats) -> Flags:
    """(k,): whether multipliers ``row_duals`` (k, m) prove ``x`` (k, n), a feasible point of an LP or convex QP, optimal to
    :data:`GAP`.

    With reduced costs d = c + Qx - A'pi the point is at most sum pi (a x - side) + sum d (x - bound) above the optimum, where
    each multiplier takes the side or bound of its sign (weak duality).
    """
    reduced = reduced_costs(base, variants, x, row_duals)
    cost = _full(base.cost, variants.costly, variants.cost, variants.count)
    scale = np.maximum(1.0, np.abs(cost).max(axis=1, initial=0.0))[:, None]
    row_lower, row_upper = _sides(base, variants)
    lower, upper = _bounds(base, variants)
    gap = _complementarity(_activity(base, variants, x), row_duals, row_lower, row_upper, scale)
    gap += _complementarity(x, reduced, lower, upper, scale)
    size = np.maximum(1.0, np.abs(cost * x).sum(axis=1))
    with np.errstate(invalid="ignore"):
        return np.asarray(gap <= GAP * size, dtype=bool)


def reduced_costs(base: MatrixProgram, variants: Variants, x: Floats, row_duals: Floats) -> Floats:
    """(k, n): c + Qx - A'pi of each variant, which are d(minimum)/d(bound) of the columns."""
    found = _full(base.cost, variants.costly, variants.cost, variants.count) - np.asarray((base.matrix.T @ row_duals.T).T)
    if base.quadratic is not None:
        found = found + np.asarray((base.quadratic @ x.T).T)
    if variants.coefficients is not None:
        own = np.asarray(base.matrix[variants.entry_rows, variants.entry_columns]).ravel()
        change = (variants.coefficients - own) * row_duals[:, variants.entry_rows]
        found = found - _scattered(change, variants.entry_columns, base.columns)
    return np.asarray(found)


def _activity(base: MatrixProgram, variants: Variants, x: Floats) -> Floats:
    found = np.asarray((base.matrix @ x.T).T)
    if variants.coefficients is None:
        return found
    own = np.asarray(base.matrix[variants.entry_rows, variants.entry_columns]).ravel()
    change = (variants.coefficients - own) * x[:, variants.entry_columns]
    return np.asarray(found + _scattered(change, variants.entry_rows, base.rows))


def _scattered(numbers: Floats, places: Ints, width: int) -> Floats:
    """Columns of ``numbers`` (k, e) added up at their ``places`` (e,) of (k, width)."""
    found = np.zeros((width, len(numbers)))
    np.add.at(found, places, numbers.T)
    return np.asarray(found.T)


def _sides(base: MatrixProgram, variants: Variants) -> tuple[Floats, Floats]:
    k = variants.count
    return (
        _full(base.row_lower, variants.rows, variants.row_lower, k),
        _full(base.row_upper, variants.rows, variants.row_upper, k),
    )


def _bounds(base: MatrixProgram, variants: Variants) -> tuple[Floats, Floats]:
    k = variants.count
    return _full(base.lower, variants.columns, variants.lower, k), _full(base.upper, variants.columns, variants.upper, k)


def _full(base: Floats, places: Ints, numbers: Floats | None, count: int) -> Floats:
    """(k, n): the base's numbers with those of the variants in their places."""
    found = np.tile(base, (count, 1))
    if numbers is not None:
        found[:, places] = numbers
    return found


def _with(base: Floats, places: Ints, numbers: Floats | None, i: int) -> Floats:
    if numbers is None:
        return base
    found: Floats = base.copy()
    found[places] = numbers[i]
    return found


def inside(value: Floats, lower: Floats, upper: Floats) -> Flags:
    """(k,): whether ``value`` (k, n) is between ``lower`` and ``upper`` (n,) or (k, n), to :data:`FEASIBILITY`."""
    with np.errstate(invalid="ignore"):
        low = value >= lower - FEASIBILITY * np.maximum(1.0, np.where(np.isfinite(lower), np.abs(lower), 1.0))
        up = value <= upper + FEASIBILITY * np.maximum(1.0, np.where(np.isfinite(upper), np.abs(upper), 1.0))
    return np.asarray((low & up).all(axis=1), dtype=bool)


def _complementarity(value: Floats, duals: Floats, lower: Floats, upper: Floats, scale: Floats) -> Floats:
    """(k,): sum of multiplier times distance to the side of its sign; infinite where that side is missing."""
    side = np.where(duals > 0, lower, upper)
    missing = ~np.isfinite(side)
    with np.errstate(invalid="ignore"):
        terms = np.where(missing, 0.0, duals * (value - np.where(missing, 0.0, side)))
    wrong = (missing & (np.abs(duals) > NO_MULTIPLIER * scale)).any(axis=1)
    return np.where(wrong, np.inf, terms.sum(axis=1))
