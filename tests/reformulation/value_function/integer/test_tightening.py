from __future__ import annotations

import numpy as np

from bilevel_lang.reformulation.value_function.integer.tightening import propagated, tightened
from tests.reformulation.value_function.integer.programs import INF, program


def test_propagation_with_infinite_bounds() -> None:
    both = program([0, 0, 0], [[1, 1, 1]], [(-INF, 4)], [1], [(0, INF), (0, INF), (-INF, INF)])
    narrow, crossed = propagated(both.relaxation)
    assert not crossed
    # The third may be as low as it likes, so the others have no bound from the row; they are at least 0, so it has.
    assert narrow.upper.tolist() == [INF, INF, 4.0]


def test_contradictions_are_seen() -> None:
    crossed = program([0, 0], [[2, 2]], [(9, 9)], [1], [(0, 2), (0, 2)])
    assert tightened(crossed.relaxation, np.array([0]))[1]
