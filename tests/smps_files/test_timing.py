from __future__ import annotations

import pytest

from bilevel_lang.errors import BilevelError, RefusedError
from bilevel_lang.mps_files.mps_reading import read_mps
from bilevel_lang.smps_files.timing import Timing, read_timing
from tests.smps_files.files import CORE, TIME

core = read_mps(CORE, "core.cor")[0]


def test_the_second_stage_begins_where_its_first_column_and_row_are() -> None:
    assert read_timing(TIME, "core.tim", core) == Timing(("ONE", "TWO"), 2, 1)
    assert read_timing(TIME.replace("PERIODS", "PERIODS IMPLICIT"), "core.tim", core).column == 2
    assert read_timing(TIME.replace("x1  budget  ONE", "x1  profit  ONE"), "core.tim", core).row == 1


MISTAKES = {
    ("y1  serve", "y9  serve"): ("core.tim:4:5", "the core has no column `y9`"),
    ("y1  serve", "y1  srve"): ("core.tim:4:9", "the core has no row `srve`"),
    ("  TWO", ""): ("core.tim:4:5", "a period has its first column"),
    ("x1  budget", "x1  nowhere"): ("core.tim:3:9", "the core has no row `nowhere`"),
    ("x1  budget", "x9  budget"): ("core.tim:3:5", "the core has no column `x9`"),
    ("x1  budget", "x2  budget"): ("core.tim:3:5", "column `x1` of the core stands before the first period"),
    ("x1  budget", "x1  serve"): ("core.tim:3:9", "row `budget` of the core stands before the first period"),
    ("TWO", "ONE"): ("core.tim:4:16", "a second period is called `ONE`"),
    ("ENDATA", "ENDATA\n    y2  limit  THREE"): ("core.tim:6:5", "text after ENDATA"),
    ("y1  serve", "x1  serve"): ("core.tim:4:5", "the second period begins at column `x1`, not after the first one's `x1`"),
    ("x1  budget  ONE\n    y1  serve", "x1  limit  ONE\n    y1  serve"): ("core.tim:4:9", "at row `serve`, before"),
    ("ENDATA", ""): ("core.tim:5", "no section ENDATA"),
    ("PERIODS", "PERIDOS"): ("core.tim:2:1", "`PERIDOS` is no section"),
}


@pytest.mark.parametrize(("change", "expected"), MISTAKES.items())
def test_mistakes(change: tuple[str, str], expected: tuple[str, str]) -> None:
    with pytest.raises(BilevelError) as caught:
        read_timing(TIME.replace(*change), "core.tim", core)
    assert expected[0] in str(caught.value)
    assert expected[1] in str(caught.value)
    assert all(d.help for d in caught.value.diagnostics)


def test_names_may_hold_blanks_in_the_fixed_format() -> None:
    rows = "ROWS\n N  profit\n L  budget\n G  ser ve\n"
    columns = "COLUMNS\n    x 1       profit    1.0            budget    1.0\n    y         ser ve    1.0\n"
    blanks = read_mps(f"NAME\n{rows}{columns}ENDATA\n", "core.cor")[0]
    periods = "    x 1       budget                   ONE\n    y         ser ve                   TWO\n"
    times = f"TIME          SMALL\nPERIODS\n{periods}ENDATA\n"
    assert read_timing(times, "core.tim", blanks) == Timing(("ONE", "TWO"), 1, 1)
    with pytest.raises(BilevelError, match="a period has its first column"):
        read_timing(times.replace("ONE", "ONE MORE THAN FITS IN"), "core.tim", blanks)


@pytest.mark.parametrize(
    "change", [("PERIODS", "PERIODS EXPLICIT"), ("ENDATA", "    y2  limit  THREE\nENDATA"), ("    y1  serve  TWO\n", "")]
)
def test_what_is_not_carried_out_is_refused(change: tuple[str, str]) -> None:
    with pytest.raises(RefusedError):
        read_timing(TIME.replace(*change), "core.tim", core)
