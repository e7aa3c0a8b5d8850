from __future__ import annotations

import numpy as np

from bilevel_lang.reformulation.value_function.integer.directions import Directions
from bilevel_lang.reformulation.value_function.integer.disjunctions import Disjunctions
from bilevel_lang.reformulation.value_function.integer.extended import Extended, extend
from bilevel_lang.reformulation.value_function.integer.features import Features
from bilevel_lang.reformulation.value_function.integer.follower import Follower
from bilevel_lang.reformulation.value_function.integer.part import part_of
from bilevel_lang.reformulation.value_function.integer.separation import Separation
from bilevel_lang.solvers.solver import SolverOptions
from bilevel_lang.solvers.tree_judge import Vertex
from tests.reformulation.value_function.integer.programs import knapsack, moore90_extended


def separation(extended: Extended, features: Features) -> Separation:
    follower = Follower(extended, SolverOptions())
    return Separation(extended, follower, Disjunctions(extended), Directions(extended, SolverOptions(), None), features)


def test_an_answer_is_looked_for_where_none_is_known() -> None:
    # Half of item 1 forbidden: with 3 of it left the follower takes items 2 and 3 (9 = 5 + 4), or 1 and 2 at 3 + 5 = 8.
    extended = extend(knapsack())
    z = extended.complete(np.array([0.5, 0, 0, 0.5, 0, 0]))
    (cut, *_) = separation(extended, Features()).value_cuts(z)
    assert cut.coefficients @ z[cut.columns] > cut.upper
    unit = cut.coefficients[cut.columns == extended.value][0]
    # Value <= -9 + 5 x2 + 4 x3.
    assert cut.upper / unit == -9
    assert separation(extended, Features(priced=False)).value_cuts(z) == []


def test_a_decision_that_is_known_is_cut_off_and_its_neighbours_stay() -> None:
    extended = moore90_extended()
    z = extended.complete(np.array([6.0, 2.0]))
    p = extended.program
    # The vertex with x and y nonbasic at bounds of 6 and 2, all rows slack.
    columns = np.arange(p.columns)
    local_low, local_up = p.lower.copy(), p.upper.copy()
    local_low[:2] = z[:2]
    at = Vertex(
        columns=columns,
        x=z,
        lower=local_low,
        upper=local_up,
        status=np.where(columns < 2, -1, 0),
        matrix=p.matrix.toarray(),
        row_lower=p.row_lower,
        row_upper=p.row_upper,
        row_status=np.where(p.row_lower == p.row_upper, -1, 0),
    )
    everywhere = part_of(extended, np.zeros(0, dtype=np.int64), np.zeros(0), np.zeros(0))
    cuts = separation(extended, Features(directions=False)).around(z, everywhere, lambda: at)
    assert len(cuts) == 1
    (cut,) = cuts
    assert cut.local
    for x, kept in ((6.0, False), (7.0, True)):
        point = extended.complete(np.array([x, 2.0]))
        assert (cut.coefficients @ point[cut.columns] >= cut.lower - 1e-9) == kept
