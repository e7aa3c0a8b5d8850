"""One agent's problem as arrays, with everything that depends on what the agent does not decide.

For inputs x (n,), the decisions of others in a stated order, and responses y (m,), the agent's own variables::

    min or max  constant + slope'phi(x) + (cost + C phi(x))'y + 1/2 y'Qy
    subject to  row_lower <= A(x) y + T phi(x) <= row_upper,   lower <= y <= upper,   y_j whole where integer[j]

``phi(x)`` (q,) are the inputs, followed by the products of two inputs that occur; ``A(x) = A + sum of entries * phi(x)``. It is
read off a model once (:mod:`bilevel_lang.oracle.compilation`) and then serves any number of x; what must not change between
two of them is told by :meth:`ParametricAgent.fingerprint`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, fields

import numpy as np
import scipy.sparse as sp

from bilevel_lang.solvers.matrix import Flags, Ints, no_pairs
from bilevel_lang.solvers.program import Floats
from bilevel_lang.surrogate.sampling.space import InputSpace


@dataclass(frozen=True, eq=False)
class Features:
    """``phi``: the n inputs, then the products of the ``pairs`` (p, 2) of inputs; q = n + p."""

    inputs: int
    pairs: Ints = field(default_factory=no_pairs)

    def __len__(self) -> int:
        return self.inputs + len(self.pairs)

    def at(self, points: Floats) -> Floats:
        """(k, q) for ``points`` (k, n)."""
        if not len(self.pairs):
            return points
        return np.hstack([points, points[:, self.pairs[:, 0]] * points[:, self.pairs[:, 1]]])

    def gradient(self, points: Floats, by_feature: Floats) -> Floats:
        """(k, n): derivatives by the inputs, from those by the features (k, q), at ``points`` (k, n)."""
        found: Floats = by_feature[:, : self.inputs].copy()
        for number, (i, j) in enumerate(self.pairs.tolist(), start=self.inputs):
            found[:, i] += by_feature[:, number] * points[:, j]
            found[:, j] += by_feature[:, number] * points[:, i]
        return found


@dataclass(frozen=True, eq=False)
class Goal:
    """``constant + slope'phi + (cost + cost_slope phi)'y + 1/2 y' quadratic y``, optimised with ``sense`` +1 min, -1 max.

    ``slope`` (q,), ``cost`` (m,), ``cost_slope`` (m, q); ``quadratic`` (m, m) is the symmetric Hessian in y, or None.
    """

    sense: int
    constant: float
    slope: Floats
    cost: Floats
    cost_slope: sp.csr_matrix
    quadratic: sp.csc_matrix | None = None

    def costs(self, features: Floats) -> Floats:
        """(k, m): the linear costs of the responses at ``features`` (k, q)."""
        return np.asarray(self.cost + (self.cost_slope @ features.T).T)

    def values(self, features: Floats, responses: Floats) -> Floats:
        """(k,) at ``features`` (k, q) and ``responses`` (k, m)."""
        found = self.constant + features @ self.slope + np.einsum("km,km->k", self.costs(features), responses)
        if self.quadratic is not None:
            found += 0.5 * np.einsum("km,km->k", responses, np.asarray((self.quadratic @ responses.T).T))
        return np.asarray(found)


@dataclass(frozen=True, eq=False)
class MatrixEntries:
    """What inputs add to the matrix: ``coefficients[e] * phi[features[e]]`` at (``rows[e]``, ``columns[e]``); all (e,)."""

    rows: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    columns: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    features: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    coefficients: Floats = field(default_factory=lambda: np.zeros(0))

    def __len__(self) -> int:
        return len(self.rows)


@dataclass(frozen=True, eq=False)
class ParametricAgent:
    """See the module's docstring; m responses, r rows, q features. Infinite where there is no bound or side.

    ``matrix`` (r, m), ``row_slope`` (r, q); ``leader`` is the leader's objective in the same terms, None where there is none or
    where it needs more than inputs and responses (``without_leader`` says what).
    """

    name: str
    inputs: InputSpace
    features: Features
    goal: Goal
    response_names: tuple[str, ...]
    lower: Floats
    upper: Floats
    integer: Flags
    matrix: sp.csr_matrix
    row_names: tuple[str, ...]
    row_lower: Floats
    row_upper: Floats
    row_slope: sp.csr_matrix
    entries: MatrixEntries = field(default_factory=MatrixEntries)
    leader: Goal | None = None
    without_leader: str = ""

    def __post_init__(self) -> None:
        r, m, q = len(self.row_names), len(self.response_names), len(self.features)
        assert self.features.inputs == len(self.inputs)
        assert self.matrix.shape == (r, m) and self.row_slope.shape == (r, q)
        assert self.lower.shape == self.upper.shape == self.integer.shape == (m,)
        assert self.row_lower.shape == self.row_upper.shape == (r,)
        for goal in (self.goal, self.leader):
            assert goal is None or (goal.slope.shape == (q,) and goal.cost_slope.shape == (m, q) and goal.cost.shape == (m,))

    @property
    def linear(self) -> bool:
        """Whether the objective has no products of responses."""
        return self.goal.quadratic is None

    def fingerprint(self) -> str:
        """SHA-256 of every name and number, in hexadecimal: another one means another problem, and labels of the one are no
        labels of the other."""
        digest = hashlib.sha256()
        _feed(digest, self)
        return digest.hexdigest()


def _feed(digest: hashlib._Hash, item: object) -> None:
    """Names, numbers and arrays of a frozen record, in the order of its fields."""
    if isinstance(item, (sp.csr_matrix, sp.csc_matrix)):
        found = sp.csr_matrix(item)
        found.sum_duplicates()
        found.sort_indices()
        digest.update(f"sparse{found.shape}".encode())
        for array in (found.indptr.astype("<i8"), found.indices.astype("<i8"), found.data.astype("<f8")):
            digest.update(array.tobytes())
    elif isinstance(item, np.ndarray):
        kind = "<f8" if item.dtype.kind == "f" else "<i8"
        digest.update(f"array{item.shape}".encode() + np.where(item == 0, 0, item).astype(kind).tobytes())
    elif isinstance(item, tuple):
        for each in (len(item), *item):
            _feed(digest, each)
    elif isinstance(item, (str, int, float)) or item is None:
        digest.update(f"{type(item).__name__}:{item!r};".encode())
    else:
        digest.update(type(item).__name__.encode())
        for each in fields(item):  # type: ignore[arg-type]
            digest.update(each.name.encode())
            _feed(digest, getattr(item, each.name))
