from __future__ import annotations

import pytest

from bilevel_lang.errors import Span
from bilevel_lang.grammar import syntax as s


def test_places_and_spelling_do_not_count() -> None:
    here = Span(3, 4, 1, 4)
    assert s.Segment("x", (s.Label("a", True, "'"),), False, "(") == s.Segment(
        "x", (s.Label("a", True, '"', here),), True, "[", here
    )
    assert s.Reform("bigm", s.Number("1")) == s.Reform("bigm", s.Number("1", here), here)
    assert s.Branch(None, False, ()) == s.Branch(None, False, (), here)
    assert s.Adjustment(s.Reference(()), "abs") == s.Adjustment(s.Reference((), span=here), "abs", (), here)


def test_what_is_said_counts() -> None:
    assert s.Label("1") != s.Label("1", quoted=True)
    assert s.Segment("x") != s.Segment("x", (s.AnyIndex(),))
    assert s.Reference((s.Segment("x"),)) != s.Reference((s.Segment("x"),), negated=True)


@pytest.mark.parametrize(("text", "value"), [("0", 0.0), ("-.5", -0.5), ("+2.", 2.0), ("1e3", 1000.0)])
def test_numbers_keep_their_spelling(text: str, value: float) -> None:
    assert s.Number(text).value == value
