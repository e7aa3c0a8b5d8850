from __future__ import annotations

import numpy as np
import pytest

from bilevel_lang.reformulation.stochastic.ranges import column_ranges, row_ranges
from tests.reformulation.stochastic.test_extensive import arrays_of_text
from tests.stochastic_models import LATE, RISKY, THREE, newsvendor, newsvendor_with_profit


def test_columns_without_bounds_get_those_that_their_rows_give_in_each_scenario() -> None:
    arrays = arrays_of_text(newsvendor(), THREE + LATE)
    low, up = column_ranges(arrays)
    assert low[:, 0] == pytest.approx([0, 0, 0], abs=1e-6)
    assert sorted(up[0]) == pytest.approx([90, 90, 200, 200], rel=1e-6)
    assert sorted(up[2]) == pytest.approx([30, 30, 200, 200], rel=1e-6)


def test_no_feasible_answer_is_outside() -> None:
    arrays = arrays_of_text(newsvendor_with_profit(), RISKY)
    low, up = column_ranges(arrays)
    profit = len(arrays.first.lower) + int(np.flatnonzero(arrays.cost)[0])
    for x in (0.0, 60.0, 200.0):
        for number, d in enumerate((90.0, 60.0, 30.0)):
            value = 60 * min(x, d) - 30 * x - 10 * max(x - d, 0) - 5 * max(d - x, 0)
            assert low[number, profit] - 1e-6 <= value <= up[number, profit] + 1e-6


def test_rows_left_out_give_nothing() -> None:
    arrays = arrays_of_text(newsvendor(), THREE + LATE)
    _, up = column_ranges(arrays, (0, 1))
    assert np.isinf(up[:, 1:]).all()
    least, most = row_ranges(arrays, (0,), column_ranges(arrays, (1,)))
    assert most[:, 0] == pytest.approx([180, 120, 60], rel=1e-6)
    assert least[:, 0] == pytest.approx([0, 0, 0], abs=1e-6)
