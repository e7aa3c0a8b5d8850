"""What duals of the linking rows prove, and the patterns that they make attractive."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bilevel_lang.solvers.branch_and_price.form import BlockForm
from bilevel_lang.solvers.branch_and_price.knapsacks import fillings
from bilevel_lang.solvers.matrix import Flags, Ints
from bilevel_lang.solvers.program import Floats

ROUNDING = 1e-9
"""A reduced cost of so little, relative to the largest cost, does not draw a column to a bound that it lacks."""


@dataclass(frozen=True, eq=False)
class Box:
    """A part of the answers: bounds (n,) of the columns, whole for whole ones, and sides (l + g,) of the form's rows."""

    lower: Floats
    upper: Floats
    row_lower: Floats
    row_upper: Floats


@dataclass(frozen=True, slots=True)
class Prices:
    """``bound`` is at most the cost of every answer in the box; ``values`` (K,) are the least reduced costs of the knapsacks,
    attained by the patterns ``chosen`` (K, w).

    It is the sum of those, of what the ``duals`` (l + g,) make of the rows' sides, and of ``rest``, the columns in no knapsack.
    """

    bound: float
    values: Floats
    chosen: Flags
    duals: Floats
    rest: float


def priced(form: BlockForm, cost: Floats, box: Box, room: Ints, row_duals: Floats) -> Prices:
    """The Lagrangian relaxation of the linking rows with ``row_duals`` (l + g,), whatever they are, in the knapsacks' whole
    answers (Geoffrion 1974). ``room`` (K,); an overfull knapsack makes the bound infinite."""
    duals = row_duals.copy()
    duals[(duals > 0) & ~np.isfinite(box.row_lower)] = 0.0
    duals[(duals < 0) & ~np.isfinite(box.row_upper)] = 0.0
    paid = duals != 0
    side = np.where(duals > 0, box.row_lower, box.row_upper)
    reduced = cost - form.columns @ duals
    rest = _least(reduced[form.free], box.lower[form.free], box.upper[form.free], cost)
    knapsacks = form.knapsacks
    within = knapsacks.weights > 0
    profits = -np.append(reduced, 0.0)[knapsacks.items]
    forced = within & (np.append(box.lower, 0.0)[knapsacks.items] > 0)
    open_ = within & ~forced & (np.append(box.upper, 0.0)[knapsacks.items] > 0)
    left = room - (forced * knapsacks.weights).sum(axis=1)
    if (left[forced.any(axis=1)] < 0).any():
        return Prices(np.inf, np.zeros(len(room)), forced, duals, rest)
    values, chosen = fillings(profits, knapsacks.weights, open_, left)
    values = -(values + (profits * forced).sum(axis=1))
    bound = float(duals[paid] @ side[paid]) + rest + float(values.sum())
    return Prices(bound, values, chosen | forced, duals, rest)


def _least(reduced: Floats, lower: Floats, upper: Floats, cost: Floats) -> float:
    """The least of ``reduced'y`` between bounds."""
    side = np.where(reduced > 0, lower, upper)
    small = np.abs(reduced) <= ROUNDING * max(1.0, float(np.abs(cost).max(initial=0.0)))
    side = np.where(small & ~np.isfinite(side), 0.0, side)
    counted = reduced != 0
    return float(reduced[counted] @ side[counted])
