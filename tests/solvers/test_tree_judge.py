from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from bilevel_lang.solvers.scip_tree import run_tree
from bilevel_lang.solvers.solver import SolverOptions
from bilevel_lang.solvers.tree_judge import Cut, Decision, Vertex
from tests.solvers.judges import PROGRAM, Bound, Even


class Hasty(Even):
    """Offers children that lose everything, and before them a change that is right."""

    def decide(self, z: np.ndarray, lower: np.ndarray, upper: np.ndarray, vertex: Callable[[], Vertex | None]) -> Decision:
        found = super().decide(z, lower, upper, vertex)
        if found.feasible or upper[1] < 2.5:
            return found
        return Decision(changes=[Bound(1, True, 2.0)], children=[[Bound(0, True, 0.0)]])


def test_what_comes_first_in_a_decision_is_done() -> None:
    assert run_tree(PROGRAM, Hasty(), SolverOptions()).objective == pytest.approx(28)


def test_an_empty_decision_says_nothing() -> None:
    nothing = Decision()
    assert not (nothing.feasible or nothing.cut_off or nothing.changes or nothing.cuts or nothing.children)
    assert Cut(np.array([0]), np.ones(1), 0.0, 1.0).local
