"""MPS texts: what they mean, and what is said of broken ones."""

from __future__ import annotations

import math

import highspy
import pytest

from bilevel_lang.errors import BilevelError, MpsSyntaxError, RefusedError
from bilevel_lang.mps_files.instance import Column, Row
from bilevel_lang.mps_files.mps_reading import read_mps
from tests.mps_files.instances import DATA, MPS, NAMES


def test_a_small_file() -> None:
    found, notices = read_mps(MPS)
    assert (found.name, found.sense, found.constant, notices) == ("tiny", 1, 0.0, ())
    assert found.columns == (Column("x", 0.0, 3.0, False, 1.0), Column("y", 0.0, math.inf, False, -2.0))
    assert found.rows == (Row("cap", -math.inf, 4.0, ((0, 1.0), (1, 1.0))), Row("need", 0.0, math.inf, ((1, 3.0),)))


@pytest.mark.parametrize("text", ["OBJSENSE\n MAX\n", "OBJSENSE MAX\n", "OBJSENSE\nMAXIMIZE\n", "OBJSENSE\n max\n"])
def test_the_sense(text: str) -> None:
    assert read_mps(MPS.replace("ROWS\n", text + "ROWS\n", 1))[0].sense == -1


@pytest.mark.parametrize("name", NAMES)
def test_highs_reads_the_same(name: str) -> None:
    path = DATA / f"{name}.mps"
    found, _ = read_mps(path.read_text(encoding="utf-8"))
    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    highs.readModel(str(path))
    lp = highs.getLp()
    assert [*zip(lp.col_names_, lp.col_lower_, lp.col_upper_, lp.col_cost_, strict=True)] == [
        (c.name, c.lower, c.upper, c.cost) for c in found.columns
    ]
    assert [*zip(lp.row_names_, lp.row_lower_, lp.row_upper_, strict=True)] == [(r.name, r.lower, r.upper) for r in found.rows]
    starts, index, value = lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_
    theirs = {(index[k], j): value[k] for j in range(len(found.columns)) for k in range(starts[j], starts[j + 1])}
    assert theirs == {(i, j): c for i, row in enumerate(found.rows) for j, c in row.terms}


def test_fixed_format_with_blanks_in_names() -> None:
    text = (
        "NAME          two words\n"
        "ROWS\n N  my obj\n L  row 1\n"
        "COLUMNS\n"
        "    col 1     my obj             1.0   row 1              2.0\n"
        "RHS\n    RHS       row 1              4.0\n"
        "BOUNDS\n UP BND       col 1              3.0\n"
        "ENDATA\n"
    )
    found, notices = read_mps(text)
    assert found.columns == (Column("col 1", 0.0, 3.0, False, 1.0),)
    assert found.rows == (Row("row 1", -math.inf, 4.0, ((0, 2.0),)),)
    assert "fixed format" in notices[0].message


BROKEN = [
    (MPS.replace("ENDATA\n", ""), 13, "there is no section ENDATA"),
    (MPS[: MPS.index("COLUMNS")], 5, "there is no section COLUMNS"),
    ("", 1, "there is no section ROWS"),
    (MPS.replace("RHS\n", "RSH\n", 1), 10, "`RSH` is no section"),
    (MPS.replace("BOUNDS\n", "BOUNDS\nBOUNDS\n"), 13, "a second time"),
    (MPS.replace(" x obj 1 cap 1", " x obj one cap 1"), 7, "`one` is not a finite number"),
    (MPS.replace(" x obj 1 cap 1", " x obj 1 cpa 1"), 7, "there is no row `cpa`"),
    (MPS.replace(" x obj 1 cap 1", " x obj 1 cap"), 7, "one or two pairs"),
    (MPS.replace(" x obj 1 cap 1", " x obj 1 obj 1"), 7, "two entries in row `obj`"),
    (MPS.replace(" G need", " G cap"), 5, "row `cap` is declared twice"),
    (MPS.replace(" G need", " K need"), 5, "`K` is no kind of row"),
    (MPS.replace(" N obj", " L obj"), 14, "there is no N row"),
    (MPS.replace(" y need 3", " x need 3"), 9, "column `x` comes a second time"),
    (MPS.replace(" rhs cap 4", " rhs cap 4\n rhs cap 5"), 12, "second right-hand side"),
    (MPS.replace(" rhs cap 4", " rhs cap nan"), 11, "`nan` is not a number"),
    (MPS.replace(" UP bnd x", " UP bnd z"), 13, "there is no column `z`"),
    (MPS.replace(" UP bnd x 3", " UP bnd x"), 13, "there is no"),
    (MPS.replace(" UP bnd x 3", " XX bnd x 3"), 13, "`XX` is no kind of bound"),
    (MPS.replace(" UP bnd x 3", " UP bnd x -3"), 13, "some readers take 0, others none"),
    (MPS.replace(" UP bnd x 3", " UP bnd x 3\n UP bnd x 4"), 14, "has this bound already"),
    (MPS.replace("ROWS", "OBJSENSE\n UPWARDS\nROWS", 1), 3, "`UPWARDS` is no sense"),
    (MPS + "x\n", 15, "text after ENDATA"),
    (MPS.replace("COLUMNS\n", "COLUMNS\n M 'MARKER' 'INTORG'\n"), 7, "has no 'INTEND'"),
    (MPS.replace("COLUMNS\n", "COLUMNS\n M 'MARKER' 'INTEND'\n"), 7, "only 'INTORG' can"),
]


@pytest.mark.parametrize(("text", "line", "said"), BROKEN, ids=[said for *_, said in BROKEN])
def test_broken_files_are_told_with_their_lines(text: str, line: int, said: str) -> None:
    with pytest.raises(MpsSyntaxError) as caught:
        read_mps(text, "tiny.mps")
    assert caught.value.exit_code == 2
    places = {(d.span.line if d.span else 0) for d in caught.value.diagnostics if said in d.message}
    assert line in places, str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (MPS.replace("ENDATA", "QUADOBJ\n x x 1\nENDATA"), "QUADOBJ"),
        (MPS.replace("ENDATA", "SOS\n S1 s\nENDATA"), "SOS"),
        (MPS.replace(" UP bnd x", " SC bnd x"), "semi-continuous"),
        (MPS.replace(" rhs cap 4", " rhs cap 4\n other cap 5"), "second set of right-hand sides"),
        (MPS.replace("COLUMNS\n", "COLUMNS\n M 'MARKER' 'SOSORG'\n"), "ordered sets"),
    ],
)
def test_what_is_understood_and_not_carried_out_is_refused(text: str, said: str) -> None:
    with pytest.raises(RefusedError, match=said) as caught:
        read_mps(text, "tiny.mps")
    assert caught.value.diagnostics[0].place.startswith("tiny.mps:")


def test_all_mistakes_come_at_once() -> None:
    with pytest.raises(BilevelError) as caught:
        read_mps(MPS.replace("cap 4", "cap four").replace("bnd x", "bnd z"))
    assert [d.span.line for d in caught.value.diagnostics if d.span] == [11, 13]
