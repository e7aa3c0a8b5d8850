from __future__ import annotations

import time

import numpy as np
import pytest

from bilevel_lang.reformulation.nn_recourse import time_shares
from bilevel_lang.reformulation.nn_recourse.time_shares import TimeShares


def test_shares_are_of_what_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(time_shares.time, "perf_counter", lambda: now[0])
    shares = TimeShares.of(10.0)
    assert shares.deadline == 110.0
    assert (shares.seconds(), shares.seconds(0.5), shares.until(0.5)) == (10.0, 5.0, 105.0)
    now[0] = 106.0
    assert (shares.seconds(0.5), shares.until(0.5), shares.over) == (2.0, 108.0, False)
    now[0] = 110.0
    assert (shares.seconds(), shares.until(1.0), shares.over) == (0.0, 110.0, True)
    now[0] = 111.0
    assert shares.seconds() == 0.0


def test_without_a_limit_nothing_is_over() -> None:
    shares = TimeShares.of(None)
    assert (shares.deadline, shares.seconds(0.1), shares.until(0.1), shares.over) == (None, np.inf, None, False)
    assert TimeShares(time.perf_counter() - 1).over
