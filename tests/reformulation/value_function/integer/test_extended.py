from __future__ import annotations

import pytest

from bilevel_lang.reformulation.value_function.integer.extended import extend
from tests.reformulation.value_function.integer.enumeration import points, random_program
from tests.reformulation.value_function.integer.programs import INF, moore90, program


def test_bounds_of_moore90() -> None:
    # By hand: x = 8, y = 1 has the largest x; (2, 4) the largest y.
    found = extend(moore90())
    assert (found.program.lower[:2] >= 0).all()
    assert found.program.upper[:2].tolist() == [8, 4]
    assert found.value_whole


@pytest.mark.parametrize("seed", range(60))
def test_no_point_of_the_relaxation_is_lost(seed: int) -> None:
    tiny = random_program(seed)
    found = extend(tiny)
    box, z = tiny.relaxation, points(tiny)
    body = z @ box.matrix.toarray().T
    feasible = z[((body >= box.row_lower - 1e-9) & (body <= box.row_upper + 1e-9)).all(axis=1)]
    if found.infeasible:
        assert len(feasible) == 0
    for point in feasible:
        full = found.complete(point)
        assert (full >= found.program.lower - 1e-9).all()
        assert (full <= found.program.upper + 1e-9).all()
        assert found.program.violation(full) <= 1e-9


def test_a_unit_makes_the_value_whole() -> None:
    halves = program([1, 1, 1], [[1, 1, 1]], [(1, INF)], [0.5, 1.5], [(0, 3)] * 3)
    found = extend(halves)
    assert found.value_whole
    assert found.value_scale == 0.5
    assert found.value_cost.tolist() == [0, 1, 3]
