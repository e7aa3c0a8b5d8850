from __future__ import annotations

import numpy as np
import pytest

from bilevel_lang.reformulation.value_function.integer.arrays import NotIntegerError, integer_multiple, linked_rows
from tests.reformulation.value_function.integer.enumeration import points, random_program
from tests.reformulation.value_function.integer.programs import INF, moore90, program


@pytest.mark.parametrize(
    ("coefficients", "scale", "integers"),
    [([2, 4], 2.0, [1, 2]), ([0.1, 0.25], 0.05, [2, 5]), ([-3, 6], 3.0, [-1, 2]), ([1 / 3, 1], 1 / 3, [1, 3])],
)
def test_coefficients_have_a_common_unit(coefficients: list[float], scale: float, integers: list[int]) -> None:
    found, whole = integer_multiple(np.array(coefficients), np.arange(len(coefficients)))
    assert found == pytest.approx(scale)
    assert whole.tolist() == integers


def test_irrational_coefficients_have_none() -> None:
    with pytest.raises(NotIntegerError, match="no fraction"):
        integer_multiple(np.array([np.sqrt(2)]), np.array([0]))


def test_a_continuous_linking_column_is_named() -> None:
    mixed = program([1, 1], [[1, 1]], [(1, INF)], [1], [(0, 3), (0, 3)], integer=[False, True])
    with pytest.raises(NotIntegerError) as caught:
        linked_rows(mixed)
    assert (caught.value.column, caught.value.reason) == (0, "is continuous")


def test_rows_with_columns_of_one_side_only_do_not_link() -> None:
    alone = program([1, 1], [[1, 0], [0, 1]], [(1, INF), (1, INF)], [1], [(0, 3), (0, 3)])
    assert len(linked_rows(alone)) == 0
    assert not alone.linking().any()


@pytest.mark.parametrize("seed", range(40))
def test_thresholds_say_where_an_answer_is_feasible(seed: int) -> None:
    # Against the rows themselves, at every point of the box.
    tiny = random_program(seed)
    rows = linked_rows(tiny)
    box, z = tiny.relaxation, points(tiny)
    linked = np.abs(box.matrix.toarray()[:, ~tiny.follower]).sum(axis=1) > 0
    linked &= np.abs(box.matrix.toarray()[:, tiny.follower]).sum(axis=1) > 0
    mine = linked & tiny.follower_rows
    for point in z[:: max(1, len(z) // 60)]:
        body = box.matrix @ point
        holds = ((body >= box.row_lower - 1e-9) & (body <= box.row_upper + 1e-9))[mine].all()
        y = np.where(tiny.follower, point, 0.0)
        assert bool((rows.sigma(point) <= rows.thresholds(y)).all()) == bool(holds)


def test_ranges_of_sigma_follow_the_sign() -> None:
    rows = linked_rows(moore90())
    low, up = rows.sigma_range(np.zeros(1), np.full(1, 8.0))
    # -25x, x, 2x, -2x all are multiples of x.
    assert low.tolist() == [-8, 0, 0, -8]
    assert up.tolist() == [0, 8, 8, 0]
    assert rows.scale.tolist() == [25, 1, 2, 2]
