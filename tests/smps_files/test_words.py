from __future__ import annotations

from bilevel_lang.smps_files.words import at_blanks, at_columns


def test_words_are_parted_by_blanks_and_quotation_marks() -> None:
    assert at_blanks("SCENARIOS", " SC S1 'ROOT' 0.5\tTWO") == (["SC", "S1", "ROOT", "0.5", "TWO"], "")
    assert at_blanks("INDEP", "  ' ") == ([], "")


def test_fields_have_their_columns() -> None:
    line = "    x 1       ser ve                   STAGE 1"
    assert at_columns("PERIODS", line) == (["x 1", "ser ve", "STAGE 1"], "")
    assert at_columns("SCENARIOS", " SC S 1       'ROOT'    0.25           TWO") == (["SC", "S 1", "ROOT", "0.25", "TWO"], "")


def test_text_between_the_columns_is_told() -> None:
    assert at_columns("PERIODS", "    longer_than_eight  serve  TWO")[1] != ""
