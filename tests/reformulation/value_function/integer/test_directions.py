from __future__ import annotations

import numpy as np
import pytest

from bilevel_lang.reformulation.value_function.integer.directions import Directions
from bilevel_lang.reformulation.value_function.integer.extended import extend
from bilevel_lang.solvers.solver import SolverOptions
from tests.reformulation.value_function.integer.enumeration import random_program, solutions
from tests.reformulation.value_function.integer.programs import moore90_extended, program


def test_one_step_down_in_moore90() -> None:
    # At (6, 2) the follower can step to 1; only e3 or e4 or the bound 0 can stop a step down.
    extended = moore90_extended()
    steps = Directions(extended, SolverOptions(), None)
    z = extended.complete(np.array([6.0, 2.0]))
    steps.find(z)
    assert steps.count == 1
    assert steps.violated(z).tolist() == [0]
    assert steps.violated(extended.complete(np.array([6.0, 1.0]))).tolist() == []
    assert steps.violated(extended.complete(np.array([2.0, 2.0]))).tolist() == []
    steps.find(z)
    assert steps.count == 1


def test_no_step_from_a_best_answer() -> None:
    extended = moore90_extended()
    steps = Directions(extended, SolverOptions(), None)
    steps.find(extended.complete(np.array([2.0, 2.0])))
    assert steps.count == 0


@pytest.mark.parametrize("seed", range(100))
def test_no_solution_is_lost(seed: int) -> None:
    tiny = random_program(seed)
    extended = extend(tiny)
    if extended.infeasible:
        return
    solved, answers = solutions(tiny)
    steps = Directions(extended, SolverOptions(), None)
    for point in answers[:: max(1, len(answers) // 8)]:
        steps.find(extended.complete(point))
    everywhere = steps.consequences(extended.program.lower, extended.program.upper)
    for point in solved:
        full = extended.complete(point)
        assert steps.violated(full).tolist() == []
        assert everywhere is not None
        for change in everywhere:
            excess = full[change.column] - change.bound
            assert (excess if change.is_upper else -excess) <= 1e-6


def test_several_steps_differ_and_go_on_from_where_the_last_has_led() -> None:
    # max y1 + y2 + y3 of binaries under one row that never binds: at 0 each can step up, alone or with others.
    extended = extend(program([1, 0, 0, 0], [[1, 1, 1, 1]], [(-np.inf, 4)], [-1, -1, -1], [(0, 1)] * 4))
    steps = Directions(extended, SolverOptions(), None)
    steps.find_several(extended.complete(np.zeros(4)), 4)
    clauses = steps.clauses(0)
    assert len(clauses) == steps.count >= 3
    assert {change.column for clause in clauses for change in clause} >= {1, 2, 3}
    assert steps.clauses(1) == clauses[1:]
    assert steps.clauses(steps.count) == []
