from __future__ import annotations

import pytest

from bilevel_lang.grammar.parser import parse

from .test_mistakes import mistakes_of


@pytest.mark.parametrize(
    ("text", "message", "mend"),
    [
        ("bilevel x(1,\n* ,2)", "this line is a comment", "end of the line above"),
        ("bilevel blk[1].x(", "the bracket of `x` is not closed", "put `)`"),
        ("bilevel `a b`[", "the bracket of `a b` is not closed", "put `]`"),
        ("bilevel x[1) y", "`[` is closed by `)`", "write `]`"),
        ("bilevel x[1,:2]", "an index cannot be a range", "alone"),
        ("bilevel x(.)", "`.` cannot stand in an index", "'.'"),
        ("bilevel x('a' 'b')", "expected `,` or `)` after the index `'a'`", "comma between"),
        ("bilevel x(a b, c)", "found `b`", "'a b'"),
        ("bilevel x(a b$c)", "found `b`", "comma"),
        ("bilevel x(b$c)", "`$` cannot stand in an index", "'b$c'"),
        ("bilevel x(\x00)", "U+0000", "take it away"),
    ],
)
def test_what_is_wrong_in_a_bracket(text: str, message: str, mend: str) -> None:
    first = mistakes_of(text)[0]
    assert message in first.message
    assert mend in first.help


@pytest.mark.parametrize(("wrong", "right"), [("x(a b)", "x('a b')"), ("x(b$c)", "x('b$c')"), ("x(`a`)", "x('a')")])
def test_the_mend_can_be_read(wrong: str, right: str) -> None:
    assert right[2:-1] in mistakes_of(f"bilevel {wrong}")[0].help
    assert parse(f"bilevel {right}")
