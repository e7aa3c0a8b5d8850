"""A better first stage for the same whole decisions of the second: an LP over all scenarios.

The expected cost of an integer second stage jumps where a row becomes tight, and the best decisions lie at such places, which no
sample hits. With the integers of both stages held the program is an LP; its optimum moves x as far as they allow.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bilevel_lang.reformulation.stochastic.arrays import TwoStageArrays, Varying
from bilevel_lang.reformulation.stochastic.extensive import extensive_form, parted
from bilevel_lang.solvers.highs import Highs
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.solver import SolverOptions

LARGEST = 2_000_000
"""Columns of the LP beyond which it is left."""


def can_be_polished(arrays: TwoStageArrays) -> bool:
    """Whether there is something to hold and something to move."""
    columns = len(arrays.first.lower) + arrays.scenarios * len(arrays.lower)
    return bool(arrays.integer.any() and not arrays.first.integer.all() and columns <= LARGEST)


def polished(arrays: TwoStageArrays, x: Floats, y: Floats) -> Floats | None:
    """The first stage (n1,) that is best with the integers of ``x`` and of ``y`` (S, n2), the answers to it; None without one."""
    if np.isnan(y).any():
        return None
    whole, places = arrays.integer, np.arange(len(arrays.lower))
    sides = {name: np.where(whole, y, arrays.everywhere(name)) for name in ("lower", "upper")}
    first = arrays.first
    held = replace(
        first,
        lower=np.where(first.integer, x, first.lower),
        upper=np.where(first.integer, x, first.upper),
        integer=np.zeros(len(x), dtype=bool),
    )
    varying = {**arrays.varying, **{name: Varying(places, values) for name, values in sides.items()}}
    program = extensive_form(replace(arrays, first=held, integer=np.zeros(len(whole), dtype=bool), varying=varying))
    run = Highs().run_matrix(program, SolverOptions())
    return None if run.x is None else np.where(first.integer, x, parted(arrays, run.x)[0])
