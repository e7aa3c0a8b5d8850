"""ROWS and COLUMNS, line by line."""

from __future__ import annotations

import pytest

from bilevel_lang.errors import MpsSyntaxError
from bilevel_lang.mps_files.mps_reading import read_mps
from tests.mps_files.instances import MPS


def test_markers_part_integer_columns_from_others() -> None:
    text = MPS.replace(" y obj", " M1 'MARKER' 'INTORG'\n y obj").replace("RHS\n", " M2 'MARKER' 'INTEND'\nRHS\n", 1)
    assert [c.integer for c in read_mps(text)[0].columns] == [False, True]


def test_explicit_zeros_are_no_terms_but_make_a_column() -> None:
    found, _ = read_mps(MPS.replace("RHS\n", " z cap 0\nRHS\n", 1))
    assert found.columns[2].name == "z"
    assert len(found.rows[0].terms) == 2


def test_a_row_name_that_is_nearly_right_is_suggested() -> None:
    with pytest.raises(MpsSyntaxError, match="did you mean `need`"):
        read_mps(MPS.replace("y need 3", "y neeed 3"))


@pytest.mark.parametrize("line", [" M 'MARKER'", " M x 'MARKER'", " M 'MARKER' 'INTORGX'"])
def test_broken_markers(line: str) -> None:
    with pytest.raises(MpsSyntaxError, match="mps>:7:"):
        read_mps(MPS.replace("COLUMNS\n", f"COLUMNS\n{line}\n"))
