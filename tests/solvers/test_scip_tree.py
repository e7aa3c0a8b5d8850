"""The tree with judges that know simple truths, so that answers are known without it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pytest
import scipy.sparse as sp

from bilevel_lang.solvers.matrix import MatrixProgram
from bilevel_lang.solvers.scip_tree import Cut, Decision, StopSearch, TreeState, Vertex, run_tree
from bilevel_lang.solvers.solver import SolverOptions, Termination


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


def test_branching_by_the_judge() -> None:
    judge = Even()
    found = run_tree(PROGRAM, judge, SolverOptions())
    assert found.termination is Termination.OPTIMAL
    # 8 + 2 = 10 <= 11 gives 28; (8, 3) is not even, (6, 4) gives 26.
    assert found.objective == pytest.approx(28)
    assert found.x is not None
    assert np.rint(found.x).tolist() == [8, 2]
    assert found.bound == pytest.approx(28)
    for vertex in judge.vertices:
        assert vertex.matrix.shape == (len(vertex.row_status), len(vertex.columns))
        # As many basic things as rows.
        assert int((vertex.status == 0).sum() + (vertex.row_status == 0).sum()) == len(vertex.row_status)


class Cutting(Even):
    """Says x + y <= 10 by a cut, and 2x + y <= 16 by another."""

    def decide(self, z: np.ndarray, lower: np.ndarray, upper: np.ndarray, vertex: Callable[[], Vertex | None]) -> Decision:
        if z.sum() > 10.5:
            return Decision(cuts=[Cut(np.array([0, 1]), np.ones(2), -np.inf, 10.0, local=False)])
        return super().decide(z, lower, upper, vertex)


def test_cuts_by_the_judge() -> None:
    assert run_tree(PROGRAM, Cutting(), SolverOptions()).objective == pytest.approx(28)


class Suggesting(Even):
    """Knows (8, 2), and that there is nothing else."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting = [np.array([8.0, 2.0])]

    def decide(self, z: np.ndarray, lower: np.ndarray, upper: np.ndarray, vertex: Callable[[], Vertex | None]) -> Decision:
        return Decision(feasible=True) if self.admits(z) else Decision(cut_off=True)

    def candidates(self) -> Sequence[np.ndarray]:
        waiting, self.waiting = self.waiting, []
        return waiting


def test_candidates_become_solutions() -> None:
    assert run_tree(PROGRAM, Suggesting(), SolverOptions()).objective == pytest.approx(28)


class Broken(Even):
    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def admits(self, z: np.ndarray) -> bool:
        raise self.error


def test_an_exception_of_the_judge_comes_out() -> None:
    with pytest.raises(ZeroDivisionError, match="here"):
        run_tree(PROGRAM, Broken(ZeroDivisionError("here")), SolverOptions())


def test_a_judge_may_stop_the_search() -> None:
    found = run_tree(PROGRAM, Broken(StopSearch("enough")), SolverOptions())
    assert found.termination is Termination.LIMIT
    assert found.x is None
    assert found.bound is None or found.bound >= 28


def test_a_contradiction_needs_no_tree() -> None:
    crossed = MatrixProgram(**{**{f: getattr(PROGRAM, f) for f in PROGRAM.__slots__}, "lower": np.full(2, 10.0)})
    assert run_tree(crossed, Even(), SolverOptions()).termination is Termination.INFEASIBLE
