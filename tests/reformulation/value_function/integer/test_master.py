from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from bilevel_lang.errors import RefusedError
from bilevel_lang.reformulation.value_function.integer.directions import Directions
from bilevel_lang.reformulation.value_function.integer.disjunctions import Change, Disjunctions
from bilevel_lang.reformulation.value_function.integer.extended import Extended, extend
from bilevel_lang.reformulation.value_function.integer.follower import Response
from bilevel_lang.reformulation.value_function.integer.master import Master
from bilevel_lang.solvers.highs import Highs
from bilevel_lang.solvers.matrix import MatrixProgram
from bilevel_lang.solvers.program import Floats
from bilevel_lang.solvers.solver import SolverOptions, Termination
from tests.reformulation.value_function.integer.enumeration import random_program, solutions
from tests.reformulation.value_function.integer.programs import moore90_extended, program


def with_bounds(extended: Extended, column: int, lower: float, upper: float) -> Extended:
    low, up = extended.program.lower.copy(), extended.program.upper.copy()
    low[column], up[column] = lower, upper
    return dataclasses.replace(extended, program=dataclasses.replace(extended.program, lower=low, upper=up))


def fixed(found: MatrixProgram, z: Floats) -> MatrixProgram:
    """``found`` with its first columns at ``z``."""
    lower, upper = found.lower.copy(), found.upper.copy()
    lower[: len(z)] = upper[: len(z)] = z
    return dataclasses.replace(found, lower=lower, upper=upper)


def admits(master: Master, z: Floats) -> bool:
    """Whether some binaries go with ``z``, by another solve rather than by ``point``."""
    return Highs().run_matrix(fixed(master.program(), z), SolverOptions()).termination is Termination.OPTIMAL


@pytest.mark.parametrize("seed", range(60))
def test_no_solution_is_lost(seed: int) -> None:
    tiny = random_program(seed)
    extended = extend(tiny)
    if extended.infeasible:
        return
    solved, answers = solutions(tiny)
    master, pool = Master(extended), Disjunctions(extended)
    steps = Directions(extended, SolverOptions(), None)
    for z in answers[:: max(1, len(answers) // 6)]:
        steps.find_several(extended.complete(z), 4)
        y = np.where(tiny.follower, z, 0.0)
        value = float(extended.value_cost @ z)
        number = pool.add(Response(y, value))
        master.answer(pool.admitted(value), [pool.block(r, float(t)) for r, t in enumerate(pool.thresholds[number])])
    for stops in steps.clauses(0):
        master.step(stops)
    found = master.program()
    for z in solved:
        point = master.point(extended.complete(z))
        assert found.violation(point) <= 1e-9


def test_a_step_takes_out_what_it_improves() -> None:
    # At (6, 2) the follower of moore90 can step to 1; at (2, 2) it cannot.
    extended = moore90_extended()
    master, steps = Master(extended), Directions(extended, SolverOptions(), None)
    z, best = extended.complete(np.array([6.0, 2.0])), extended.complete(np.array([2.0, 2.0]))
    assert admits(master, z)
    steps.find_several(z, 1)
    assert [master.step(stops) for stops in steps.clauses(0)] == [True]
    assert not admits(master, z)
    assert admits(master, best)


def test_columns_of_two_values_are_their_own_binaries() -> None:
    # min -y with x + y <= 2, all 0 or 1: whatever x is, nothing but the bound stops y at 1.
    extended = extend(program([1, 1], [[1, 1]], [(-np.inf, 2)], [-1], [(0, 1), (0, 1)]))
    master = Master(extended)
    before = master.program().columns
    assert master.step([Change(1, False, 1.0)])
    assert master.program().columns == before
    assert admits(master, extended.complete(np.array([0.0, 1.0])))
    assert not admits(master, extended.complete(np.array([0.0, 0.0])))


def test_the_weakest_of_two_bounds_stands_for_both() -> None:
    extended = moore90_extended()
    master = Master(extended)
    before = master.program().columns
    assert master.step([Change(0, False, 7.0), Change(0, False, 5.0), Change(0, True, 1.0)])
    assert master.program().columns == before + 2
    points = [extended.complete(np.array([x, 2.0])) for x in (2.0, 5.0, 6.0)]
    assert [admits(master, z) for z in points] == [False, True, True]


def test_what_holds_anyway_says_nothing() -> None:
    extended = with_bounds(moore90_extended(), 0, 2.0, 8.0)
    master = Master(extended)
    before = master.program().rows
    assert master.step([Change(0, False, 2.0), Change(1, False, 4.0)])
    master.answer(-4.0, [Change(0, False, 1.0)])
    assert master.program().rows == before


def test_constants_that_cannot_be_had() -> None:
    extended = with_bounds(moore90_extended(), 0, -np.inf, 8.0)
    master = Master(extended)
    assert not master.step([Change(0, False, 2.0), Change(1, False, 4.0)])
    with pytest.raises(RefusedError, match=r"no bound of a row of the follower[\s\S]*--solver scip"):
        master.answer(1.0, [Change(0, False, 2.0)])
