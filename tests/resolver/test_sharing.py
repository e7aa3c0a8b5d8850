"""Which rows and variables the statements declare as shared."""

from __future__ import annotations

import pytest

from bilevel_lang.grammar.parser import parse
from bilevel_lang.resolver.names import Names
from bilevel_lang.resolver.report import Report
from bilevel_lang.resolver.sharing import Sharing, read_sharing
from tests.resolver.equilibria import game


def read(text: str) -> tuple[Sharing, list[str], object]:
    model, info = game(), parse(text)
    report = Report(info.source)
    return read_sharing(info.statements, Names(model, report), report), [d.code for d in report.diagnostics], model


def test_rows_and_state_variables_are_declared() -> None:
    sharing, said, model = read("visol total implicit p demand")
    assert said == []
    assert sharing.rows[model.total] == "visol"
    assert sharing.states[model.p].row is model.demand
    assert sharing.state_rows[model.demand] is model.p
    assert sharing.covers([model.total, model.p])
    assert not sharing.covers([model.total, model.x[1]])


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("visol total sharedequ total", ["E15"]),
        ("visol total total", ["E15"]),
        ("sharedequ x", ["E2"]),
        ("visol -total", ["E2"]),
        ("visol *", ["E2"]),
        ("implicit p total", ["E7"]),
        ("implicit u demand", ["E7"]),
        ("implicit p -demand", ["E2"]),
        ("implicit p demand u demand", ["E3"]),
        ("visol demand implicit p demand", ["E15"]),
    ],
)
def test_what_cannot_be_shared(text: str, codes: list[str]) -> None:
    assert read(text)[1] == codes


def test_what_a_mistaken_statement_names_is_not_complained_of_again() -> None:
    sharing, said, model = read("implicit p total")
    assert said == ["E7"]
    assert sharing.covers([model.p, model.total])
