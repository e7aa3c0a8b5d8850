from __future__ import annotations

import numpy as np

from bilevel_lang.reformulation.value_function.integer.part import part_of
from tests.reformulation.value_function.integer.programs import moore90_extended


def test_bounds_by_meaning() -> None:
    extended = moore90_extended()
    part = part_of(extended, np.array([0, extended.value]), np.array([3.0, 1.0]), np.array([5.0, 2.0]))
    assert part.value == (1.0, 2.0)
    assert [bounds.tolist() for bounds in part.activities] == [[3.0], [5.0]]
    assert not part.decided
    # -25x + 20y <= 30, x + 2y <= 10, 2x - y <= 15, -2x - 10y <= -15: sigma is x or -x.
    low, up = part.sigma_range()
    assert low.tolist() == [-5, 3, 3, -5]
    assert up.tolist() == [-3, 5, 5, -3]
    # What is not watched keeps its bounds.
    assert part.lower[1] == extended.program.lower[1]
    assert part_of(extended, np.array([0]), np.array([4.0]), np.array([4.0])).decided
