"""Judges that know simple truths, so that answers are known without a tree."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from bilevel_lang.solvers.matrix import MatrixProgram
from bilevel_lang.solvers.tree_judge import Cut, Decision, TreeState, Vertex


@dataclass(frozen=True)
class Bound:
    column: int
    is_upper: bool
    bound: float


PROGRAM = MatrixProgram(
    lower=np.zeros(2),
    upper=np.full(2, 9.0),
    integer=np.ones(2, dtype=bool),
    cost=np.array([3.0, 2.0]),
    matrix=sp.csr_matrix(np.array([[1.0, 1.0]])),
    row_lower=np.array([-np.inf]),
    row_upper=np.array([11.0]),
    sense=-1,
)
"""max 3x + 2y, x + y <= 11: 31 at (9, 2)."""


class Even:
    """Both columns have to be even, which only the judge knows. Without it the optimum is 31; with it 28 at (8, 2)."""

    first = np.array([0])
    watched = np.array([0, 1])

    def __init__(self) -> None:
        self.vertices: list[Vertex] = []

    def admits(self, z: np.ndarray) -> bool:
        assert PROGRAM.violation(z) <= 1e-6, "a point that violates the program was shown"
        return bool((np.abs(np.rint(z) % 2) < 0.5).all())

    def consequences(self, lower: np.ndarray, upper: np.ndarray) -> Sequence[Bound]:
        return [Bound(0, True, 8.0)] if upper[0] > 8.5 else []

    def decide(self, z: np.ndarray, lower: np.ndarray, upper: np.ndarray, vertex: Callable[[], Vertex | None]) -> Decision:
        if self.admits(z):
            return Decision(feasible=True)
        found = vertex()
        if found is not None:
            self.vertices.append(found)
        column = int(np.flatnonzero(np.rint(z) % 2 > 0.5)[0])
        value = float(np.rint(z[column]))
        return Decision(children=[[Bound(column, True, value - 1)], [Bound(column, False, value + 1)]])

    def separate(
        self, z: np.ndarray, lower: np.ndarray, upper: np.ndarray, vertex: Callable[[], Vertex | None], depth: int
    ) -> Sequence[Cut]:
        return []

    def candidates(self) -> Sequence[np.ndarray]:
        return []

    def progress(self, state: TreeState) -> None:
        assert state.nodes >= 0


class Broken(Even):
    """Raises."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def admits(self, z: np.ndarray) -> bool:
        raise self.error
