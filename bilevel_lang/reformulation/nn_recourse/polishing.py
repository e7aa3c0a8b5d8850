"""A better first stage for the same whole decisions of the second: an LP over all scenarios.

The expected cost of an integer second stage jumps where a row becomes tight, and the best decisions lie at such places, which no
sample hits. With the integers of both stages held the program is an LP; its optimum moves x as far as they allow. Where the
second stage is all whole and a decision takes the same of its rows everywhere, only the tightest side of each row is left of it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import scipy.sparse as sp

from bilevel_lang.reformulation.stochastic.arrays import TwoStageArrays, Varying
from bilevel_lang.reformulation.stochastic.extensive import extensive_form
from bilevel_lang.solvers.highs import Highs
from bilevel_lang.solvers.matrix import MatrixProgram
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.solver import SolverOptions

DECIMALS, NOISE = 6, 1e-9
"""A number so near one with so few decimals is that one. A solver that is given 2.0000000000008 where a row is tight at 2 finds
less room for integers: HiGHS 1.15.1 rounds the rest of a whole row down."""

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
    first = arrays.first
    held = replace(
        first,
        lower=np.where(first.integer, x, first.lower),
        upper=np.where(first.integer, x, first.upper),
        integer=np.zeros(len(x), dtype=bool),
    )
    alike = "technology" not in arrays.varying
    program = _sides_alone(arrays, held, y) if alike and arrays.integer.all() else _all_scenarios(arrays, held, y)
    run = Highs().run_matrix(program, SolverOptions())
    return None if run.x is None else np.where(first.integer, x, tidy(run.x[: len(x)]))


def tidy(x: Floats) -> Floats:
    """``x`` without what rounding has left."""
    near = np.round(x, DECIMALS)
    return np.asarray(np.where(np.abs(near - x) <= NOISE, near, x))


def _sides_alone(arrays: TwoStageArrays, held: MatrixProgram, y: Floats) -> MatrixProgram:
    """Over the first stage: T x between the tightest sides that ``y`` (S, n2) leaves."""
    done = arrays.done(y)
    low = (arrays.everywhere("row_lower") - done).max(axis=0)
    up = (arrays.everywhere("row_upper") - done).min(axis=0)
    return replace(
        held,
        cost=held.cost + arrays.mean("first_cost"),
        matrix=sp.csr_matrix(sp.vstack([held.matrix, arrays.technology])),
        row_lower=np.concatenate([held.row_lower, np.minimum(low, up)]),
        row_upper=np.concatenate([held.row_upper, np.maximum(low, up)]),
    )


def _all_scenarios(arrays: TwoStageArrays, held: MatrixProgram, y: Floats) -> MatrixProgram:
    """Over both stages, with the integers of the second at ``y`` (S, n2)."""
    whole, places = arrays.integer, np.arange(len(arrays.lower))
    sides = {name: Varying(places, np.where(whole, y, arrays.everywhere(name))) for name in ("lower", "upper")}
    relaxed = replace(arrays, first=held, integer=np.zeros(len(whole), dtype=bool), varying={**arrays.varying, **sides})
    return extensive_form(relaxed)
