"""Bounds by LPs over the relaxation of an MPEC (OBBT): linear rows, the agents' conditions without their pairs, and the
primal-dual inequality of every agent.

A multiplier of one of two opposite sides (``lower`` and ``upper`` of a variable or of a range) is bounded by the LP that
maximises the difference of the two: where the sides are apart, only one of them is not 0 at a solution, but in the relaxation
both may grow together without end.
Reference: Kleinert, Labbe, Plein and Schmidt 2021, Optim. Lett. 15:1027; Caprara and Locatelli 2010, Math. Program. 125:123.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp

from bilevel_lang.reformulation.linear.bounds.box import Box
from bilevel_lang.reformulation.linear.bounds.primal_dual import primal_dual_rows
from bilevel_lang.reformulation.linear.mpec import LinearMpec
from bilevel_lang.solvers.matrix import MatrixProgram
from bilevel_lang.solvers.solver import Termination
from bilevel_lang.solvers.warm_lp import WarmLp, warm_relaxation

ITERATIONS = 200_000
"""Simplex iterations for all LPs of one problem together. Not seconds: the same bounds must come out everywhere."""

WORK = 1_000_000
"""Rows and columns times LPs of a round: even an LP that takes no iteration goes through all of them."""

ROOM = 1e-6
"""Added to what an LP gives (relative to max(1, |value|)): its own tolerance is 1e-9, and rows may be scaled badly."""

ORIGIN = "derived by an LP over relaxation, multipliers and primal-dual inequality"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a round of LPs has brought: whether a bound has moved, and how many columns were left for lack of budget."""

    moved: bool
    left: int


def relaxation(mpec: LinearMpec, box: Box) -> MatrixProgram:
    """The linear rows and all primal-dual inequalities over the box."""
    program = mpec.program
    extra = [primal_dual_rows(agent, box) for agent in mpec.agents]
    sides = np.concatenate([np.zeros(0), *(s for _, s in extra)])
    return replace(
        program,
        lower=box.lower,
        upper=box.upper,
        matrix=sp.vstack([program.matrix, *(rows for rows, _ in extra)], format="csr"),
        row_lower=np.concatenate([program.row_lower, np.full(len(sides), -np.inf)]),
        row_upper=np.concatenate([program.row_upper, sides]),
    )


def bound_by_lps(mpec: LinearMpec, box: Box, wanted: list[int], opposite: Mapping[int, int], iterations: int) -> Outcome:
    """Maximise each of the columns ``wanted`` (all >= 0); ``opposite``: the multiplier of the other side, where there is one."""
    program = relaxation(mpec, box)
    lp = warm_relaxation(program, iterations)
    moved, affordable = _bound_together(lp, box, wanted), WORK // max(1, program.rows + program.columns)
    for done, column in enumerate(wanted):
        if done >= affordable:
            return Outcome(moved, len(wanted) - done)
        partner = opposite.get(column)
        columns = np.array([column] if partner is None else [column, partner], dtype=np.int64)
        best = lp.largest(columns, np.array([1.0, -1.0])[: len(columns)])
        if best.termination is Termination.INFEASIBLE:
            box.empty = True
            return Outcome(True, 0)
        if best.termination is Termination.LIMIT:
            return Outcome(moved, len(wanted) - done)
        if best.value is not None:
            value = max(0.0, best.value + ROOM * max(1.0, abs(best.value)))
            moved |= box.tighten(columns[:1], np.array([-np.inf]), np.array([value]), ORIGIN)
    return Outcome(moved, 0)


def _bound_together(lp: WarmLp, box: Box, wanted: list[int]) -> bool:
    """The largest value of the sum of all columns without a bound: loose, but one LP for all that have to go without one."""
    columns = np.array([j for j in wanted if np.isinf(box.upper[j])], dtype=np.int64)
    if len(columns) < 2:
        return False
    best = lp.largest(columns, np.ones(len(columns)))
    if best.value is None:
        return False
    value = max(0.0, best.value + ROOM * max(1.0, abs(best.value)))
    return box.tighten(columns, np.full(len(columns), -np.inf), np.full(len(columns), value), ORIGIN)
