from __future__ import annotations

import numpy as np
import pytest

from bilevel_lang.reformulation.nn_recourse.scout import Scouted
from bilevel_lang.reformulation.nn_recourse.weighing import true_share

RELAXED, ROUNDING = np.array([[5.0, 9.0, 2.0, 7.0], [6.0, 8.0, 3.0, 7.0]]), np.array([[0.0, 4.0, 1.0, 2.0], [3.0, 0.0, 2.0, 5.0]])
SCOUTED = [
    Scouted(bytes([k]), np.array([float(k)]), relaxed, 0.0, rounding)
    for k, (relaxed, rounding) in enumerate(zip(RELAXED, ROUNDING, strict=True))
]


@pytest.mark.parametrize(("slope", "found"), [(0.7, 0.7), (0.0, 0.0), (1.8, 1.0), (-0.4, 0.0)])
def test_the_share_is_the_slope_whatever_bounds_add_to_all_scenarios(slope: float, found: float) -> None:
    def least(number: int, x: np.ndarray) -> float:
        k = int(x[0])
        return float(RELAXED[k, number] + 30.0 + slope * ROUNDING[k, number])

    assert true_share(SCOUTED, np.array([3, 1, 0]), least) == pytest.approx(found)


def test_scenarios_without_a_whole_answer_are_left_out() -> None:
    def least(number: int, x: np.ndarray) -> float:
        k = int(x[0])
        return np.inf if number == 1 else float(RELAXED[k, number] + 0.5 * ROUNDING[k, number])

    assert true_share(SCOUTED, np.arange(4), least) == pytest.approx(0.5)


def test_without_bounds_time_or_decisions_there_is_no_share() -> None:
    assert true_share(SCOUTED, np.arange(4), lambda number, x: -np.inf) is None
    assert true_share(SCOUTED, np.arange(4), lambda number, x: None) is None
    assert true_share([], np.arange(4), lambda number, x: 0.0) is None
    plain = [Scouted(b"", np.zeros(1), np.zeros(4), 0.0)]
    assert true_share(plain, np.arange(4), lambda number, x: 1.0) == 0.0
    assert true_share(SCOUTED, np.arange(4), lambda number, x: np.inf) == 0.0
