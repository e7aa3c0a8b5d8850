"""Pairs of a variable and a row, whatever the statement is."""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo
import pytest

from bilevel_lang.grammar.parser import parse
from bilevel_lang.grammar.syntax import DualVar, Implicit
from bilevel_lang.resolver.names import Names
from bilevel_lang.resolver.pairs import DUALVAR, IMPLICIT, Pair, PairReader, PairWords
from bilevel_lang.resolver.report import Report


@pytest.fixture
def model() -> Any:
    m = pyo.ConcreteModel()
    m.z = pyo.Var([1, 2])
    m.w = pyo.Var()
    m.h = pyo.Constraint([1, 2], rule=lambda m, i: m.z[i] == i)
    m.e = pyo.Constraint(expr=m.w == 3)
    return m


def read(model: Any, text: str, words: PairWords) -> tuple[list[Pair], list[str]]:
    info = parse(text)
    report = Report(info.source)
    (statement,) = info.statements
    assert isinstance(statement, (DualVar, Implicit))
    return PairReader(words, Names(model, report), report).pairs(statement.items, {}), [d.code for d in report.diagnostics]


@pytest.mark.parametrize(("keyword", "words"), [("dualvar", DUALVAR), ("implicit", IMPLICIT)])
def test_members_are_matched_by_index(model: Any, keyword: str, words: PairWords) -> None:
    pairs, said = read(model, f"{keyword} z h w -e", words)
    assert said == []
    assert [(p.variable.name, p.row.name, p.flipped) for p in pairs] == [
        ("z[1]", "h[1]", False),
        ("z[2]", "h[2]", False),
        ("w", "e", True),
    ]


@pytest.mark.parametrize(
    ("text", "code"),
    [("w", "E7"), ("e w", "E2"), ("w z", "E2"), ("w *", "E2"), ("z e", "E6"), ("-w e", "E2"), ("w nothing", "E1")],
)
def test_what_is_no_pair(model: Any, text: str, code: str) -> None:
    for keyword, words in (("dualvar", DUALVAR), ("implicit", IMPLICIT)):
        assert read(model, f"{keyword} {text}", words) == ([], [code])
