from __future__ import annotations

import pytest

from bilevel_lang.grammar.parser import parse
from bilevel_lang.grammar.scanner import STATEMENT_KEYWORDS

from .test_mistakes import mistakes_of


@pytest.mark.parametrize(
    ("word", "meant"),
    [("minimise", "min"), ("Maximize", "max"), ("bilevl", "bilevel"), ("equilbrium", "equilibrium"), ("dual_var", "dualvar")],
)
def test_misspelt_keywords(word: str, meant: str) -> None:
    assert mistakes_of(f"{word} x")[0].help == f"did you mean `{meant}`?"


@pytest.mark.parametrize("keyword", STATEMENT_KEYWORDS)
@pytest.mark.parametrize("use", ["bilevel x {}(1)", "bilevel x {}.y", "bilevel x {}[1] y"])
def test_a_keyword_as_a_name_gets_back_ticks(keyword: str, use: str) -> None:
    first = mistakes_of(use.format(keyword))[0]
    assert f"`` `{keyword}` ``" in first.help
    assert parse(use.format(f"`{keyword}`"))


@pytest.mark.parametrize(
    ("text", "message", "mend"),
    [
        ("n(i): min obj(i) x(i)", "looks like the label of a problem", "for i in I"),
        ("lower: min obj x", "looks like the label of a problem", "say who is who"),
        ("equilibrium x min obj x", "`equilibrium` stands alone, found `x`", "list variables and rows with the agents"),
        ("disjunction a row1 else row2 else row3", "found `else` after the `else`", "the branches before it are written `elseif"),
        ("disjunction a row1 else row2 elseif b row3", "found `elseif` after the `else`", "move this branch before it"),
    ],
)
def test_what_is_wrong_about_keywords(text: str, message: str, mend: str) -> None:
    first = mistakes_of(text)[0]
    assert message in first.message
    assert mend in first.help
