from __future__ import annotations

import numpy as np
import pytest

from bilevel_lang.reformulation.value_function.integer.extended import extend
from bilevel_lang.reformulation.value_function.integer.leader_best import LeaderBest
from bilevel_lang.solvers.solver import SolverOptions, Termination
from tests.reformulation.value_function.integer.enumeration import points, random_program
from tests.reformulation.value_function.integer.programs import moore90_extended


def test_moore90_at_two() -> None:
    # At x = 2 the rows leave y in 2, 3, 4 (by hand); the leader wants the largest y, as far as the value may go.
    oracle = LeaderBest(moore90_extended(), SolverOptions())
    z = np.array([2.0, 0, 0, 0, 0, 0, 0, 0, 0])[: moore90_extended().program.columns]
    at_three = oracle.solve(z, 3.0, np.inf)
    assert at_three.x is not None
    assert oracle.point(z, at_three.x)[:2].tolist() == [2, 3]
    # -2 - 10 * 3 = -32 is the best with a value of at most 3.
    assert oracle.solve(z, 3.0, -33.0).termination is Termination.INFEASIBLE
    assert oracle.solve(z, 1.0, np.inf).termination is Termination.INFEASIBLE


@pytest.mark.parametrize("seed", range(40))
def test_random_programs_by_enumeration(seed: int) -> None:
    tiny = random_program(seed)
    extended = extend(tiny)
    if extended.infeasible:
        return
    oracle, box, z = LeaderBest(extended, SolverOptions()), tiny.relaxation, points(tiny)
    body = z @ box.matrix.toarray().T
    feasible = z[((body >= box.row_lower - 1e-9) & (body <= box.row_upper + 1e-9)).all(axis=1)]
    cost = box.sense * feasible @ box.cost
    for point in points(tiny)[::7]:
        same = (feasible[:, extended.links] == point[extended.links]).all(axis=1)
        value = float(np.median(feasible[same] @ extended.value_cost)) if same.any() else 0.0
        allowed = same & (feasible @ extended.value_cost <= value + 1e-9)
        found = oracle.solve(extended.complete(point), value, np.inf)
        assert (found.termination is Termination.OPTIMAL) == bool(allowed.any())
        if found.x is not None:
            there = oracle.point(extended.complete(point), found.x)
            assert extended.program.violation(there) <= 1e-6
            assert box.sense * float(box.cost @ there[: extended.n]) == pytest.approx(cost[allowed].min(), abs=1e-6)
