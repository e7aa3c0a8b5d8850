"""Bounds on basic multipliers: valid although the set of all multipliers may be unbounded.

Multipliers (kappa >= 0, nu) of an agent at a point z solve ``A'kappa + E'nu = r(z)`` with kappa_i = 0 where side i has room.
Among them there are *basic* ones, whose columns of [A' E'] with a multiplier other than 0 are linearly independent: of
multipliers with the fewest entries other than 0, a dependency between their columns would allow to move until one more is 0,
sides with room staying at 0 (Caratheodory's argument for cones). The point z stays as it is. So wherever nothing but the agent's
own conditions sees the multipliers (no ``dualvar``), it is enough that the bounds hold for basic ones, group by group of
variables that rows connect. Parallel sides (both bounds of a variable) are never in one basis, so that they do not grow together.

A basic solution is ``B^-1 r_R(z)`` for a nonsingular B of the rows R that span the group. Ways to bound all of them, r(z)
being in an interval:

* all bases are enumerated where there are at most ``BASES``: the bounds are as tight as the interval allows;
* where [A' E'] is totally unimodular up to a scaling D_1 T D_2, entries of (T_B)^-1 are 0 or +-1, so that
  ``|multiplier_j| <= sum_i |r_i| / d_1i / d_2j``.

Reference: Schrijver 1986, "Theory of Linear and Integer Programming", sections 7.1 and 19.1; for multipliers at vertices in big-M
constraints: Kleinert, Labbe, Plein and Schmidt 2020, Oper. Res. 68:1716.
"""

from __future__ import annotations

import itertools
import math

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

from bilevel_lang.reformulation.linear.bounds.box import Box
from bilevel_lang.reformulation.linear.bounds.monotone import monotone_bounds
from bilevel_lang.reformulation.linear.bounds.unimodular import unimodular_scaling
from bilevel_lang.reformulation.linear.mpec import AgentSystem
from bilevel_lang.solvers.matrix import Flags, Ints, MatrixProgram
from bilevel_lang.solvers.program import Floats

BASES = 20_000
"""Up to this many choices of columns a group's bases are enumerated."""

SINGULAR = 1e-12
"""A determinant below this share of the product of its columns' lengths counts as 0: rounding of decimal data."""

MONOTONE = "basic multipliers, rows that push one way"
ENUMERATED = "basic multipliers, all bases enumerated"
UNIMODULAR = "basic multipliers, totally unimodular rows"


def bound_basic_multipliers(agent: AgentSystem, program: MatrixProgram, box: Box) -> bool:
    """Tighten ``box`` for the agent's multipliers; whether anything has moved."""
    if not len(agent.owned):
        return False
    sides, equalities = agent.sides[:, agent.owned], agent.equalities[:, agent.owned]
    matrix = sp.csr_matrix(sp.vstack([sides, equalities]).T)
    columns = np.concatenate([agent.multipliers, agent.equality_multipliers])
    low, up = box.interval(agent.gradient)
    low, up = low + agent.gradient_constant, up + agent.gradient_constant
    seen = _seen_elsewhere(program, matrix, columns)
    moved = False
    for rows, own in _groups(matrix):
        if not own.size or seen[own].any():
            continue
        moved |= _bound_group(matrix[rows][:, own], low[rows], up[rows], columns[own], len(agent.multipliers) > own, box)
    return moved


def _seen_elsewhere(program: MatrixProgram, matrix: sp.csr_matrix, columns: Ints) -> Flags:
    """Which multipliers stand in more than the stationarity rows, or in the objective."""
    whole = sp.csc_matrix(program.matrix)[:, columns]
    counted = np.bincount(whole.tocoo().col[whole.tocoo().data != 0], minlength=len(columns))
    own = sp.coo_matrix(matrix)
    expected = np.bincount(own.col[own.data != 0], minlength=len(columns))
    found: Flags = (counted != expected) | (program.cost[columns] != 0)
    return found


def _groups(matrix: sp.csr_matrix) -> list[tuple[Ints, Ints]]:
    """Rows and columns that belong together, one pair for each connected part of the matrix's graph."""
    k = matrix.shape[0]
    graph = sp.bmat([[None, matrix], [matrix.T, None]], format="csr")
    count, label = connected_components(graph, directed=False)
    order = np.argsort(label, kind="stable")
    parts = np.split(order, np.cumsum(np.bincount(label, minlength=count))[:-1])
    return [(part[part < k].astype(np.int64), part[part >= k].astype(np.int64) - k) for part in parts if (part < k).any()]


def _bound_group(matrix: sp.csr_matrix, low: Floats, up: Floats, columns: Ints, signed: Flags, box: Box) -> bool:
    """One group: ``matrix`` (rows, columns), r between ``low`` and ``up``, ``signed``: which multipliers are >= 0."""
    monotone = monotone_bounds(matrix, low, up, signed)
    moved = box.tighten(columns, np.full(len(columns), -np.inf), monotone, MONOTONE)
    if not (np.isfinite(low).all() and np.isfinite(up).all()):
        return moved
    scaling = unimodular_scaling(matrix)
    if scaling is not None:
        size = float((np.maximum(np.abs(low), np.abs(up)) / scaling[0]).sum()) / scaling[1]
        moved |= box.tighten(columns, np.where(signed, -np.inf, -size), size, UNIMODULAR)
    found = _enumerated(matrix, low, up, signed)
    if found is not None:
        moved |= box.tighten(columns, np.where(signed, -np.inf, found[0]), np.maximum(found[1], 0.0), ENUMERATED)
    return moved


def _enumerated(matrix: sp.csr_matrix, low: Floats, up: Floats, signed: Flags) -> tuple[Floats, Floats] | None:
    """The range of every multiplier over all bases that can be feasible; None where there are too many."""
    k, m = matrix.shape
    if min(k, m) > 12 or math.comb(m, min(k, m)) > BASES:
        return None
    dense = matrix.toarray()
    rows = _spanning_rows(dense)
    q = len(rows)
    if math.comb(m, q) > BASES:
        return None
    choices = np.array(list(itertools.combinations(range(m), q)), dtype=np.int64)
    bases = np.moveaxis(dense[rows][:, choices], 1, 0)
    lengths = np.linalg.norm(bases, axis=1).prod(axis=1)
    regular = np.abs(np.linalg.det(bases)) > SINGULAR * lengths
    inverse = np.linalg.inv(bases[regular])
    chosen = choices[regular]
    positive, negative = np.maximum(inverse, 0), np.minimum(inverse, 0)
    least = positive @ low[rows] + negative @ up[rows]
    most = positive @ up[rows] + negative @ low[rows]
    room = 1e-9 * (np.abs(inverse) @ np.maximum(np.abs(low[rows]), np.abs(up[rows])) + 1e-9)
    least, most = least - room, most + room
    # A basis with a multiplier that is negative for all r belongs to no solution.
    possible = (~signed[chosen] | (most >= 0)).all(axis=1)
    lower, upper = np.zeros(m), np.zeros(m)
    np.minimum.at(lower, chosen[possible], least[possible])
    np.maximum.at(upper, chosen[possible], most[possible])
    return lower, upper


def _spanning_rows(dense: Floats) -> Ints:
    """As many independent rows as there are: the others follow from them wherever there are multipliers at all."""
    kept: list[int] = []
    left = dense / np.maximum(np.linalg.norm(dense, axis=1, keepdims=True), 1e-300)
    basis = np.zeros((0, dense.shape[1]))
    for i, row in enumerate(left):
        rest = row - basis.T @ (basis @ row)
        rest = rest - basis.T @ (basis @ rest)
        length = np.linalg.norm(rest)
        if length > 1e-9:
            kept.append(i)
            basis = np.vstack([basis, rest / length])
    return np.array(kept, dtype=np.int64)
