"""The leader's objective without products of decisions: at every answer of an agent they equal something simpler.

A price times a quantity is what leaders of pricing problems earn, and it is not convex. But where y answers to x, with
multipliers kappa and nu of the agent's rows, stationarity times its own variable is 0, and so is a row's slack times its
multiplier::

    y_j (gradient_j z + g_j - sum_i kappa_i sides_ij - sum_e nu_e equalities_ej) = 0,    kappa_i (sides_i z - level_i) = 0

(their sum over an agent is strong duality). Multiples of these added to the objective change nothing at any point of the MPEC.
Those are wanted that leave a linear objective, or else a convex one; with them the problem can be searched over LPs or convex QPs
and its optimum proven, where spatial branching may never end.

Reference: Labbé, Marcotte and Savard 1998, Manag. Sci. 44:1608 (tolls); Ruiz and Conejo 2009, IEEE Trans. Power Syst. 24:1855
(prices that are multipliers).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp

from bilevel_lang.reformulation.linear.mpec import AgentSystem, LinearMpec
from bilevel_lang.solvers.features import is_semidefinite
from bilevel_lang.solvers.matrix import Flags, Ints, MatrixProgram
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.solver import Feature

ROUNDING = 1e-10
"""A coefficient up to this share of the objective's largest one counts as 0: what is left of two equal numbers."""

Target = Callable[[LinearMpec, Ints, Ints], Flags]
"""Which products of two columns are not wanted."""


@dataclass(frozen=True, slots=True)
class _Terms:
    """Several identities ``sum values * z[first] z[second] + linear' z = 0``; ``identity`` says which of them a product is in."""

    first: Ints
    second: Ints
    values: Floats
    identity: Ints
    linear: sp.csr_matrix
    """(identities, columns)."""


def without_products(mpec: LinearMpec) -> LinearMpec | None:
    """``mpec`` with an objective that is linear or convex and equal to its own at every point; None where none is found.

    None also where the objective is convex as it is. Columns, rows and pairs stay what they are.
    """
    if not mpec.agents or Feature.NONCONVEX_OBJECTIVE not in mpec.program.features():
        return None
    program = _multipliers_for_prices(mpec)
    identities = _together([_identities(agent, program.columns) for agent in mpec.agents], program.columns)
    for target in (_everything, _between_owners):
        found = _cancelled(mpec, program, identities, target)
        if found is not None:
            return replace(mpec, program=found)
    return None


def _multipliers_for_prices(mpec: LinearMpec) -> MatrixProgram:
    """The program with every ``dualvar`` variable in the objective replaced by the multipliers that it stands for."""
    program = mpec.program
    assert program.quadratic is not None
    column_of = {id(v): j for j, v in enumerate(mpec.variables)}
    terms_of = {id(each.component): each.terms for each in mpec.reported}
    swap = sp.lil_matrix(sp.identity(program.columns, format="lil"))
    for mapped in mpec.problem.dual_maps:
        column, terms = column_of.get(id(mapped.variable)), terms_of.get(id(mapped.row.component))
        if column is not None and terms is not None and not program.integer[column]:
            swap[column, column] = 0.0
            for factor, multiplier in terms:
                swap[column, multiplier] = mapped.factor * factor
    swap = sp.csr_matrix(swap)
    return replace(program, cost=swap.T @ program.cost, quadratic=sp.csc_matrix(swap.T @ program.quadratic @ swap))


def _identities(agent: AgentSystem, columns: int) -> _Terms:
    """Stationarity times its own variable, and every row's slack times its multiplier."""
    rows = sp.vstack([agent.sides, agent.equalities], format="coo")
    multipliers = np.concatenate([agent.multipliers, agent.equality_multipliers])
    levels = np.concatenate([agent.side_levels, agent.equality_levels])
    k, m = len(agent.owned), len(levels)
    place = np.full(agent.gradient.shape[1], -1, dtype=np.int64)
    place[agent.owned] = np.arange(k)
    own = place[rows.col] >= 0
    gradient = sp.coo_matrix(agent.gradient)
    linear = sp.csr_matrix(
        (np.concatenate([agent.gradient_constant, -levels]), (np.arange(k + m), np.concatenate([agent.owned, multipliers]))),
        shape=(k + m, columns),
    )
    return _Terms(
        first=np.concatenate([agent.owned[gradient.row], rows.col[own], multipliers[rows.row]]).astype(np.int64),
        second=np.concatenate([gradient.col, multipliers[rows.row[own]], rows.col]).astype(np.int64),
        values=np.concatenate([gradient.data, -rows.data[own], rows.data]),
        identity=np.concatenate([gradient.row, place[rows.col[own]], k + rows.row]).astype(np.int64),
        linear=linear,
    )


def _together(parts: list[_Terms], columns: int) -> _Terms:
    starts = np.cumsum([0, *(part.linear.shape[0] for part in parts)])
    return _Terms(
        first=np.concatenate([part.first for part in parts]),
        second=np.concatenate([part.second for part in parts]),
        values=np.concatenate([part.values for part in parts]),
        identity=np.concatenate([part.identity + start for part, start in zip(parts, starts, strict=False)]),
        linear=sp.vstack([sp.csr_matrix((0, columns)), *(part.linear for part in parts)], format="csr"),
    )


def _everything(mpec: LinearMpec, first: Ints, second: Ints) -> Flags:
    """All products."""
    return np.ones(len(first), dtype=bool)


def _between_owners(mpec: LinearMpec, first: Ints, second: Ints) -> Flags:
    """Products of columns that different agents own; multipliers belong to nobody."""
    owner = np.full(mpec.program.columns, -1, dtype=np.int64)
    owner[len(mpec.variables) :] = -2
    for number, agent in enumerate(mpec.agents):
        owner[agent.owned] = number
    different: Flags = (owner[first] != owner[second]) | (owner[first] == -2)
    return different


def _cancelled(mpec: LinearMpec, program: MatrixProgram, identities: _Terms, target: Target) -> MatrixProgram | None:
    """``program`` plus the multiples of the identities that leave no product that ``target`` names; None without such."""
    assert program.quadratic is not None
    n = program.columns
    own = sp.coo_matrix(sp.triu(program.quadratic))
    coefficients = np.where(own.row == own.col, 0.5, 1.0) * own.data
    low, high = np.minimum(identities.first, identities.second), np.maximum(identities.first, identities.second)
    codes, place = np.unique(np.concatenate([own.row.astype(np.int64) * n + own.col, low * n + high]), return_inverse=True)
    mine: Floats = np.zeros(len(codes))
    np.add.at(mine, place[: len(own.data)], coefficients)
    shape = (len(codes), identities.linear.shape[0])
    theirs = sp.csr_matrix((identities.values, (place[len(own.data) :], identities.identity)), shape=shape)
    unwanted = target(mpec, codes // n, codes % n)
    scale = np.abs(mine).max(initial=0.0)
    weights = _weights(theirs[unwanted], mine[unwanted])
    left = mine + theirs @ weights
    left[np.abs(left) <= ROUNDING * scale] = 0.0
    if left[unwanted].any():
        return None
    i, j, data = codes // n, codes % n, left
    quadratic = sp.csc_matrix((np.concatenate([data, data]), (np.concatenate([i, j]), np.concatenate([j, i]))), shape=(n, n))
    quadratic.eliminate_zeros()
    if not is_semidefinite(program.sense * quadratic):
        return None
    cost = program.cost + identities.linear.T @ weights
    return replace(program, cost=cost, quadratic=quadratic if quadratic.nnz else None)


def _weights(identities: sp.csr_matrix, wanted: Floats) -> Floats:
    """The smallest multiples of the identities whose sum comes nearest to ``-wanted``, (identities,)."""
    found = np.zeros(identities.shape[1])
    touched = np.flatnonzero(np.diff(sp.csc_matrix(identities).indptr))
    if touched.size:
        found[touched] = sp.linalg.lsqr(identities[:, touched], -wanted, atol=1e-15, btol=1e-15)[0]
    return found
