"""Which statement may stand where."""

from __future__ import annotations

import pytest

from bilevel_lang.grammar.parser import parse
from bilevel_lang.problem import Structure
from bilevel_lang.resolver.report import Report
from bilevel_lang.resolver.structure import outline


def look(text: str) -> tuple[Structure, list[str]]:
    info = parse(text)
    report = Report(info.source)
    return outline(info, report).structure, [d.code for d in report.diagnostics]


@pytest.mark.parametrize(
    ("text", "structure"),
    [
        ("", Structure.SINGLE),
        ("* only a comment", Structure.SINGLE),
        ("bilevel x min z y", Structure.BILEVEL),
        ("bilevel vi F x", Structure.BILEVEL),
        ("equilibrium min z y", Structure.EQUILIBRIUM),
        ("vi F x g", Structure.EQUILIBRIUM),
        ("min z y", Structure.EQUILIBRIUM),
        ("bilevel x dualvar p e min z y e", Structure.BILEVEL),
        ("bilevel x for s in S: min z(s) y(s)", Structure.BILEVEL),
        ("qvi F y x g", Structure.EQUILIBRIUM),
        ("bilevel u qvi F y x g", Structure.BILEVEL),
        ("dualequ H y dualvar u g", Structure.EQUILIBRIUM),
        ("min z y g min w x g visol g", Structure.EQUILIBRIUM),
        ("implicit p e bilevel x min z y p", Structure.BILEVEL),
    ],
)
def test_structures(text: str, structure: Structure) -> None:
    assert look(text) == (structure, [])


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("bilevel x", ["E9"]),
        ("equilibrium", ["E9"]),
        ("bilevel x min z y bilevel u min w v", ["E17"]),
        ("equilibrium min z y equilibrium", ["E17"]),
        ("bilevel x equilibrium min z y", ["E8"]),
        ("min z y bilevel x", ["E8"]),
        ("equilibrium min z y dualequ F x", ["E8"]),
        ("dualvar p e", ["E11"]),
        ("dualequ H y bilevel x min z y", ["E8"]),
        ("vi F x dualequ H y", ["E8"]),
        ("for s in S: dualequ H(s) y(s) min z x", ["E8"]),
        ("visol g", ["E15"]),
        ("sharedequ g", ["E15"]),
        ("implicit z H", ["E15"]),
        ("bilevel x visol g", ["E9"]),
    ],
)
def test_disorder(text: str, codes: list[str]) -> None:
    assert look(text)[1] == codes


@pytest.mark.parametrize(
    "statement",
    [
        "randvar d discrete 0.5 1 0.5 2",
        "jrandvar d r 0.5 1 2 0.5 3 4",
        "stage 2 x",
        "stagedefault 1",
        "sample d 6",
        "setseed 1",
        "correlation d r 0.5",
        "chance e 0.9",
        "expectedvalue z",
        "cvarlo z 0.1",
        "scenarios 'data.csv'",
    ],
)
def test_uncertainty_has_its_own_reader_and_no_agents_beside_it(statement: str) -> None:
    assert look(statement) == (Structure.SINGLE, [])
    assert look(f"bilevel x min z y {statement}")[1] == ["E8"]
    assert look(f"{statement} disjunction u e else f")[1] == ["E8"]


def test_a_complaint_about_the_whole_points_at_the_first_keyword() -> None:
    info = parse("* a comment\nequilibrium min z y")
    opening = outline(info, Report(info.source)).opening
    assert opening is not None
    assert info.source.text[opening.start : opening.end] == "equilibrium"
