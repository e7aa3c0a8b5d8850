"""The primal-dual inequality of an agent as linear rows: no more multipliers than the objective can pay for.

At every solution of an agent's conditions, with its own columns y, r(z) the gradient (or function) and S z - s >= 0, E z = e::

    r(z)'y = kappa'(s - S_o z_o) + nu'(e - E_o z_o)

(stationarity times y, then complementarity; the index o means the columns of others). Each product of a column and a linear form
of others is replaced by its McCormick envelope over a proven box, y'Hy of a convex agent by a tangent, and what is left is valid
for all multipliers. With strictly feasible y for every z_o this bounds all of kappa: it is Slater's bound, found by the LP
itself.
Reference: Kleinert, Labbe, Plein and Schmidt 2021, "Closing the gap in linear bilevel optimization: a new valid primal-dual
inequality", Optim. Lett. 15:1027; McCormick 1976, Math. Program. 10:147.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from bilevel_lang.reformulation.linear.bounds.box import Box
from bilevel_lang.reformulation.linear.mpec import AgentSystem
from bilevel_lang.solvers.matrix import Flags, Ints
from bilevel_lang.solvers.program import Floats

TANGENTS = 20
"""For so many variables without bounds tangents are added; each is two more rows."""


@dataclass(frozen=True, eq=False)
class Products:
    """``sum_k z[columns[k]] * (forms[k] z)``; ``forms`` (q, n)."""

    columns: Ints
    forms: sp.csr_matrix


def primal_dual_rows(agent: AgentSystem, box: Box) -> tuple[sp.csr_matrix, Floats]:
    """Rows (m, n) and right-hand sides (m,) with ``rows z <= sides`` at every solution.

    m is 0 where a product has no finite envelope (others without bounds next to a multiplier).
    """
    n = len(box.lower)
    products, linear = _identity(agent, n)
    hessian = agent.gradient[:, agent.owned]
    if hessian.nnz and not (agent.optimises and agent.convex):
        products, hessian = _joined(products, _own_products(agent, hessian, n)), hessian * 0
    envelopes = [found for first in (True, False) if (found := _below(products, box, first)) is not None]
    if len(envelopes) == 2 and (envelopes[0][0] != envelopes[1][0]).nnz == 0:
        envelopes = envelopes[:1]
    rows, sides = [], []
    for (row, constant), (tangent, level) in itertools.product(envelopes, _tangents(agent, hessian, box, n)):
        rows.append(linear + tangent + row)
        sides.append(-(constant + level))
    return (sp.vstack(rows, format="csr") if rows else sp.csr_matrix((0, n))), np.array(sides)


def _identity(agent: AgentSystem, n: int) -> tuple[Products, sp.csr_matrix]:
    """r'y - kappa'(s - S_o z_o) - nu'(e - E_o z_o) = 0, without y'Hy: its products and its linear part (1, n)."""
    gradient, sides, equalities = (_of_others(m, agent.owned, n) for m in (agent.gradient, agent.sides, agent.equalities))
    columns = np.concatenate([agent.owned, agent.multipliers, agent.equality_multipliers])
    forms = sp.vstack([gradient, sides, equalities], format="csr")
    used = np.flatnonzero(np.diff(forms.indptr))
    linear = np.zeros(n)
    linear[agent.owned] = agent.gradient_constant
    linear[agent.multipliers] = -agent.side_levels
    linear[agent.equality_multipliers] = -agent.equality_levels
    return Products(columns[used], forms[used]), sp.csr_matrix(linear)


def _of_others(matrix: sp.csr_matrix, owned: Ints, n: int) -> sp.csr_matrix:
    part = matrix.tocoo()
    keep = ~np.isin(part.col, owned) & (part.data != 0)
    return sp.csr_matrix((part.data[keep], (part.row[keep], part.col[keep])), shape=(matrix.shape[0], n))


def _own_products(agent: AgentSystem, hessian: sp.csr_matrix, n: int) -> Products:
    """y'Hy as products, for an H that may be indefinite."""
    part = hessian.tocoo()
    return Products(agent.owned, sp.csr_matrix((part.data, (part.row, agent.owned[part.col])), shape=(len(agent.owned), n)))


def _tangents(agent: AgentSystem, hessian: sp.csr_matrix, box: Box, n: int) -> list[tuple[sp.csr_matrix, float]]:
    """Linear functions below y'Hy for a convex H, rows (1, n) and constants: 2 v'Hy - v'Hv for some v."""
    if not hessian.nnz:
        return [(sp.csr_matrix((1, n)), 0.0)]
    found = []
    for point in _tangent_points(agent, hessian, box):
        slope = hessian @ point
        row = np.zeros(n)
        row[agent.owned] = 2 * slope
        found.append((sp.csr_matrix(row), -float(point @ slope)))
    return found


def _tangent_points(agent: AgentSystem, hessian: sp.csr_matrix, box: Box) -> list[Floats]:
    """The middle of the box (0 where it has none), and a point far out for each variable that has no bound yet."""
    lower, upper = box.lower[agent.owned], box.upper[agent.owned]
    bounded = np.isfinite(lower) & np.isfinite(upper)
    middle = np.where(bounded, (np.where(bounded, lower, 0.0) + np.where(bounded, upper, 0.0)) / 2, 0.0)
    diagonal, linear = hessian.diagonal(), agent.gradient_constant
    points = [middle]
    for j in np.flatnonzero(~bounded & (diagonal > 0))[:TANGENTS].tolist():
        # Where -r_j / h_j is: beyond it the variable costs more than it brings.
        reach = abs(linear[j]) / diagonal[j] + 1.0
        for side in (-reach, reach):
            point = middle.copy()
            point[j] = side
            points.append(point)
    return points


def _joined(a: Products, b: Products) -> Products:
    return Products(np.concatenate([a.columns, b.columns]), sp.vstack([a.forms, b.forms], format="csr"))


def _below(products: Products, box: Box, first: bool) -> tuple[sp.csr_matrix, float] | None:
    """A linear function below the sum of products over the box, row (1, n) and constant; None where there is none.

    ``first``: of McCormick's two functions the one through the lower corner is preferred.
    """
    n = len(box.lower)
    low, up = box.lower[products.columns], box.upper[products.columns]
    form_low, form_up = box.interval(products.forms)
    corner: Flags = np.isfinite(low) & np.isfinite(form_low)
    far: Flags = np.isfinite(up) & np.isfinite(form_up)
    # A form of one value only makes the product linear, whatever the column's bounds are.
    fixed: Flags = np.isfinite(form_low) & (form_low == form_up)
    if not (corner | far | fixed).all():
        return None
    lower_one: Flags = fixed | (corner & (first | ~far))
    a, w = np.where(lower_one, low, up), np.where(lower_one, form_low, form_up)
    a = np.where(fixed, 0.0, a)
    row = np.zeros(n)
    np.add.at(row, products.columns, w)
    return sp.csr_matrix(row) + sp.csr_matrix(a @ products.forms), -float(a @ w)
