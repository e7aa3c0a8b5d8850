"""Names, terms and places of reported multipliers, each name once."""

from __future__ import annotations

import bilevel_lang as bl
from bilevel_lang.reformulation.reported import Reported
from tests.reformulation.problems import KNOWN


def test_each_name_once_with_its_place_and_component() -> None:
    known = next(k for k in KNOWN if k.name == "linear")
    problem = bl.resolve(known.build(), known.annotation)
    rows = problem.agents[0].rows
    reported = Reported(problem)
    reported.add("b", ((1.0, "v"),), 0, 1)
    reported.add("a", ((-1.0, "w"),), 0, 0)
    reported.add("b", ((2.0, "again"),), 0, 2)
    assert [(m.name, m.expression) for m in reported.all()] == [("b", ((1.0, "v"),)), ("a", ((-1.0, "w"),))]
    assert [m.component for m in reported.all()] == [rows[1].component, rows[0].component]
    assert list(reported.places()) == [(0, 1), (0, 0)] and len(reported.places()) == 2
