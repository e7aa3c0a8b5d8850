"""Chance constraints: a binary for each scenario says where their rows may be broken, with a big-M that was derived."""

from __future__ import annotations

import math

import numpy as np

from bilevel_lang.reformulation.stochastic.arrays import TwoStageArrays
from bilevel_lang.reformulation.stochastic.compilation import Compiled
from bilevel_lang.reformulation.stochastic.extension import Extension
from bilevel_lang.reformulation.stochastic.ranges import column_ranges, row_ranges
from bilevel_lang.solvers.program import Floats
from bilevel_lang.uncertainty.program import ChanceRows

ROUNDING = 1e-9
"""Room for sums of probabilities."""


def with_chances(compiled: Compiled, arrays: TwoStageArrays, chances: tuple[ChanceRows, ...]) -> TwoStageArrays:
    """The program in which the rows of each chance constraint hold together with its probability.

    Raises RefusedError, at the place of the ``chance``, for a row with two sides, or one whose body nothing bounds.
    """
    rows = {id(r): k for k, r in enumerate(compiled.second_rows)}
    places = [tuple(rows[id(r)] for r in c.rows) for c in chances]
    if not chances:
        return arrays
    ranges = column_ranges(arrays, tuple(p for group in places for p in group))
    extension = Extension(arrays)
    for chance, mine in zip(chances, places, strict=True):
        broken = extension.second_column(0.0, 1.0, 0.0, integer=True)
        least, most = row_ranges(arrays, mine, ranges)
        low, up = arrays.everywhere("row_lower")[:, mine], arrays.everywhere("row_upper")[:, mine]
        for k, place in enumerate(mine):
            room = _room(chance, chance.rows[k].name, low[:, k], up[:, k], least[:, k], most[:, k])
            extension.entry(place, broken, room)
        extension.couple({}, {broken: 1.0}, -math.inf, 1.0 - chance.probability + ROUNDING)
    return extension.finished()


def _room(chance: ChanceRows, name: str, low: Floats, up: Floats, least: Floats, most: Floats) -> Floats:
    """The coefficient of the binary in every scenario: what the row may be off by, with the sign that gives it room."""
    if np.isfinite(low).any() and np.isfinite(up).any():
        said = f"row `{name}` has two sides: a chance constraint takes one"
        raise chance.refusal(said, "write two rows, and list both in the `chance`")
    is_upper = bool(np.isfinite(up).any())
    with np.errstate(invalid="ignore"):  # a scenario without the side has no room to give
        gap = np.where(np.isfinite(up), up - most, 0.0) if is_upper else np.where(np.isfinite(low), low - least, 0.0)
    if not np.isfinite(gap).all():
        raise chance.refusal(
            f"chance constraint on `{name}` needs a big-M, and no bound of the row follows from the model",
            "give the variables of the row bounds",
        )
    return np.minimum(gap, 0.0) if is_upper else np.maximum(gap, 0.0)
