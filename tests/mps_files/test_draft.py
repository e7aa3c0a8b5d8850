"""The rules that complete rows and bounds (IBM's MPSX; checked against HiGHS, which follows them)."""

from __future__ import annotations

import math
from pathlib import Path

import highspy
import pytest

from bilevel_lang.mps_files.mps_reading import read_mps

TEXT = """\
NAME t
ROWS
 N obj
 {kind} r
COLUMNS
 x obj 1 r 1
RHS
 rhs r 4 obj 5
RANGES
 rng r {span}
ENDATA
"""


@pytest.mark.parametrize(
    ("kind", "span", "sides"),
    [("E", 2, (4, 6)), ("E", -2, (2, 4)), ("L", 3, (1, 4)), ("L", -3, (1, 4)), ("G", 3, (4, 7)), ("G", -3, (4, 7))],
)
def test_ranges_and_the_constant(kind: str, span: int, sides: tuple[int, int], tmp_path: Path) -> None:
    text = TEXT.format(kind=kind, span=span)
    found, _ = read_mps(text)
    assert (found.rows[0].lower, found.rows[0].upper, found.constant) == (*sides, -5)
    (tmp_path / "t.mps").write_text(text)
    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    highs.readModel(str(tmp_path / "t.mps"))
    lp = highs.getLp()
    assert (lp.row_lower_[0], lp.row_upper_[0], lp.offset_) == (*sides, -5)


BOUNDED = """\
NAME t
ROWS
 N obj
COLUMNS
 x obj 1
 M 'MARKER' 'INTORG'
 i obj 1
 N 'MARKER' 'INTEND'
BOUNDS
{lines}
ENDATA
"""
INF = math.inf


@pytest.mark.parametrize(
    ("lines", "x", "i"),
    [
        ("", (0, INF, False), (0, 1, True)),
        (" UP b x 4\n UP b i 7", (0, 4, False), (0, 7, True)),
        (" LO b i 2", (0, INF, False), (2, INF, True)),
        (" FR b x\n PL b i", (-INF, INF, False), (0, INF, True)),
        (" MI b x\n UP b x -2", (-INF, -2, False), (0, 1, True)),
        (" LI b x -3\n UI b x 3", (-3, 3, True), (0, 1, True)),
        (" BV b x\n FX b i 5", (0, 1, True), (5, 5, True)),
        (" UP b x 1e30\n UP i 4", None, None),
    ],
)
def test_bounds(lines: str, x: tuple[float, float, bool] | None, i: tuple[float, float, bool] | None, tmp_path: Path) -> None:
    text = BOUNDED.format(lines=lines)
    if x is None or i is None:
        # One set with a name and one without are two sets.
        with pytest.raises(Exception, match="second set"):
            read_mps(text)
        return
    found, notices = read_mps(text)
    assert [(c.lower, c.upper, c.integer) for c in found.columns] == [x, i]
    assert bool(notices) == (" b i" not in lines)
    (tmp_path / "t.mps").write_text(text)
    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    highs.readModel(str(tmp_path / "t.mps"))
    lp = highs.getLp()
    assert [(lp.col_lower_[j], lp.col_upper_[j]) for j in (0, 1)] == [x[:2], i[:2]]


def test_a_further_n_row_is_left_out_and_told() -> None:
    found, notices = read_mps(TEXT.format(kind="E", span=1).replace(" E r", " E r\n N free"))
    assert ([r.name for r in found.rows], found.free_rows) == (["r"], 1)
    assert "second N row" in notices[0].message
