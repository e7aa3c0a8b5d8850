"""Bounds of an integer second stage that are linear in the decision, where it is made of knapsacks: scenario by scenario, by
column generation (:mod:`bilevel_lang.solvers.branch_and_price.pattern_cuts`). They are at least those of its linear relaxation
up to the tolerance, and mostly far above."""

from __future__ import annotations

import time

import numpy as np
import scipy.sparse as sp

from bilevel_lang.reformulation.stochastic.arrays import TwoStageArrays
from bilevel_lang.solvers.branch_and_price.pattern_cuts import PatternCuts
from bilevel_lang.solvers.branch_and_price.switched import Domain, Switched, switched
from bilevel_lang.solvers.matrix import MatrixProgram
from bilevel_lang.solvers.program import Floats

NEAR = 1e-3
"""Relative, of each scenario: what the last rounds of pricing would add."""

HELD = 2_000_000
"""Columns and rows of all programs over patterns that are kept: bounds the memory. More scenarios have no patterns."""

PATTERNS_OF_ONE = 1_000
"""Columns that patterns are counted as, for each scenario."""


class PatternStage:
    """The scenarios of ``arrays`` as minimisations; those without a form (None) are left as they are."""

    def __init__(self, arrays: TwoStageArrays, first: Switched) -> None:
        self.arrays, self.solves = arrays, 0
        self._cuts: dict[int, PatternCuts | None] = {0: PatternCuts(first)}

    def raised(self, x: Floats, values: Floats, slopes: Floats, deadline: float | None) -> tuple[Floats, Floats]:
        """``values`` (S,) and ``slopes`` (S, n1) of cuts at ``x`` (n1,), each replaced where patterns give more there.

        Where the ``deadline`` passes, the others stay as they are.
        """
        values, slopes = values.copy(), slopes.copy()
        for number in range(self.arrays.scenarios):
            if deadline is not None and time.perf_counter() >= deadline:
                break
            mine = self._of(number)
            cut = None if mine is None else mine.cut(x, NEAR, deadline)
            self.solves += 1
            if cut is not None:
                value = cut.at(x) + self.arrays.sense * self._constant(number)
                if value > values[number]:
                    values[number], slopes[number] = value, cut.slope
        return values, slopes

    def _of(self, number: int) -> PatternCuts | None:
        if number not in self._cuts:
            form = form_of(self.arrays, number)
            self._cuts[number] = None if form is None else PatternCuts(form)
        return self._cuts[number]

    def _constant(self, number: int) -> float:
        return float(self.arrays.scenario(number).constant)


def pattern_stage(arrays: TwoStageArrays) -> PatternStage | None:
    """None where the second stage is linear, not of knapsacks, or has too many scenarios."""
    if not arrays.integer.any():
        return None
    first = form_of(arrays, 0)
    if first is None:
        return None
    size = first.form.program.columns + first.form.program.rows + PATTERNS_OF_ONE
    return PatternStage(arrays, first) if size * arrays.scenarios <= HELD else None


def form_of(arrays: TwoStageArrays, number: int) -> Switched | None:
    """Scenario ``number`` (from 0) as a minimisation."""
    part, first = arrays.scenario(number), arrays.first
    program = MatrixProgram(
        lower=part.lower,
        upper=part.upper,
        integer=arrays.integer,
        cost=arrays.sense * part.cost,
        matrix=sp.csr_matrix(part.recourse),
        row_lower=part.row_lower,
        row_upper=part.row_upper,
    )
    return switched(program, sp.csr_matrix(part.technology), Domain(first.lower, first.upper, np.asarray(first.integer)))
