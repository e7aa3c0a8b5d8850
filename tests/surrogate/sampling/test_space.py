"""The box of the inputs: whole numbers, missing bounds, points from the unit cube."""

from __future__ import annotations

import numpy as np
import pytest

from bilevel_lang.errors import RefusedError
from bilevel_lang.surrogate.sampling.space import InputSpace, box


def mixed() -> InputSpace:
    """A continuous input in [-1, 3], a whole one from 0.2 to 4.7, a binary."""
    lower, upper = np.array([-1.0, 0.2, 0.0]), np.array([3.0, 4.7, 1.0])
    return InputSpace(("a", "b", "c"), lower, upper, np.array([False, True, True]))


def test_bounds_of_whole_inputs_are_whole() -> None:
    space = mixed()
    assert space.lower.tolist() == [-1, 1, 0] and space.upper.tolist() == [3, 4, 1]
    assert space.binary.tolist() == [False, False, True]


def test_the_unit_cube_is_spread_evenly_over_whole_numbers() -> None:
    unit = np.tile((np.arange(400) + 0.5)[:, None] / 400, 3)
    points = mixed().from_unit(unit)
    assert np.unique(points[:, 1], return_counts=True)[1].tolist() == [100, 100, 100, 100]
    assert np.unique(points[:, 2], return_counts=True)[1].tolist() == [200, 200]
    assert points[0, 0] == pytest.approx(-1 + 4 * 0.5 / 400)
    assert mixed().from_unit(np.ones((1, 3)))[0].tolist() == [pytest.approx(3.0), 4.0, 1.0]


def test_what_is_without_bounds_is_named() -> None:
    lower, upper = np.array([0.0, -np.inf, -np.inf]), np.array([np.inf, 1.0, np.inf])
    with pytest.raises(RefusedError) as caught:
        InputSpace(("p", "q", "r"), lower, upper, np.zeros(3, dtype=bool)).from_unit(np.zeros((1, 3)))
    text = str(caught.value)
    assert "`p` has no upper bound" in text and "`q` has no lower bound" in text and "`r` has no lower and no upper" in text


def test_of_many_without_bounds_the_first_are_named() -> None:
    with pytest.raises(RefusedError, match="so have 2 more"):
        box([f"x{k}" for k in range(7)], upper=np.inf).require_bounds()


def test_rounding_stays_in_the_box() -> None:
    assert mixed().rounded(np.array([[9.0, 4.6, 0.4]])).tolist() == [[3.0, 4.0, 0.0]]


def test_membership() -> None:
    points = np.array([[0.0, 2.0, 1.0], [0.0, 2.5, 1.0], [4.0, 2.0, 1.0], [3.0 + 1e-10, 2.0, 1.0]])
    assert mixed().contains(points).tolist() == [True, False, False, True]


def test_a_part_of_the_box() -> None:
    part = mixed().within(np.array([0.0, 2.0, 0.0]), np.array([9.0, 2.0, 1.0]))
    assert part.lower.tolist() == [0, 2, 0] and part.upper.tolist() == [3, 2, 1]
    with pytest.raises(ValueError, match="b has no value"):
        mixed().within(np.array([0.0, 2.2, 0.0]), np.array([1.0, 2.8, 1.0]))


def test_shapes_have_to_fit() -> None:
    with pytest.raises(ValueError, match="2 inputs"):
        InputSpace(("a", "b"), np.zeros(1), np.ones(2), np.zeros(2, dtype=bool))
