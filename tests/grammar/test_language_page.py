"""The examples of ``docs/language.md`` are annotations that can be read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bilevel_lang.grammar.parser import parse
from bilevel_lang.grammar.printer import format_text
from bilevel_lang.grammar.scanner import STATEMENT_KEYWORDS

from .test_mistakes import mistakes_of

PAGE = (Path(__file__).parents[2] / "docs" / "language.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```emp\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("text", EXAMPLES)
def test_examples_can_be_read(text: str) -> None:
    info = parse(text)
    assert info.statements
    assert parse(format_text(text)) == info


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 10


def test_statements_in_the_table_can_be_read() -> None:
    _, _, table = PAGE.partition("## Uncertainty")
    cells = re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)
    forms = [form for cell in cells for form in re.findall(r"`([^`]+)`", cell) if " " in form]
    assert len(forms) > 10
    for form in forms:
        assert len(parse(form).statements) == 1


@pytest.mark.parametrize("keyword", STATEMENT_KEYWORDS)
def test_every_keyword_is_on_the_page(keyword: str) -> None:
    assert len(re.findall(rf"`{keyword}[`\s]", PAGE)) >= 2 or keyword in ("scenarios", "setseed")


def test_the_message_on_the_page_is_what_is_said() -> None:
    (first,) = mistakes_of("bilevel x\nmin cost y(1")
    assert first.render().partition(":")[2] in PAGE
