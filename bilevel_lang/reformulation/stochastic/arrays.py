"""A two-stage stochastic program as arrays: one scenario with what varies from scenario to scenario beside it.

    min or max  c'x + d + sum_s p_s (c_s'x + q_s'y_s + d_s)
    subject to  A x in [b_l, b_u],  T_s x + W_s y_s in [h_l, h_u]_s,  x in X,  y_s in [l, u]_s, whole where ``integer``

(Birge and Louveaux, "Introduction to Stochastic Programming", 2011, section 3.1). In x and in the random data this is all that a
sampling engine or a decomposition needs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import scipy.sparse as sp

from bilevel_lang.solvers.matrix import Flags, Ints, MatrixProgram
from bilevel_lang.solvers.program import Floats

SLOTS = ("first_cost", "cost", "constant", "lower", "upper", "row_lower", "row_upper", "technology", "recourse")
"""What may vary; for the two matrices the places count the stored entries, row by row."""


@dataclass(frozen=True, eq=False)
class Varying:
    """``values`` (S, r): what stands at the ``places`` (r,) of one slot in each scenario."""

    places: Ints
    values: Floats


@dataclass(frozen=True, eq=False)
class Recourse:
    """One scenario's second stage: the data of :class:`TwoStageArrays` with what varies put in its place."""

    first_cost: Floats
    cost: Floats
    constant: float
    lower: Floats
    upper: Floats
    row_lower: Floats
    row_upper: Floats
    technology: sp.csr_matrix
    recourse: sp.csr_matrix


@dataclass(frozen=True, eq=False)
class Coupling:
    """A row over all scenarios: ``lower <= first'x + sum_s p_s second'y_s <= upper``, with first (n1,) and second (n2,)."""

    first: Floats
    second: Floats
    lower: float
    upper: float


@dataclass(frozen=True, eq=False)
class TwoStageArrays:
    """n1 and n2 columns, m1 and m2 rows, S scenarios. ``first`` has c, d, A and X; ``sense`` is +1 for min, -1 for max.

    ``first_cost`` (n1,) is the part c_s of the first stage's costs that is paid in the second. ``varying`` maps slots of
    :data:`SLOTS` to what varies in them.
    """

    first: MatrixProgram
    first_cost: Floats
    lower: Floats
    upper: Floats
    integer: Flags
    cost: Floats
    constant: float
    technology: sp.csr_matrix
    recourse: sp.csr_matrix
    row_lower: Floats
    row_upper: Floats
    probabilities: Floats
    varying: Mapping[str, Varying] = field(default_factory=dict)
    couplings: tuple[Coupling, ...] = ()

    @property
    def sense(self) -> int:
        """+1 for min, -1 for max."""
        return self.first.sense

    @property
    def scenarios(self) -> int:
        """How many scenarios there are."""
        return len(self.probabilities)

    def slot(self, name: str) -> Floats:
        """What one slot holds in the scenario that was compiled, as a flat array."""
        if name in ("technology", "recourse"):
            return np.asarray(getattr(self, name).data)
        value = getattr(self, name)
        return np.array([value]) if name == "constant" else np.asarray(value)

    def everywhere(self, name: str) -> Floats:
        """One slot in all scenarios (S, its length)."""
        values: Floats = np.tile(self.slot(name), (self.scenarios, 1))
        found = self.varying.get(name)
        if found is not None:
            values[:, found.places] = found.values
        return values

    def mean(self, name: str) -> Floats:
        """The expected value of one slot; for infinite bounds the same infinity."""
        value: Floats = self.slot(name).copy()
        found = self.varying.get(name)
        if found is not None:
            value[found.places] = self.probabilities @ found.values
        return value

    def done(self, y: Floats) -> Floats:
        """(S, m2): what the second stages ``y`` (S, n2) take of the rows, W_s y_s."""
        found: Floats = np.asarray(self.recourse @ y.T).T.copy()
        random = self.varying.get("recourse")
        if random is not None:
            row = np.searchsorted(self.recourse.indptr, random.places, side="right") - 1
            column = self.recourse.indices[random.places]
            other = random.values - self.recourse.data[random.places]
            # A row may hold several of them.
            for place, (i, j) in enumerate(zip(row.tolist(), column.tolist(), strict=True)):
                found[:, i] += other[:, place] * y[:, j]
        return found

    def scenario(self, number: int) -> Recourse:
        """The second stage of one scenario (from 0)."""
        return self._recourse(number)

    def restricted(self, chosen: Ints, probabilities: Floats) -> TwoStageArrays:
        """The same program with some of the scenarios, and other probabilities."""
        varying = {name: Varying(v.places, v.values[chosen]) for name, v in self.varying.items()}
        return replace(self, varying=varying, probabilities=probabilities)

    def _recourse(self, number: int) -> Recourse:
        parts = {name: self._slot_of(name, number) for name in SLOTS}
        matrices = {"technology": self.technology, "recourse": self.recourse}
        for name in matrices:
            data = parts.pop(name)
            if name in self.varying:  # a new sparse matrix takes longer than all the rest
                matrices[name] = _with_data(matrices[name], data)
        return Recourse(constant=float(parts.pop("constant")[0]), **parts, **matrices)

    def _slot_of(self, name: str, number: int) -> Floats:
        found = self.varying.get(name)
        value: Floats = self.slot(name)
        if found is None:
            return value
        value = value.copy()
        value[found.places] = found.values[number]
        return value


def _with_data(matrix: sp.csr_matrix, data: Floats) -> sp.csr_matrix:
    return sp.csr_matrix((data, matrix.indices, matrix.indptr), shape=matrix.shape)
