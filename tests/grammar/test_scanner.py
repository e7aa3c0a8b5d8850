from __future__ import annotations

import re
from importlib.resources import files

import pytest
from hypothesis import given

from bilevel_lang.grammar.scanner import STATEMENT_KEYWORDS, blank_out, is_keyword, next_keyword, pieces, plain_lines

from .trees import scraps


def test_keywords_are_those_of_the_grammar() -> None:
    grammar = files("bilevel_lang.grammar").joinpath("emp.lark").read_text(encoding="utf-8")
    statements, _, _ = grammar.partition("// ---- Items")
    terminals = set(re.findall(r"\b[A-Z]{2,}\b", re.sub(r"//.*", "", statements)))
    words_of_one_statement = {"IN", "ABS", "MAXZ", "SQR", "NOT", "ELSE", "ELSEIF", "CHULL", "BIGM", "INDIC", "DISCRETE"}
    assert terminals - words_of_one_statement - {"NAME", "COLON", "QUOTED"} == {word.upper() for word in STATEMENT_KEYWORDS}


@pytest.mark.parametrize("word", ["min", "MAX", "DualVar", "expected_value", "mın"])
def test_keywords(word: str) -> None:
    assert is_keyword(word)


@pytest.mark.parametrize("word", ["", "in", "minx", "min ", "min\n", "else"])
def test_other_words(word: str) -> None:
    assert not is_keyword(word)


@given(scraps)
def test_pieces_cover_the_text(text: str) -> None:
    assert "".join(piece.text for piece in pieces(text)) == text


def test_kinds_of_pieces() -> None:
    found = [(p.kind, p.text) for p in pieces(" * c\nx(3) `a b`;'c' // d") if p.kind != "blank"]
    assert found == [
        ("star_comment", " * c"), ("newline", "\n"), ("word", "x"), ("other", "("), ("number", "3"), ("other", ")"),
        ("ticked", "`a b`"), ("noise", ";"), ("quoted", "'c'"), ("comment", "// d"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("x min y", "min y"),
        ("x(min) b.max vi F", "vi F"),
        ("x(1\nmin y", "min y"),
        ("x # min\n* max\n'vi' `bilevel` Stage 2", "Stage 2"),
        ("x y", ""),
    ],
)
def test_the_next_statement(text: str, rest: str) -> None:
    assert text[next_keyword(text, 0) :] == rest


def test_the_next_statement_after_an_open_bracket() -> None:
    text = "1 min) max y"
    assert text[next_keyword(text, 1, depth=1) :] == "max y"


@given(scraps)
def test_lines_are_counted_as_by_an_editor(text: str) -> None:
    plain = plain_lines(text)
    assert plain.split("\n")[: len(plain.splitlines())] == plain.splitlines()
    assert len(plain) == len(text.removeprefix("\ufeff"))


def test_blanks_keep_all_places() -> None:
    assert blank_out("ab\n\ncd e", 5) == "  \n\n d e"
