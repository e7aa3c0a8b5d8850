from __future__ import annotations

import pytest

from bilevel_lang.errors import MpsSyntaxError, Source
from bilevel_lang.mps_files.complaints import Complaints
from bilevel_lang.mps_files.mps_reading import read_mps
from bilevel_lang.smps_files.entries import Core, Entry
from bilevel_lang.smps_files.timing import Timing
from tests.smps_files.files import CORE

core = Core(read_mps(CORE, "core.cor")[0])


def find(core: Core, column: str, row: str) -> Entry | None:
    """The entry; raises what is wrong with a line that names it."""
    complaints = Complaints(Source("model.sto", f" {column} {row} 1"))
    entry = core.find(column, row, 1, complaints)
    complaints.raise_errors()
    return entry


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
    entry = find(core, *names)
    assert entry is not None
    assert (entry.column, entry.row) == place
    assert core.value(entry) == value


@pytest.mark.parametrize(
    ("names", "place", "said", "mend"),
    [
        (("y1", "srve"), "model.sto:1:5", "the core has no row `srve`", "did you mean `serve`?"),
        (("y9", "serve"), "model.sto:1:2", "the core has no column `y9`", "name it as the core does"),
        (("RHS", "profit"), "model.sto:1:6", "a constant", "take it out"),
    ],
)
def test_what_the_core_does_not_have(names: tuple[str, str], place: str, said: str, mend: str) -> None:
    with pytest.raises(MpsSyntaxError) as caught:
        find(core, *names)
    (found,) = caught.value.diagnostics
    assert found.place == place
    assert said in found.message
    assert mend in found.help


def test_a_range_cannot_move() -> None:
    text = CORE.replace("ENDATA", "RANGES\n    R  serve  2\nENDATA")
    with pytest.raises(MpsSyntaxError, match="has a range"):
        find(Core(read_mps(text, "core.cor")[0]), "RHS", "serve")


def test_what_is_of_the_first_stage() -> None:
    timing = Timing(("ONE", "TWO"), 2, 1)
    early, late = find(core, "RHS", "budget"), find(core, "RHS", "serve")
    assert early is not None and late is not None
    assert core.is_early(early, timing)
    assert not core.is_early(late, timing)
