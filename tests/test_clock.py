from __future__ import annotations

import pytest

from bilevel_lang.clock import Clock


def test_the_clock_counts_stages_and_skips_what_is_not_ours() -> None:
    clock = Clock()
    clock.tick("parse")
    clock.skip()
    clock.tick("solve")
    seconds = clock.seconds
    assert seconds["reformulate"] == 0.0
    assert seconds["total"] == pytest.approx(sum(v for k, v in seconds.items() if k != "total"))
