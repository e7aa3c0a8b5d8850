"""The leader's own set, and the nearest of its points: what the design `feasible` draws from."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import scipy.sparse as sp

from bilevel_lang.components.forms import Columns, NotQuadraticError, Stack
from bilevel_lang.errors import RefusedError
from bilevel_lang.oracle.compilation import space_of
from bilevel_lang.problem import BilevelProblem
from bilevel_lang.solvers.hot_variants import VariantSolver
from bilevel_lang.solvers.matrix import Flags, MatrixProgram
from bilevel_lang.solvers.program import Floats, finite_side
from bilevel_lang.solvers.solver import SolverOptions
from bilevel_lang.solvers.variants import Variants
from bilevel_lang.surrogate.sampling.designs.feasible import Feasible

HELP = "use `latin-hypercube` or `sobol`, which draw from the box"


@dataclass(frozen=True, eq=False)
class LeaderSet:
    """``row_lower <= matrix z <= row_upper`` and bounds over columns z: the n inputs first, then other variables of the leader.

    A callable for :class:`~bilevel_lang.surrogate.sampling.designs.feasible.Feasible`. Picklable.
    """

    inputs: int
    lower: Floats
    upper: Floats
    integer: Flags
    matrix: sp.csr_matrix
    row_lower: Floats
    row_upper: Floats
    _solver: list[VariantSolver] = field(default_factory=list, repr=False)

    def __getstate__(self) -> dict[str, Any]:
        """Without the solver, which each process makes for itself."""
        return {**self.__dict__, "_solver": []}

    @property
    def identity(self) -> str:
        """SHA-256 of all numbers."""
        digest = hashlib.sha256(str((self.inputs, self.matrix.shape)).encode())
        arrays = (self.lower, self.upper, self.integer, self.matrix.toarray(), self.row_lower, self.row_upper)
        for array in arrays:
            digest.update(np.asarray(array, dtype="<f8").tobytes())
        return digest.hexdigest()

    def __call__(self, points: Floats) -> Floats:
        """The nearest points (k, n) of the set, by the sum of distances over widths; NaN where HiGHS finds none."""
        if not self._solver:
            self._solver.append(VariantSolver(self._program(), SolverOptions()))
        n, rows = self.inputs, len(self.row_lower)
        nothing = np.full(points.shape, np.inf)
        answers = self._solver[0].solve(
            Variants(
                len(points),
                rows=np.arange(rows, rows + 2 * n, dtype=np.int32),
                row_lower=np.hstack([-nothing, points]),
                row_upper=np.hstack([points, nothing]),
            )
        )
        return answers.x[:, :n]

    def _program(self) -> MatrixProgram:
        """min sum d/width over columns (z, d) with z - d <= point <= z + d for the inputs."""
        n, total = self.inputs, len(self.lower)
        unit = sp.hstack([sp.identity(n), sp.csr_matrix((n, total - n))])
        matrix = sp.bmat([[self.matrix, None], [unit, -sp.identity(n)], [unit, sp.identity(n)]], format="csr")
        width = self.upper[:n] - self.lower[:n]
        infinite = np.full(2 * n, np.inf)
        return MatrixProgram(
            lower=np.append(self.lower, np.zeros(n)),
            upper=np.append(self.upper, np.full(n, np.inf)),
            integer=np.append(self.integer, np.zeros(n, dtype=bool)),
            cost=np.append(np.zeros(total), 1.0 / np.where(np.isfinite(width) & (width > 0), width, 1.0)),
            matrix=sp.csr_matrix(matrix),
            row_lower=np.append(self.row_lower, -infinite),
            row_upper=np.append(self.row_upper, infinite),
        )


def leader_set(problem: BilevelProblem, inputs: Sequence[Any]) -> LeaderSet:
    """The leader's rows that hold none of the followers' variables, over ``inputs`` and what else of the leader is in them.

    Raises RefusedError for such a row that is not linear, ModelFileError where the model cannot be evaluated.
    """
    columns, stack = Columns(), Stack()
    for variable in inputs:
        columns.number(variable)
    owned = {id(v) for agent in problem.agents for v in agent.variables}
    low, up = [], []
    for row in problem.leader.rows:
        try:
            form = columns.quadratic(row.body, f"constraint '{row.name}'")
            theirs = any(id(columns.variables[j]) in owned for j in form.columns())
            curved = not form.is_affine
        except NotQuadraticError:
            theirs, curved = False, True
        if curved and not theirs:
            raise RefusedError(f"constraint '{row.name}' of the leader is not linear, so its points cannot be drawn", HELP)
        if not theirs:
            stack.add(form.affine)
            low.append(finite_side(row.lb, -math.inf))
            up.append(finite_side(row.ub, math.inf))
    space, shift = space_of(columns.variables), stack.shifts()
    matrix = stack.matrix(len(columns))
    return LeaderSet(len(inputs), space.lower, space.upper, space.integer, matrix, np.array(low) - shift, np.array(up) - shift)


def feasible_design(problem: BilevelProblem, inputs: Sequence[Any]) -> Feasible:
    """The design `feasible` for the leader's own rows. Raises what :func:`leader_set` raises."""
    found = leader_set(problem, inputs)
    return Feasible(found, found.identity)
