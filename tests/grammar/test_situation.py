from __future__ import annotations

import pytest
from lark.exceptions import UnexpectedInput

from bilevel_lang.grammar.parser import _lark
from bilevel_lang.grammar.situation import Situation, show, situation_of, ticked


def stopped(text: str) -> Situation:
    """The situation in which the parser stops reading ``text``."""
    with pytest.raises(UnexpectedInput) as caught:
        _lark().parse(text)
    return situation_of(text, caught.value)


def test_the_situation_in_a_statement() -> None:
    s = stopped("bilevel x\nmin obj # c\n y 3")
    assert (s.statement, s.culprit.text, s.before.text, s.complete, s.found_keyword) == ("min", "3", "y", True, False)
    assert {"NAME", "MINUS", "STAR", "$END", "BILEVEL"} <= s.accepts
    assert "NUMBER" not in s.accepts


def test_the_situation_at_the_end() -> None:
    s = stopped("min obj x(1, # c\n")
    assert (s.at_end, s.before.text, s.bracket, s.found) == (True, ",", 9, "but the annotation ends")


def test_a_closed_bracket_is_not_open() -> None:
    assert stopped("min obj x(1) 3").bracket is None


def test_a_keyword_counts_outside_of_brackets_or_first_on_its_line() -> None:
    assert stopped("min max x").found_keyword
    assert stopped("min obj x(1\nmax x").found_keyword
    assert not stopped("min obj x(1 max)").found_keyword


def test_blame_goes_behind_the_last_word_if_something_is_missing() -> None:
    s = stopped("min  \nvi F")
    finding = s.blame("fact", "mend")
    assert s.text[finding.start - 3 : finding.start] == "min"
    s = stopped("min 3")
    finding = s.blame("fact", "mend")
    assert s.text[finding.start : finding.end] == "3"


@pytest.mark.parametrize(
    ("text", "shown"),
    [("x", "`x`"), ("`", "a back-tick"), ("\x00", "the character U+0000"), ("\u200b", "the character U+200B (zero width space)")],
)
def test_show(text: str, shown: str) -> None:
    assert show(text) == shown


def test_ticked() -> None:
    assert ticked("a b") == "`` `a b` ``"
