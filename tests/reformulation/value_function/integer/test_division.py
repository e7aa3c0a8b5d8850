from __future__ import annotations

import numpy as np

from bilevel_lang.reformulation.value_function.integer.directions import Directions
from bilevel_lang.reformulation.value_function.integer.disjunctions import Change, Disjunctions
from bilevel_lang.reformulation.value_function.integer.division import Division
from bilevel_lang.reformulation.value_function.integer.follower import Response
from bilevel_lang.reformulation.value_function.integer.part import Part, part_of
from bilevel_lang.solvers.solver import SolverOptions
from tests.reformulation.value_function.integer.programs import moore90_extended

EXTENDED = moore90_extended()


def part(low: float, up: float) -> Part:
    return part_of(EXTENDED, np.array([0]), np.array([low]), np.array([up]))


def division() -> Division:
    pool = Disjunctions(EXTENDED)
    for y in (1.0, 2.0):
        pool.add(Response(np.array([0.0, y]), y))
    return Division(EXTENDED, pool, None)


def test_the_answer_that_the_fewest_rows_can_block() -> None:
    # y = 1 is feasible for 3 <= x <= 8, y = 2 for 1 <= x <= 6; of y = 4 at x = 5 both are better.
    z = EXTENDED.complete(np.array([5.0, 4.0]))
    assert division().answer(z, part(0, 8)) == 0
    assert division().answer(z, part(1, 9)) == 1
    assert division().answer(EXTENDED.complete(np.array([5.0, 1.0])), part(0, 9)) is None


def test_children_of_an_answer_cover_what_it_allows() -> None:
    found = division()
    rows = found.blockers(0, part(0, 9))
    children = found.by_answer(0, rows)
    assert len(children) == len(rows) + 1
    assert found.reached(0) == Change(EXTENDED.value, True, 1.0)
    for x in range(10):
        for value in (1, 2):
            inside = [all(holds(change, x, value) for change in child) for child in children]
            # Outside 3..8 y = 1 is blocked; inside a value of 2 is not possible.
            assert any(inside) == (value == 1 or not 3 <= x <= 8)


def holds(change: Change, x: float, value: float) -> bool:
    at = value if change.column == EXTENDED.value else x
    return at <= change.bound if change.is_upper else at >= change.bound


def test_a_decision_and_all_others() -> None:
    children = division().by_decision(EXTENDED.complete(np.array([5.0, 1.0])), part(0, 9))
    for x in range(10):
        assert sum(all(holds(change, x, 0) for change in child) for child in children) == 1


def test_children_by_what_stops_a_step() -> None:
    pool = Disjunctions(EXTENDED)
    steps = Directions(EXTENDED, SolverOptions(), None)
    z = EXTENDED.complete(np.array([5.0, 4.0]))
    whole = part_of(EXTENDED, np.zeros(0, dtype=np.int64), np.zeros(0), np.zeros(0))
    children = Division(EXTENDED, pool, steps).by_step(z, whole, 99)
    assert children
    assert all(len(child) == 1 for child in children)
    # (5, 1) is the follower's answer at x = 5, so some child keeps it; (5, 4) is in none.
    kept = EXTENDED.complete(np.array([5.0, 1.0]))
    assert any(meets(child, kept) for child in children)
    assert not any(meets(child, z) for child in children)


def meets(child: list[Change], point: np.ndarray) -> bool:
    return all(point[c.column] <= c.bound if c.is_upper else point[c.column] >= c.bound for c in child)
