from __future__ import annotations

import re

import pytest

from bilevel_lang.errors import Diagnostic, EmpSyntaxError
from bilevel_lang.grammar.parser import parse

from .test_mistakes import mistakes_of
from .test_parser import KNOWN


def mistakes_or_none(text: str) -> tuple[Diagnostic, ...]:
    try:
        parse(text)
    except EmpSyntaxError as error:
        return error.diagnostics
    return ()


@pytest.mark.parametrize("text", KNOWN)
def test_a_text_that_ends_too_early_says_so_in_words(text: str) -> None:
    words = text.split(" ")
    for count in range(len(words)):
        for found in mistakes_or_none(" ".join(words[:count])):
            assert re.search(r"the annotation ends|is not closed", found.message)


@pytest.mark.parametrize(
    ("text", "message", "mend"),
    [
        ("for in S: min obj x", "expected the name of an index", "for s in S"),
        ("for s in S min obj(s) x(s)", "expected `:`", "for s in S: min"),
        ("adjustequ e 3", "expected the penalty of the row `e`", "`abs`, `maxz` or `sqr`"),
        ("randvar d 3", "expected the distribution of the parameter `d`", "normal 45 10"),
        ("min obj x -*", "the wildcard `*` cannot be flipped", "-row1 -row2"),
        ("min *", "expected the objective after `min`, found the wildcard", "min obj x row"),
        ("stage x", "expected the number of the stage", "stage 2 x row"),
        ("cvarup r", "the level, a number", "cvarup r 0.1"),
    ],
)
def test_what_is_missing(text: str, message: str, mend: str) -> None:
    first = mistakes_of(text)[0]
    assert message in first.message
    assert mend in first.help
