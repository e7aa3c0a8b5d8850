"""Where inputs enter an agent's problem, and what shape its value then has as a function of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import scipy.sparse as sp

from bilevel_lang.oracle.parametric import ParametricAgent
from bilevel_lang.solvers.features import is_semidefinite
from bilevel_lang.surrogate.dataset import Bools

Shape = Literal["convex", "concave"]


@dataclass(frozen=True)
class Dependence:
    """``sides``: rows whose sides depend on inputs; ``costs``: responses whose costs do; ``matrix``: entries that do.

    ``alone``: whether inputs are in the objective by themselves. ``idle`` names the inputs that are nowhere in the problem.
    ``shapes`` is what is proven of the optimal value as a function of real inputs, in its own sense and wherever the agent has an
    answer; both for an affine one, none where nothing is.
    """

    sides: int
    costs: int
    matrix: int
    alone: bool
    idle: tuple[str, ...]
    shapes: tuple[Shape, ...]

    @property
    def words(self) -> str:
        """One sentence for people."""
        parts = [
            (self.sides, "the sides of {} rows"),
            (self.costs, "the costs of {} variables"),
            (self.matrix, "{} coefficients of rows"),
        ]
        said = [words.format(count) for count, words in parts if count]
        said += ["a part of the objective that the follower cannot change"] if self.alone else []
        where = "inputs move " + ", ".join(said) if said else "inputs move nothing"
        shape = "affine" if len(self.shapes) == 2 else self.shapes[0] if self.shapes else "neither convex nor concave for sure"
        return f"{where}; the value is {shape}"


def dependence_of(agent: ParametricAgent) -> Dependence:
    """Read off the arrays."""
    q = len(agent.features)
    used = np.zeros(q, dtype=bool)
    used[agent.row_slope.indices] = True
    used[agent.goal.cost_slope.indices] = True
    used[agent.entries.features] = True
    used |= agent.goal.slope != 0
    idle = ~_of_inputs(agent, used)
    return Dependence(
        sides=int((np.diff(agent.row_slope.indptr) > 0).sum()),
        costs=int((np.diff(agent.goal.cost_slope.indptr) > 0).sum()),
        matrix=len({*zip(agent.entries.rows.tolist(), agent.entries.columns.tolist(), strict=True)}),
        alone=bool(agent.goal.slope.any()),
        idle=tuple(name for name, lazy in zip(agent.inputs.names, idle, strict=True) if lazy),
        shapes=tuple(shape for shape in ("convex", "concave") if _has_shape(agent, shape)),
    )


def _of_inputs(agent: ParametricAgent, features: Bools) -> Bools:
    """(n,): which inputs are in the flagged features (q,)."""
    n = len(agent.inputs)
    found = features[:n].copy()
    found[agent.features.pairs[features[n:]].ravel()] = True
    return np.asarray(found, dtype=bool)


def _has_shape(agent: ParametricAgent, shape: Shape) -> bool:
    """The value of a minimisation over y of a function that is convex in (x, y) on a convex set of (x, y) is convex in x; that of
    functions concave in x over a set without x is concave, whole numbers or not. For ``max`` the two change places."""
    if len(agent.entries) or _products(agent, rows=True):
        return False
    if (shape == "convex") == (agent.goal.sense == 1):
        return not agent.integer.any() and _jointly_convex(agent)
    return agent.row_slope.nnz == 0 and not _products(agent, costs=True) and _curvature_alone(agent, -1)


def _products(agent: ParametricAgent, *, rows: bool = False, costs: bool = False) -> bool:
    """Whether products of inputs are in rows, or multiply responses."""
    n = len(agent.inputs)
    in_rows = rows and bool((agent.row_slope.indices >= n).any())
    return in_rows or (costs and bool((agent.goal.cost_slope.indices >= n).any()))


def _jointly_convex(agent: ParametricAgent) -> bool:
    """Whether the objective, as a minimisation, is convex in inputs and responses together."""
    if _products(agent, costs=True):
        return False
    n, m, goal = len(agent.inputs), len(agent.response_names), agent.goal
    mixed = sp.csc_matrix(goal.cost_slope[:, :n])
    own = sp.csc_matrix((m, m)) if goal.quadratic is None else goal.quadratic
    whole = sp.csc_matrix(sp.bmat([[_hessian_alone(agent), mixed.T], [mixed, own]], format="csc"))
    return not whole.nnz or is_semidefinite(goal.sense * whole)


def _curvature_alone(agent: ParametricAgent, sign: int) -> bool:
    """Whether ``sign`` times what inputs do to the objective by themselves, as a minimisation, is convex."""
    hessian = _hessian_alone(agent)
    return not hessian.nnz or is_semidefinite(sp.csc_matrix(sign * agent.goal.sense * hessian))


def _hessian_alone(agent: ParametricAgent) -> sp.csc_matrix:
    n, pairs = len(agent.inputs), agent.features.pairs
    weights = agent.goal.slope[n:]
    i, j = pairs[:, 0], pairs[:, 1]
    # Both triangles; on the diagonal the two add up to 2c, the second derivative of c x^2.
    found = sp.csc_matrix((np.append(weights, weights), (np.append(i, j), np.append(j, i))), shape=(n, n))
    found.eliminate_zeros()
    return found
