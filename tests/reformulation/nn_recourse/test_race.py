from __future__ import annotations

import numpy as np
import pytest

from bilevel_lang.reformulation.nn_recourse.race import Runner
from bilevel_lang.solvers.program import Floats

TRUE = np.array([4.0, 5.0, 3.0, 6.0, 4.0, 5.0, 3.0, 6.0, 4.0, 5.0])


def runner() -> Runner:
    """Relaxed costs one below the true ones, which are solved to a proven half."""
    return Runner(b"a", np.ones(1), 10.0, TRUE - 1.0, np.full(10, 0.1), np.arange(10))


def solve(number: int, x: Floats) -> tuple[float, float]:
    return float(TRUE[number]), float(TRUE[number]) - 0.5


def test_bounds_rise_to_what_is_proven_and_the_estimate_is_that_of_the_scenarios_seen() -> None:
    one = runner()
    assert one.least == pytest.approx(13.5)
    assert one.estimate() == (pytest.approx(13.5), np.inf)
    for _ in range(4):
        assert one.step(solve)
    assert one.least == pytest.approx(13.7)
    assert one.estimate() == (pytest.approx(14.5), pytest.approx(0.0))
    assert not one.finished
    for _ in range(6):
        one.step(solve)
    assert one.finished
    assert one.second == pytest.approx(4.5)
    assert one.least == pytest.approx(14.0)


def test_hopeless_is_said_after_enough_scenarios_alone() -> None:
    one = runner()
    for _ in range(7):
        one.step(solve)
    assert not one.hopeless(14.0)
    one.step(solve)
    assert one.hopeless(14.0)
    assert not one.hopeless(15.0)


def test_no_time_leaves_it_as_it_is() -> None:
    one = runner()
    assert not one.step(lambda number, x: None)
    assert one.done == 0
