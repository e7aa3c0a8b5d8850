from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from bilevel_lang.solvers.scip_handler import handler_class
from bilevel_lang.solvers.scip_session import TreeSession
from bilevel_lang.solvers.scip_tree import run_tree
from bilevel_lang.solvers.solver import SolverOptions, Termination
from bilevel_lang.solvers.tree_judge import Cut, Decision, Vertex
from tests.solvers.judges import PROGRAM, Broken, Even


def test_branching_by_the_judge() -> None:
    judge = Even()
    found = run_tree(PROGRAM, judge, SolverOptions())
    assert found.termination is Termination.OPTIMAL
    # 8 + 2 = 10 <= 11 gives 28; (8, 3) is not even, (6, 4) gives 26.
    assert found.objective == pytest.approx(28)
    assert found.x is not None
    assert np.rint(found.x).tolist() == [8, 2]
    assert found.bound == pytest.approx(28)


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


def test_an_exception_of_the_judge_comes_out() -> None:
    with pytest.raises(ZeroDivisionError, match="here"):
        run_tree(PROGRAM, Broken(ZeroDivisionError("here")), SolverOptions())


def test_nobody_is_asked_about_points_that_break_rows() -> None:
    # SCIP shows such points where an LP was not finished, after the end of the time for example.
    from pyscipopt import SCIP_RESULT

    session = TreeSession(None, [], Broken(AssertionError("asked")), 0.0)
    handler = handler_class()(session)
    assert handler.consenfops([], 0, True, False) == {"result": SCIP_RESULT.INFEASIBLE}
    assert handler.consenfops([], 0, True, True) == {"result": SCIP_RESULT.INFEASIBLE}
    assert handler.consenfops([], 0, False, True) == {"result": SCIP_RESULT.DIDNOTRUN}
    assert handler.consenfolp([], 0, True) == {"result": SCIP_RESULT.INFEASIBLE}
    assert session.failure is None
