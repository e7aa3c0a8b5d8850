from __future__ import annotations

import pytest

from bilevel_lang.errors import Span
from bilevel_lang.grammar.leaves import AnyIndex, Label, Number, Reference, Segment


def test_places_and_spelling_do_not_count() -> None:
    here = Span(3, 4, 1, 4)
    quoted = Segment("x", (Label("a", True, '"', here),), True, "[", here)
    assert Segment("x", (Label("a", True, "'"),), False, "(") == quoted
    assert Number("1") == Number("1", here)
    assert Reference(()) == Reference((), span=here)


def test_what_is_said_counts() -> None:
    assert Label("1") != Label("1", quoted=True)
    assert Segment("x") != Segment("x", (AnyIndex(),))
    assert Reference((Segment("x"),)) != Reference((Segment("x"),), negated=True)


@pytest.mark.parametrize(("text", "value"), [("0", 0.0), ("-.5", -0.5), ("+2.", 2.0), ("1e3", 1000.0)])
def test_numbers_keep_their_spelling(text: str, value: float) -> None:
    assert Number(text).value == value
