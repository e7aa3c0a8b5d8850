from __future__ import annotations

from typing import get_args

from bilevel_lang.errors import Span
from bilevel_lang.grammar import syntax as s
from bilevel_lang.grammar.leaves import Node, Number, Reference

HERE = Span(3, 4, 1, 4)


def test_places_do_not_count() -> None:
    assert s.Reform("bigm", Number("1")) == s.Reform("bigm", Number("1", HERE), HERE)
    assert s.Branch(None, False, ()) == s.Branch(None, False, (), HERE)
    assert s.Adjustment(Reference(()), "abs") == s.Adjustment(Reference((), span=HERE), "abs", (), HERE)
    assert s.Bilevel((), span=HERE, keyword=HERE) == s.Bilevel(())


def test_every_statement_has_its_place() -> None:
    assert all(issubclass(statement, Node) for statement in get_args(s.Statement))
