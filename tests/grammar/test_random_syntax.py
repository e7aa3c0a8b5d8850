from __future__ import annotations

import inspect
from typing import get_args

from bilevel_lang.errors import Span
from bilevel_lang.grammar import random_syntax
from bilevel_lang.grammar.leaves import Node, Number
from bilevel_lang.grammar.random_syntax import SetSeed, StageDefault
from bilevel_lang.grammar.syntax import Statement


def test_places_do_not_count_and_kinds_do() -> None:
    assert SetSeed(Number("1")) == SetSeed(Number("1"), span=Span(3, 4, 1, 4))
    assert SetSeed(Number("1")) != StageDefault(Number("1"))


def test_all_of_them_are_statements() -> None:
    mine = {c for _, c in inspect.getmembers(random_syntax, inspect.isclass) if c.__module__ == random_syntax.__name__}
    assert {c for c in mine if issubclass(c, Node)} <= set(get_args(Statement))
    assert len(mine) > 5
