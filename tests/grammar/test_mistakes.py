"""The messages stand in ``tests/mistakes/syntax``; here, what every message must fulfil."""

from __future__ import annotations

import re

import pytest

from bilevel_lang.errors import Diagnostic, EmpSyntaxError
from bilevel_lang.grammar.mistakes import RULES
from bilevel_lang.grammar.parser import parse
from bilevel_lang.grammar.scanner import STATEMENT_KEYWORDS


def mistakes_of(text: str) -> tuple[Diagnostic, ...]:
    with pytest.raises(EmpSyntaxError) as caught:
        parse(text)
    return caught.value.diagnostics


@pytest.mark.parametrize(
    ("text", "culprit"),
    [
        ("x min y", "x"),
        ("bilevel x(1 min", "("),
        ("bilevel x(1]", "]"),
        ("bilevel x() min y", "()"),
        ("bilevel max.x", "max"),
        ("min obj 'y'", "'y'"),
        ("setseed 1.2.3", "1.2.3"),
        ("for s in S: bilevel x", "bilevel"),
        ("a: min x", "a"),
        ("vi F x − y", "−"),
    ],
)
def test_the_caret_is_under_the_culprit(text: str, culprit: str) -> None:
    first = mistakes_of(text)[0]
    assert first.span is not None
    assert text[first.span.start : first.span.end] == culprit


@pytest.mark.parametrize("keyword", STATEMENT_KEYWORDS)
def test_mistakes_after_a_keyword_do_not_hide_the_next_statement(keyword: str) -> None:
    places = [(d.span.line, d.span.column) for d in mistakes_of(f"{keyword} )\nmin obj x\nmax obj )") if d.span]
    assert len(places) == 2
    assert places[1] == (3, 9)


def test_one_mistake_gives_one_message() -> None:
    assert [d.message for d in mistakes_of("min\nmax obj x(1\nvi F x")] == [
        "expected the objective after `min`, found the keyword `max`",
        "the bracket of `x` is not closed",
    ]


def test_no_message_speaks_the_parsers_language() -> None:
    for text in (
        "min",
        "x",
        "bilevel x(",
        "for",
        "stage",
        "disjunction",
        "default 3",
        "chance",
        "vi :",
        "adjustequ e",
        "min a . 3",
    ):
        for found in mistakes_of(text):
            assert not re.search(r"\b[A-Z]{3,}\b|\$END|token|terminal", found.message + found.help)


def test_the_last_rule_always_answers() -> None:
    assert RULES[-1].__name__ == "anything_else"
