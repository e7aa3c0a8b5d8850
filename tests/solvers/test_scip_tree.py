from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from bilevel_lang.solvers.matrix import MatrixProgram
from bilevel_lang.solvers.scip_tree import TreeSearch, run_tree
from bilevel_lang.solvers.solver import SolverOptions, Termination
from bilevel_lang.solvers.tree_judge import Decision, StopSearch, Vertex
from tests.solvers.judges import PROGRAM, Broken, Even


def test_a_judge_may_stop_the_search() -> None:
    found = run_tree(PROGRAM, Broken(StopSearch("enough")), SolverOptions())
    assert found.termination is Termination.LIMIT
    assert found.x is None
    assert found.bound is None or found.bound >= 28


def test_a_contradiction_needs_no_tree() -> None:
    crossed = MatrixProgram(**{**{f: getattr(PROGRAM, f) for f in PROGRAM.__slots__}, "lower": np.full(2, 10.0)})
    assert run_tree(crossed, Even(), SolverOptions()).termination is Termination.INFEASIBLE


def test_a_start_is_taken() -> None:
    class Refusing(Even):
        """Finds nothing by itself."""

        def decide(self, z: np.ndarray, lower: np.ndarray, upper: np.ndarray, vertex: Callable[[], Vertex | None]) -> Decision:
            return Decision(cut_off=True)

    assert run_tree(PROGRAM, Refusing(), SolverOptions(), start=np.array([8.0, 2.0])).objective == pytest.approx(28)


def test_a_search_goes_on_where_it_stopped() -> None:
    search = TreeSearch(PROGRAM, Even(), SolverOptions())
    assert search.go(0.0).termination is Termination.LIMIT
    assert search.go(0.0).termination is Termination.LIMIT
    found = search.go(None)
    assert found.termination is Termination.OPTIMAL
    assert found.objective == pytest.approx(28)
    assert search.go(None).objective == pytest.approx(28)
