"""Lines become fields, in both formats."""

from __future__ import annotations

import pytest

from bilevel_lang.mps_files.cards import cards, fixed, free


@pytest.mark.parametrize(
    ("section", "text", "fields"),
    [
        ("RHS", " r1 4", ["", "r1", "4"]),
        ("RHS", " rhs r1 4 r2 5", ["rhs", "r1", "4", "r2", "5"]),
        ("BOUNDS", " UP x 4", ["UP", "", "x", "4"]),
        ("BOUNDS", " UP b x 4", ["UP", "b", "x", "4"]),
        ("BOUNDS", " FR x", ["FR", "", "x"]),
        ("BOUNDS", " FR b x", ["FR", "b", "x"]),
        ("COLUMNS", " x r1 4", ["x", "r1", "4"]),
    ],
)
def test_the_name_of_a_set_may_be_missing(section: str, text: str, fields: list[str]) -> None:
    assert free(section, text) == (fields, "")


@pytest.mark.parametrize(
    ("section", "text", "fields"),
    [
        ("ROWS", " L  my row", ["L", "my row"]),
        ("COLUMNS", "    a b       my row             1.5   other          -2", ["a b", "my row", "1.5", "other", "-2"]),
        ("COLUMNS", "    M1        'MARKER'                 'INTORG'", ["M1", "'MARKER'", "'INTORG'"]),
        ("RHS", "              my row               4", ["", "my row", "4"]),
        ("BOUNDS", " UP BND       a b                  4", ["UP", "BND", "a b", "4"]),
        ("BOUNDS", " FR BND       a b", ["FR", "BND", "a b"]),
    ],
)
def test_fixed_format_goes_by_columns(section: str, text: str, fields: list[str]) -> None:
    assert fixed(section, text) == (fields, "")


def test_text_between_the_fields_is_no_fixed_format() -> None:
    assert "between" in fixed("ROWS", " L  longname9")[1]


def test_comments_blank_lines_and_headers() -> None:
    found = list(cards(["* text", "", "NAME a b", "OBJSENSE", "MAX", "ROWS", " N o"], free))
    assert [(c.line, c.header, c.fields) for c in found] == [
        (3, "NAME", ["a b"]),
        (4, "OBJSENSE", []),
        (5, None, ["MAX"]),
        (6, "ROWS", []),
        (7, None, ["N", "o"]),
    ]
