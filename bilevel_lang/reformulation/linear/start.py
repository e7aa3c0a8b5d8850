"""A first point for a branch and bound: complete, with multipliers, on a piece of the MPEC.

Two tries. *Response*: the agents answer the leader's decisions of the relaxation in turn, and the pairs are decided as their
answer decides them. *Penalty*: the products left * right are put into the objective with a growing weight, and linearised at the
last point, until they are 0 (the bilinear program's Frank-Wolfe method; with decisions and multipliers in different rows it is
the penalty alternating direction method). Either ends with the LP or QP over the piece, whose optimum is feasible and complete.
Reference: Kleinert and Schmidt 2021, "Computing feasible points of bilevel problems with a penalty alternating direction method",
INFORMS J. Comput. 33:198; Mangasarian 1995, "The linear complementarity problem as a separable bilinear program", J. Glob. Optim.
6:153.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import scipy.sparse as sp

from bilevel_lang.errors import SolverFailedError
from bilevel_lang.reformulation.linear.mpec import AgentSystem, LinearMpec
from bilevel_lang.reformulation.linear.piece import piece_of
from bilevel_lang.solvers.features import why_not
from bilevel_lang.solvers.highs import Highs
from bilevel_lang.solvers.matrix import MatrixProgram
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.solver import SolverOptions, Termination

WEIGHTS = (1.0, 10.0, 100.0, 1e3, 1e4)
"""Penalties, relative to the largest cost."""

STEPS = 10
"""Linearisations for each weight."""

SECONDS = 2.0
"""For one LP or QP: a start that takes longer is not worth it."""

ROUNDS = 3
"""How often several agents answer each other."""

COMPLEMENTARY = 1e-9
"""Products up to this (relative to max(1, the sides)) count as 0."""


def starting(mpec: LinearMpec, given: Floats | None) -> Floats | None:
    """Where a search begins: ``given`` completed where that can be done, else a point of our own, else what there is.

    ``given`` may hold NaN, for multipliers above all: the agents' answers to the rest of it decide the pairs.
    """
    if given is None:
        return first_point(mpec)
    given = given[: mpec.program.columns]
    if np.isfinite(given).all():
        return given
    highs = Highs()
    rest = np.where(np.isfinite(given), given, 0.0)
    try:
        answer = _response(mpec, rest, highs)
        completed = None if answer is None else _on_its_piece(mpec, answer, highs)
    except SolverFailedError:
        completed = None  # as in first_point
    return given if completed is None else completed


def first_point(mpec: LinearMpec) -> Floats | None:
    """A feasible point (columns of the program) with a good objective, None where neither try finds one."""
    highs = Highs()
    relaxed = replace(mpec.program, integer=np.zeros(mpec.program.columns, dtype=bool))
    if why_not(highs, relaxed.features()) is not None:
        return None
    try:
        return _first_point(mpec, relaxed, highs)
    except SolverFailedError:
        return None  # the start is a courtesy: the search does without it


def _first_point(mpec: LinearMpec, relaxed: MatrixProgram, highs: Highs) -> Floats | None:
    x = _optimum(relaxed, highs)
    if x is None:
        x = _optimum(_without_objective(relaxed), highs)
    if x is None:
        return None
    tries = [_on_its_piece(mpec, answer, highs) for answer in (x, _response(mpec, x, highs)) if answer is not None]
    found = [z for z in tries if z is not None]
    if not found:
        answer = _penalised(mpec, relaxed, x, highs)
        z = None if answer is None else _on_its_piece(mpec, answer, highs)
        found = [] if z is None else [z]
    if not found:
        return None
    values = [mpec.program.sense * mpec.program.objective_at(z) for z in found]
    best: Floats = found[int(np.argmin(values))]
    return best


def _optimum(program: MatrixProgram, highs: Highs) -> Floats | None:
    run = highs.run_matrix(program, SolverOptions(time_limit=SECONDS, threads=1))
    return run.x if run.termination is Termination.OPTIMAL else None


def _without_objective(program: MatrixProgram) -> MatrixProgram:
    return replace(program, cost=np.zeros(program.columns), quadratic=None)


def _on_its_piece(mpec: LinearMpec, x: Floats, highs: Highs) -> Floats | None:
    return _optimum(piece_of(mpec, x), highs)


def _response(mpec: LinearMpec, x: Floats, highs: Highs) -> Floats | None:
    """``x`` with the agents' answers in their columns and their multipliers; None for VIs and where an agent has no answer."""
    z: Floats = x.copy()
    z[mpec.program.integer] = np.round(z[mpec.program.integer])
    for _ in range(1 if len(mpec.agents) == 1 else ROUNDS):
        for agent in mpec.agents:
            if not agent.optimises or not agent.convex or not _answer(mpec, agent, z, highs):
                return None
    return z


def _answer(mpec: LinearMpec, agent: AgentSystem, z: Floats, highs: Highs) -> bool:
    """Write the agent's best response to ``z``, its slacks and multipliers, into ``z``."""
    n = agent.gradient.shape[1]
    others = z[:n].copy()
    others[agent.owned] = 0.0
    hessian = agent.gradient[:, agent.owned]
    rows = sp.vstack([agent.sides[:, agent.owned], agent.equalities[:, agent.owned]], format="csr")
    low = np.concatenate([agent.side_levels - agent.sides @ others, agent.equality_levels - agent.equalities @ others])
    up = np.concatenate([np.full(len(agent.side_levels), np.inf), low[len(agent.side_levels) :]])
    k = len(agent.owned)
    program = MatrixProgram(
        lower=np.full(k, -np.inf),
        upper=np.full(k, np.inf),
        integer=np.zeros(k, dtype=bool),
        cost=agent.gradient_constant + agent.gradient @ others,
        matrix=rows,
        row_lower=low,
        row_upper=up,
        quadratic=sp.csc_matrix(0.5 * (hessian + hessian.T)) if hessian.nnz else None,
    )
    run = highs.run_matrix(program, SolverOptions(time_limit=SECONDS, threads=1))
    if run.termination is not Termination.OPTIMAL or run.x is None or run.row_duals is None:
        return False
    z[agent.owned] = run.x
    sides = len(agent.side_levels)
    z[mpec.left[agent.pairs]] = agent.sides @ z[:n] - agent.side_levels
    z[agent.multipliers] = np.maximum(0.0, run.row_duals[:sides])
    z[agent.equality_multipliers] = run.row_duals[sides:]
    return True


def _penalised(mpec: LinearMpec, relaxed: MatrixProgram, x: Floats, highs: Highs) -> Floats | None:
    """A point of the relaxation whose pairs are complementary, None where the weights run out."""
    scale = max(1.0, float(np.abs(mpec.program.cost).max(initial=0.0)))
    for weight in WEIGHTS:
        before = np.inf
        for _ in range(STEPS):
            left, right = x[mpec.left], x[mpec.right]
            products = float(left @ right)
            if products <= COMPLEMENTARY * max(1.0, float(left.max(initial=0.0) * right.max(initial=0.0))):
                return x
            if products >= before * (1 - 1e-6):
                break
            before = products
            cost = relaxed.cost.copy()
            np.add.at(cost, mpec.left, relaxed.sense * weight * scale * right)
            np.add.at(cost, mpec.right, relaxed.sense * weight * scale * left)
            step = _optimum(replace(relaxed, cost=cost), highs)
            if step is None:
                return None
            x = step
    return None
