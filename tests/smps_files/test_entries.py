from __future__ import annotations

import pytest

from bilevel_lang.mps_files.mps_reading import read_mps
from bilevel_lang.smps_files.entries import Core
from bilevel_lang.smps_files.timing import Timing
from tests.smps_files.files import CORE

core = Core(read_mps(CORE, "core.cor")[0], CORE)


@pytest.mark.parametrize(
    ("names", "place", "value"),
    [
        (("y1", "serve"), (2, 1), 1.0),
        (("y1", "limit"), (2, 2), 0.0),
        (("x1", "profit"), (0, None), 1.0),
        (("RHS", "serve"), (None, 1), 3.0),
        (("RIGHT", "limit"), (None, 2), 4.0),
    ],
)
def test_what_the_core_has_there(names: tuple[str, str], place: tuple[int | None, int | None], value: float) -> None:
    entry, _ = core.find(*names)
    assert entry is not None
    assert (entry.column, entry.row) == place
    assert core.value(entry) == value


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("y1", "srve"), "the core has no row `srve`; did you mean `serve`?"),
        (("y9", "serve"), "the core has no column `y9`"),
        (("RHS", "profit"), "a constant"),
    ],
)
def test_what_the_core_does_not_have(names: tuple[str, str], said: str) -> None:
    entry, mistake = core.find(*names)
    assert entry is None
    assert said in mistake


def test_a_range_cannot_move() -> None:
    text = CORE.replace("ENDATA", "RANGES\n    R  serve  2\nENDATA")
    entry, mistake = Core(read_mps(text, "core.cor")[0], text).find("RHS", "serve")
    assert entry is None and "has a range" in mistake


def test_what_is_of_the_first_stage() -> None:
    timing = Timing(("ONE", "TWO"), 2, 1)
    early, late = core.find("RHS", "budget")[0], core.find("RHS", "serve")[0]
    assert early is not None and late is not None
    assert core.is_early(early, timing)
    assert not core.is_early(late, timing)
