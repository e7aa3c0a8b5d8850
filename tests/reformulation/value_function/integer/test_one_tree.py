from __future__ import annotations

import pytest

from bilevel_lang.reformulation.value_function.integer.extended import extend
from bilevel_lang.reformulation.value_function.integer.follower import Follower
from bilevel_lang.reformulation.value_function.integer.one_tree import OneTree, in_one_tree
from bilevel_lang.reformulation.value_function.integer.prepared import Prepared
from bilevel_lang.reformulation.value_function.integer.progress import Progress
from bilevel_lang.solvers.solver import SolverOptions, Termination
from tests.reformulation.value_function.integer.programs import knapsack, moore90


@pytest.mark.parametrize(("known", "tiny"), [(-22.0, moore90()), (9.0, knapsack())])
def test_known_answers(known: float, tiny) -> None:  # type: ignore[no-untyped-def]
    extended = extend(tiny)
    found = in_one_tree(Prepared(extended, Follower(extended, SolverOptions()), Progress(False), SolverOptions()))
    assert (found.termination, found.objective, found.bound) == (Termination.OPTIMAL, known, known)


def test_it_goes_on_where_it_stopped() -> None:
    extended = extend(moore90())
    tree = OneTree(Prepared(extended, Follower(extended, SolverOptions()), Progress(False), SolverOptions()))
    assert tree.go(0.0).termination is Termination.LIMIT
    assert tree.go(None).objective == -22.0
