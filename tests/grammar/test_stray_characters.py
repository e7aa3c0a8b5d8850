from __future__ import annotations

import pytest

from .test_mistakes import mistakes_of


@pytest.mark.parametrize(
    ("text", "message", "mend"),
    [
        ("bilevel `x y", "the back-tick is not closed on this line", "after the name"),
        ("scenarios 'a.csv", "the quote ' is not closed on this line", "after the file name"),
        ("bilevel ``", "the back-ticks hold no name", "between them"),
        ("bilevel “x", "is no part of the language", "a plain quote"),
        ("setseed 1.2.3", "`1.2.3` is not a number", "as in 2, 0.5 or 1e-3"),
        ("bilevel 2x", "a name cannot begin with a digit", "back-ticks"),
        ("bilevel x 3", "found the number `3`", "`x(3)`"),
        ("bilevel 'x'", "quotes are for labels", "write the name bare: `x`"),
        ("bilevel x = y", "`=` is no part of the language here", "formulas belong in the model"),
        ("bilevel x, {y}", "`{` is no part of the language here", "lists have no brackets"),
    ],
)
def test_what_does_not_belong_there(text: str, message: str, mend: str) -> None:
    first = mistakes_of(text)[0]
    assert message in first.message
    assert mend in first.help
