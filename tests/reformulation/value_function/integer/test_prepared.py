from __future__ import annotations

import numpy as np

from bilevel_lang.reformulation.value_function.integer.prepared import Incumbent, with_best
from bilevel_lang.solvers.matrix import MatrixRun
from bilevel_lang.solvers.solver import Termination
from tests.reformulation.value_function.integer.programs import moore90_extended

EXTENDED = moore90_extended()
BEST = EXTENDED.complete(np.array([2.0, 2.0 + 1e-9]))


def test_the_better_point_wins_and_whole_columns_are_whole() -> None:
    worse = EXTENDED.complete(np.array([1.0, 2.0]))
    run = MatrixRun(Termination.LIMIT, "solver", x=worse, objective=-21.0, bound=-30.0)
    found = with_best(run, EXTENDED, BEST)
    assert (found.objective, found.bound, found.termination) == (-22.0, -30.0, Termination.LIMIT)
    assert found.x is not None
    assert found.x[:2].tolist() == [2, 2]


def test_what_the_solver_has_stays_where_it_is_better() -> None:
    run = MatrixRun(Termination.LIMIT, "solver", x=BEST, objective=-24.0, bound=-30.0)
    assert with_best(run, EXTENDED, BEST) is run
    assert with_best(run, EXTENDED, None) is run


def test_nothing_better_than_a_known_point_is_no_infeasibility() -> None:
    found = with_best(MatrixRun(Termination.INFEASIBLE, "solver"), EXTENDED, BEST)
    assert (found.termination, found.objective, found.bound) == (Termination.OPTIMAL, -22.0, -22.0)


def test_the_incumbent_is_the_best_point_offered() -> None:
    incumbent = Incumbent(EXTENDED)
    for y, x in ((2.0, 1.0), (2.0, 2.0), (1.0, 8.0)):
        incumbent.offer(EXTENDED.complete(np.array([x, y])))
    assert incumbent.objective == -22
    assert incumbent.point is not None
    assert incumbent.point[:2].tolist() == [2, 2]
